//! A gateway in this very process.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use greenwave::clock::SystemTimer;
use greenwave::entropy::SystemEntropy;
use greenwave::gateway::{Config, Gateway};
use greenwave::http::Limits;
use greenwave::tokens;
use greenwave_faultdisk::Disk;
use greenwave_ledger::Storage;

use crate::Failure;

/// Starts a gateway as `greenwave up` does, on any port.
pub(crate) async fn start(directory: &Path, storage: Storage) -> Result<Gateway, Failure> {
    let config = Config {
        directory: directory.to_owned(),
        port: 0,
        grant_delay: Duration::from_millis(50),
        timer: SystemTimer::start(),
        entropy: Arc::new(SystemEntropy::default()),
        limits: Limits::of_process(),
        tokens: tokens::Settings::default(),
        // Nothing that is looked at here may be erased meanwhile.
        retention: Duration::from_secs(30 * 86_400),
        trusted: Vec::new(),
        storage,
    };
    Gateway::start(config).await.map_err(|error| Failure::new("no gateway", error))
}

/// Serve as a gateway whose disk takes longer for each sync.
#[derive(Debug, Args)]
pub(crate) struct SlowGateway {
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// How many milliseconds longer
    #[arg(long, value_name = "MS")]
    delay_ms: u64,
}

impl SlowGateway {
    /// Serves until it is killed, or cannot go on.
    pub(crate) async fn run(&self) -> Result<(), Failure> {
        let disk = Disk::slow(Duration::from_millis(self.delay_ms));
        let storage = Storage { vfs: Some(disk.vfs().to_owned()), setup: String::new() };
        let mut gateway = start(&self.data, storage).await?;
        let text = serde_json::to_string(&gateway.sandbox().to_file());
        let text = text.map_err(|error| Failure::new("no JSON", error))?;
        writeln!(std::io::stdout(), "{text}").map_err(|error| Failure::new("no output", error))?;
        Err(Failure::new("the gateway cannot go on", gateway.failed().await))
    }
}
