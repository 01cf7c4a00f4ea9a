//! The way from the background to an event loop: results wait in a list, and a byte in a socket
//! that the loop watches says that there are some. The background never waits for the interpreter.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use greenwave_sdk::Error;
use pyo3::prelude::*;

use crate::call::Output;
use crate::convert::to_python;
use crate::error::raise;

/// The results for one event loop.
#[pyclass(frozen, module = "network_as_code._core")]
pub(crate) struct Bridge {
    shared: Arc<Shared>,
    watched: UnixStream,
}

/// What came of a call, and the future that waits for it.
type Arrived = (Py<PyAny>, Result<Output, Error>);

/// The same for Python: the future, whether it is a success, and the value or the exception.
type Delivered<'py> = (Py<PyAny>, bool, Bound<'py, PyAny>);

pub(crate) struct Shared {
    results: Mutex<Vec<Arrived>>,
    bell: UnixStream,
}

#[pymethods]
impl Bridge {
    #[new]
    fn new() -> PyResult<Self> {
        let (bell, watched) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        watched.set_nonblocking(true)?;
        let shared = Shared { results: Mutex::new(Vec::new()), bell };
        Ok(Self { shared: Arc::new(shared), watched })
    }

    /// What the loop has to watch: when it can be read, there are results.
    fn fileno(&self) -> i32 {
        self.watched.as_raw_fd()
    }

    /// The results that are there.
    fn drain<'py>(&self, py: Python<'py>) -> Vec<Delivered<'py>> {
        let mut bytes = [0; 64];
        while matches!((&self.watched).read(&mut bytes), Ok(count) if count == bytes.len()) {}
        let results = {
            let mut waiting = self.shared.results.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *waiting)
        };
        results
            .into_iter()
            .map(|(future, result)| {
                // One that cannot be shown to Python is its own future's error, and no other's.
                match result.map_err(raise).and_then(|output| to_python(py, output)) {
                    Ok(value) => (future, true, value),
                    Err(error) => (future, false, error.into_value(py).into_bound(py).into_any()),
                }
            })
            .collect()
    }
}

impl Bridge {
    pub(crate) fn handle(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Shared {
    /// Adds a result. The bell rings once for all that are not fetched yet.
    pub(crate) fn push(&self, future: Py<PyAny>, result: Result<Output, Error>) {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results.push((future, result));
        if results.len() == 1 {
            // If it is full, it has been ringing for long.
            let _ = (&self.bell).write(&[1]);
        }
    }
}
