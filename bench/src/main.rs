//! Load for a gateway, and an echo on the same HTTP stack to measure it against.
//!
//! What is measured and how to read it is in `docs/performance.md` and `docs/reliability.md`.

mod closed_loop;
mod compare;
mod connection;
mod echo;
mod expire;
mod fill;
mod ground;
mod job;
mod lateness;
mod life;
mod machine;
mod network;
mod open_loop;
mod outage;
mod own_gateway;
mod pace;
mod place;
mod pool;
mod receiver;
mod report;
mod rules;
mod scale;
mod server;
mod sinks;
mod slow_sync;
mod spread;
mod tally;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::report::Report;

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
    /// How a gateway does with ever more sessions: start, memory, file, rates
    Scale(scale::Scale),
    /// How long a gateway takes for very many sessions that end in the same moment
    Expire(expire::Expire),
    /// What many connections are to one when the disk is slow
    SlowSync(slow_sync::SlowSync),
    /// How long a create takes at half the highest rate
    Pace(pace::Pace),
    /// Answer every request with what a gateway once answered
    #[command(hide = true)]
    Echo(echo::Echo),
    /// Serve as a gateway whose disk takes longer for each sync
    #[command(hide = true)]
    SlowGateway(own_gateway::SlowGateway),
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
    if std::env::args_os().nth(1).is_some_and(|command| command == "up" || command == "sandbox") {
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
    runtime.block_on(async {
        let json = bench.json;
        match &bench.command {
            Command::Compare(compare) => conclude(compare.run().await?, json),
            Command::Life(life) => conclude(life.run().await?, json),
            Command::Load(load) => conclude(load.run().await?, json),
            Command::Lateness(lateness) => conclude(lateness.run().await?, json),
            Command::Outage(outage) => conclude(outage.run().await?, json),
            Command::Network(network) => conclude(network.run().await?, json),
            Command::Scale(scale) => conclude(scale.run().await?, json),
            Command::Expire(expire) => conclude(expire.run().await?, json),
            Command::SlowSync(slow_sync) => conclude(slow_sync.run().await?, json),
            Command::Pace(pace) => conclude(pace.run().await?, json),
            Command::Echo(echo) => echo.run().await.map(|()| true),
            Command::SlowGateway(gateway) => gateway.run().await.map(|()| true),
        }
    })
}

/// Prints what was measured, and tells whether it was as it should have been.
fn conclude(report: impl Report, json: bool) -> Result<bool, Failure> {
    report::print(&report, json)?;
    Ok(report.is_clean())
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
