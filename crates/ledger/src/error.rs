//! What can go wrong in a ledger.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use greenwave_core::Refusal;
use rusqlite::ErrorCode;

/// Why a ledger cannot answer.
///
/// One failure can hit every command of a batch, so it can be cloned.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// It has been closed, or has failed and stopped.
    #[error("the ledger is closed")]
    Closed,
    /// It has as much to do as it can hold. The command has to be made again later.
    #[error("the ledger has too much to do")]
    Busy,
    /// There is no room on the disk. What ends sessions may go through where this does not.
    #[error("the disk is full")]
    Full,
    /// What is stored cannot be read or written.
    #[error("the ledger's storage failed: {0}")]
    Storage(#[source] Arc<dyn Error + Send + Sync>),
    /// What is stored makes no sense.
    #[error("the ledger holds a {what} that cannot be read")]
    Corrupt {
        /// What it is that makes no sense.
        what: &'static str,
    },
}

/// Why a command was not carried out. Nothing has changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransactError {
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The device's names have come to mean another device since they were looked up. The command
    /// has to be made anew.
    #[error("the device's names have come to mean another device")]
    Renamed,
    /// The ledger cannot answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Why a ledger cannot be opened. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "another greenwave (process {process}) is using {}: stop it, or name another directory with --data",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// What the lock file says of the other process.
        process: String,
    },
    /// A newer version has written it.
    #[error(
        "{} was written by a newer greenwave (schema {found}, this one knows {known}): use that version, or name another directory with --data",
        path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The file's schema version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// It is no ledger.
    #[error("{} is a database of something else: name another directory with --data", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// The file system refuses.
    #[error("cannot open {}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What is stored cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// Why.
        source: LedgerError,
    },
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Storage(Arc::new(error)) }
    }
}

/// Whether a write found no room: for the file and its log, or for what the log is shared by.
fn is_full(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return false };
    failure.code == ErrorCode::DiskFull
        || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
}
