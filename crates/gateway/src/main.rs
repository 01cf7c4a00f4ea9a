//! The command `greenwave`.

use std::process::ExitCode;

fn main() -> ExitCode {
    greenwave::cli::main()
}
