//! Connections for reading: as many as are in use at once.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::file::{self, Storage};
use crate::LedgerError;

/// How many idle connections are kept.
const IDLE: usize = 8;

#[derive(Debug)]
pub(super) struct Readers {
    storage: Storage,
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(storage: Storage, path: PathBuf) -> Self {
        Self { storage, path, idle: Mutex::new(Vec::new()) }
    }

    /// Reads through a connection that nobody else is using.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let db = match taken {
            Some(db) => db,
            None => file::open_reader(&self.storage, &self.path)?,
        };
        let result = read(&db);
        let mut idle = idle();
        if idle.len() < IDLE {
            idle.push(db);
        }
        result
    }
}
