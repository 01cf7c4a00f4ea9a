//! Load for a gateway, and an echo on the same HTTP stack to measure it against.
//!
//! What is measured and how to read it is in `docs/performance.md` and `docs/reliability.md`.

mod closed_loop;
mod compare;
mod connection;
mod echo;
mod job;
mod lateness;
mod life;
mod machine;
mod network;
mod open_loop;
mod outage;
mod pool;
mod receiver;
mod report;
mod rules;
mod server;
mod tally;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The allocator of the gateway, for what is measured and what it is measured against.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure a gateway.
#[derive(Debug, Parser)]
#[command(name = "greenwave-bench", version, arg_required_else_help = true)]
struct Bench {
    #[command(subcommand)]
    command: Command,

    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Requests per CPU-second of the server, beside an echo on the same HTTP stack
    Compare(compare::Compare),
    /// Whole lives of sessions at a given rate, and how long each request takes
    Life(life::Life),
    /// As many requests as go over some connections, one kind after the other
    Load(closed_loop::Load),
    /// How late sessions end, and that none ends early
    Lateness(lateness::Lateness),
    /// How long a gateway takes for all that ran out while it was down
    Outage(outage::Outage),
    /// What the simulated network takes for so many sessions, without a gateway
    Network(network::Network),
    /// Answer every request with what a gateway once answered
    #[command(hide = true)]
    Echo(echo::Echo),
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

impl Failure {
    /// What could not be done, and why.
    fn new(what: impl Display, why: impl Display) -> Self {
        Self(format!("{what}: {why}"))
    }
}

fn main() -> ExitCode {
    // The gateway itself is in here, so that what is measured is never older than what measures.
    if std::env::args_os().nth(1).is_some_and(|command| command == "up") {
        return greenwave::cli::main();
    }
    let bench = Bench::parse();
    match run(&bench) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything was as it should have been.
fn run(bench: &Bench) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start", error))?;
    match &bench.command {
        Command::Compare(compare) => {
            let comparison = runtime.block_on(compare.run())?;
            report::print(&comparison, bench.json)?;
            Ok(comparison.is_clean())
        }
        Command::Life(life) => {
            let loaded = runtime.block_on(life.run())?;
            report::print(&loaded, bench.json)?;
            Ok(loaded.is_clean())
        }
        Command::Load(load) => {
            let loaded = runtime.block_on(load.run())?;
            report::print(&loaded, bench.json)?;
            Ok(loaded.is_clean())
        }
        Command::Lateness(lateness) => {
            let measured = runtime.block_on(lateness.run())?;
            report::print(&measured, bench.json)?;
            Ok(measured.is_clean())
        }
        Command::Outage(outage) => {
            let measured = runtime.block_on(outage.run())?;
            report::print(&measured, bench.json)?;
            Ok(measured.is_clean())
        }
        Command::Network(network) => {
            let measured = runtime.block_on(network.run())?;
            report::print(&measured, bench.json)?;
            Ok(true)
        }
        Command::Echo(echo) => runtime.block_on(echo.run()).map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Bench::command().debug_assert();
    }
}
