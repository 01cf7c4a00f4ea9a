//! A call: what is to be done, until somebody does it, in one way or the other.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use greenwave_sdk::SessionInfo;
use greenwave_sdk::blocking::Blocking;
use greenwave_sdk::operation::{Event, Executor, Operation, Step};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::task::AbortHandle;

use crate::bridge::Bridge;
use crate::convert::to_python;
use crate::error::raise;
use crate::runtime::Remote;

/// What comes of a call.
pub(crate) enum Output {
    Nothing,
    Session(Box<SessionInfo>),
    Sessions(Vec<SessionInfo>),
    /// Which were deleted, and which had ended.
    Cleared(Vec<String>, Vec<String>),
    /// Each as JSON.
    Profiles(Vec<String>),
}

type Boxed = Box<dyn Operation<Output = Output>>;

/// Something to do, once.
#[pyclass(frozen, module = "network_as_code._core")]
pub(crate) struct Call {
    operation: Mutex<Option<Boxed>>,
    blocking: Blocking,
    remote: Arc<Remote>,
}

/// A call that is being carried out in the background.
#[pyclass(frozen, module = "network_as_code._core")]
pub(crate) struct Started(AbortHandle);

#[pymethods]
impl Call {
    /// Does it, on this thread, and returns what came of it.
    fn run<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let operation = self.take()?;
        let result = py.detach(|| self.blocking.run(operation));
        to_python(py, result.map_err(raise)?)
    }

    /// Does it in the background. What came of it goes over the bridge, with `future`.
    fn start(&self, bridge: &Bridge, future: Py<PyAny>) -> PyResult<Started> {
        let operation = self.take()?;
        let bridge = bridge.handle();
        let work = self.remote.executor().map_err(raise)?.run(operation);
        let task = async move { bridge.push(future, work.await) };
        Ok(Started(crate::runtime::spawn(task)?))
    }
}

#[pymethods]
impl Started {
    /// Nobody waits for it any more.
    fn abort(&self) {
        self.0.abort();
    }
}

impl Call {
    pub(crate) fn new<O: Operation + 'static>(
        operation: O,
        output: fn(O::Output) -> Output,
        blocking: Blocking,
        remote: Arc<Remote>,
    ) -> Self {
        let operation: Boxed = Box::new(WithOutput { operation, output });
        Self { operation: Mutex::new(Some(operation)), blocking, remote }
    }

    fn take(&self) -> PyResult<Boxed> {
        let mut operation = self.operation.lock().unwrap_or_else(PoisonError::into_inner);
        operation.take().ok_or_else(|| PyRuntimeError::new_err("this call was made already"))
    }
}

/// An operation whose result is one of those that Python is given.
struct WithOutput<O: Operation> {
    operation: O,
    output: fn(O::Output) -> Output,
}

impl<O: Operation> Operation for WithOutput<O> {
    type Output = Output;

    fn step(&mut self, event: Event, elapsed: Duration) -> Step<Output> {
        match self.operation.step(event, elapsed) {
            Step::Send(request) => Step::Send(request),
            Step::Pause(pause) => Step::Pause(pause),
            Step::Done(result) => Step::Done(result.map(self.output)),
        }
    }
}

thread_local! {
    /// What a signal's handler raised while this thread waited.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Lets Python handle the signal that came; Ctrl-C is a `KeyboardInterrupt` then.
pub(crate) fn interrupted() -> bool {
    // While the interpreter ends, whoever is left waits on: there is nobody to raise it to.
    let handled = Python::try_attach(|py| {
        py.check_signals()?;
        Ok(())
    });
    match handled {
        None | Some(Ok(())) => false,
        Some(Err(error)) => {
            RAISED.set(Some(error));
            true
        }
    }
}

/// What the handler raised.
pub(crate) fn raised() -> Option<PyErr> {
    RAISED.take()
}
