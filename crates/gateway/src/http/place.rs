//! How many requests are worked on at a time.

use std::sync::Arc;

use greenwave_wire::ErrorInfo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Failure;

/// As many as there are.
#[derive(Debug)]
pub(super) struct Places(Arc<Semaphore>);

/// A place among the requests that are worked on. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// A place, now or not at all: whoever waited would only be answered late.
    pub(super) fn take(&self) -> Result<Place, Failure> {
        let permit = Arc::clone(&self.0).try_acquire_owned();
        permit.map(|permit| Place { _permit: permit }).map_err(|_| ErrorInfo::busy().into())
    }
}
