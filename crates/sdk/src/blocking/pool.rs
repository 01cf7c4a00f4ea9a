//! Connections that wait for their next request.

use std::sync::{Mutex, MutexGuard, TryLockError};

use super::connection::Connection;

/// More than this many are closed once they are not needed.
const MOST_IDLE: usize = 32;

/// How often a lock that is held is tried again. Who holds it does so for the moment of a push; if
/// it stays held, a `fork` came at that moment, and its holder is in the other process.
const PATIENCE: usize = 1_000;

/// The connections of one process.
pub(super) struct Pool(Mutex<Idle>);

struct Idle {
    /// Whose they are. A child must not use, nor end, what its parent goes on using.
    process: u32,
    connections: Vec<Connection>,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Idle { process: std::process::id(), connections: Vec::new() }))
    }

    /// The connection that was used last, if one is usable.
    pub(super) fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle()?.connections.pop()?;
            if connection.is_usable() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(super) fn put(&self, connection: Connection) {
        if let Some(mut idle) = self.idle()
            && idle.connections.len() < MOST_IDLE
        {
            idle.connections.push(connection);
        }
    }

    pub(super) fn clear(&self) {
        if let Some(mut idle) = self.idle() {
            idle.connections.clear();
        }
    }

    fn idle(&self) -> Option<MutexGuard<'_, Idle>> {
        let mut idle = self.lock()?;
        let process = std::process::id();
        if idle.process != process {
            // Closing them here closes nothing there: the parent has its own handles, and none of
            // these says goodbye when it is dropped.
            idle.connections.clear();
            idle.process = process;
        }
        Some(idle)
    }

    fn lock(&self) -> Option<MutexGuard<'_, Idle>> {
        for _ in 0..PATIENCE {
            match self.0.try_lock() {
                Ok(idle) => return Some(idle),
                // What is in there is whole at every moment.
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        None
    }
}
