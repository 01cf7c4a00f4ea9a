//! The runtime that carries out calls in the background: one thread for the process, started when
//! it is first needed. After a `fork` the child has one of its own; what it got from its parent is
//! left as it is, because its thread is not there.

use std::mem::forget;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use greenwave_sdk::operation::Executor;
use greenwave_sdk::{Endpoint, Error, Tokio};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

/// Something that belongs to one process.
struct Own<T> {
    process: u32,
    value: T,
}

static RUNTIME: Mutex<Option<Own<Arc<Runtime>>>> = Mutex::new(None);

/// Runs a task in the background.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> PyResult<AbortHandle> {
    let runtime = own(&RUNTIME, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("greenwave-sdk")
            .enable_all()
            .build();
        runtime.map(Arc::new).map_err(|error| PyOSError::new_err(error.to_string()))
    })?;
    Ok(runtime.spawn(task).abort_handle())
}

/// The connections of a client that are used in the background.
pub(crate) struct Remote {
    endpoint: Endpoint,
    timeout: Duration,
    executor: Mutex<Option<Own<Tokio>>>,
}

impl Remote {
    pub(crate) fn new(endpoint: Endpoint, timeout: Duration) -> Self {
        Self { endpoint, timeout, executor: Mutex::new(None) }
    }

    pub(crate) fn executor(&self) -> Result<Tokio, Error> {
        own(&self.executor, || Tokio::new(self.endpoint.clone(), self.timeout))
    }

    /// Closes this process's connections, once the calls that are under way have ended.
    pub(crate) fn close(&self) {
        let mut slot = self.executor.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|own| own.process == std::process::id()) {
            *slot = None;
        }
    }
}

/// This process's own value, made if there is none.
fn own<T: Clone, E>(
    slot: &Mutex<Option<Own<T>>>,
    make: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let process = std::process::id();
    // Whoever comes here holds the interpreter lock, as does whoever forks: no child finds it
    // locked.
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(own) = &*slot
        && own.process == process
    {
        return Ok(own.value.clone());
    }
    let value = make()?;
    // To drop a runtime is to wait for its threads.
    forget(slot.replace(Own { process, value: value.clone() }));
    Ok(value)
}
