//! Where the data of what is measured is put.

use std::path::PathBuf;

use clap::Args;
use tempfile::TempDir;

use crate::Failure;

/// See the module.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// Where the data is put for the time, on a real disk
    #[arg(long, value_name = "DIR")]
    temp: Option<PathBuf>,
}

impl Place {
    /// A new directory there, for as long as it is held.
    pub(crate) fn directory(&self) -> Result<TempDir, Failure> {
        let temp = self.temp.clone().unwrap_or_else(std::env::temp_dir);
        tempfile::tempdir_in(temp).map_err(|error| Failure::new("no directory", error))
    }
}
