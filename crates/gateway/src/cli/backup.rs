//! `greenwave backup`

use std::path::PathBuf;

use clap::Args;
use greenwave_core::Clock;

use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat};
use crate::backup;
use crate::clock::SystemTimer;

/// Copy everything that has to be kept into one file
///
/// The gateway may be running: the copy shows one moment, and nothing waits for it. It holds the
/// secret of the data directory, so keep it as you keep the directory; greenwave restore makes a
/// directory of it.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to be written, which must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

impl Backup {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let data = &self.directory.data;
        if !data.join("ledger.db").exists() {
            let failure = Failure::new(format!("there is no ledger in {}", data.display()));
            return Err(failure.hint("greenwave backup FILE --data DIR"));
        }
        let taken_at = SystemTimer::start().now();
        backup::take(data, &self.file, taken_at).map_err(Failure::new)?;
        let bytes = std::fs::metadata(&self.file).map_or(0, |file| file.len());
        let file = self.file.display().to_string();
        if self.format.json {
            let taken_at = taken_at.to_string();
            let written = serde_json::json!({"file": file, "bytes": bytes, "takenAt": taken_at});
            return output::print_json(&written);
        }
        output::print(&format!("{file}, {} KiB", bytes.div_ceil(1_024)))?;
        output::talk(&format!("look at it with: greenwave restore --check {file}"));
        Ok(())
    }
}
