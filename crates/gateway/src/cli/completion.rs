//! `greenwave completion`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::output::{self, Failure};

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub(super) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        let mut command = super::Greenwave::command();
        clap_complete::generate(self.shell, &mut command, "greenwave", &mut script);
        output::print(String::from_utf8_lossy(&script).trim_end())
    }
}
