//! The command line.
//!
//! Data goes to standard output, talk to standard error; an error names the command that helps.

mod apps;
mod backup;
mod client;
mod completion;
mod devices;
mod doctor;
mod duration;
mod faults;
mod keys;
mod log;
mod orphans;
mod output;
mod ports;
mod profiles;
mod restore;
mod sandbox;
mod sessions;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use self::output::Failure;

/// Quality on Demand that anyone can run.
#[derive(Debug, Parser)]
#[command(name = "greenwave", version, propagate_version = true, arg_required_else_help = true)]
struct Greenwave {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a sandbox gateway on a simulated network
    Up(up::Up),
    /// Create, look at and end sessions
    Sessions(Box<sessions::Sessions>),
    /// See and change the profiles that sessions can have
    Profiles(profiles::Profiles),
    /// Make and revoke application keys
    Keys(keys::Keys),
    /// See applications, and set what they may do
    Apps(apps::Apps),
    /// Make what tests need
    Sandbox(sandbox::Sandbox),
    /// Make the simulated network go wrong, to see what an application does
    Faults(faults::Faults),
    /// Let devices leave the simulated network and come back
    Devices(devices::Devices),
    /// See and give up sessions that the network does not let go of
    Orphans(orphans::Orphans),
    /// Look whether everything is as it should be
    Doctor(doctor::Doctor),
    /// Copy everything that has to be kept into one file
    Backup(backup::Backup),
    /// Make a data directory from a backup, or only look at the backup
    Restore(restore::Restore),
    /// Print a completion script for a shell
    Completion(completion::Completion),
}

/// Where the gateway's data is.
#[derive(Debug, Args)]
struct DataDirectory {
    /// The gateway's data directory
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "GREENWAVE_DATA",
        default_value = "greenwave-data"
    )]
    data: PathBuf,
}

impl DataDirectory {
    /// The command that starts a gateway here.
    fn start(&self) -> String {
        format!("greenwave up --data {}", self.data.display())
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Args)]
struct OutputFormat {
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
}

/// Runs the command that the arguments say.
#[must_use]
pub fn main() -> ExitCode {
    let (result, format) = match Greenwave::parse().command {
        Command::Up(command) => (command.run(), command.format()),
        Command::Sessions(command) => (command.run(), command.format()),
        Command::Profiles(command) => (command.run(), command.format()),
        Command::Keys(command) => (command.run(), command.format()),
        Command::Apps(command) => (command.run(), command.format()),
        Command::Sandbox(command) => (command.run(), command.format()),
        Command::Faults(command) => (command.run(), command.format()),
        Command::Devices(command) => (command.run(), command.format()),
        Command::Orphans(command) => (command.run(), command.format()),
        Command::Doctor(command) => (command.run(), command.format()),
        Command::Backup(command) => (command.run(), command.format()),
        Command::Restore(command) => (command.run(), command.format()),
        Command::Completion(command) => (command.run(), OutputFormat { json: false }),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(format);
            failure.exit_code()
        }
    }
}

/// Runs what a command has to wait for.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Greenwave::command().debug_assert();
    }
}
