//! Errors, as the exceptions of `network_as_code.errors`.

use greenwave_sdk::{Error, Refusal};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::call::raised;

/// What an exception is made from: `errors._of(kind, text, message, status, code, correlator, hint,
/// retry_after, body)`.
static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception of an error.
pub(crate) fn raise(error: Error) -> PyErr {
    if matches!(error, Error::Interrupted)
        && let Some(raised) = raised()
    {
        return raised;
    }
    let kind = match &error {
        Error::Invalid(_) => "invalid",
        Error::Refused(_) => "refused",
        Error::NoConnection { .. } => "no-connection",
        Error::NoAnswer { timed_out: true, .. } => "timed-out",
        Error::NoAnswer { .. } => "no-answer",
        Error::Ended { .. } => "ended",
        Error::NotYet { .. } => "not-yet",
        _ => "other",
    };
    let text = error.to_string();
    make(kind, &text, error.refusal().map_or(&text, Refusal::message), error.refusal())
}

/// The exception of something that cannot be right.
pub(crate) fn invalid(message: &str) -> PyErr {
    raise(Error::Invalid(message.to_owned()))
}

/// The exception of a notification from somebody else.
pub(crate) fn unauthorized(message: &str) -> PyErr {
    make("unauthorized", message, message, None)
}

/// `text` is all that is known; `message` is what the gateway says, if it does.
fn make(kind: &str, text: &str, message: &str, refusal: Option<&Refusal>) -> PyErr {
    Python::attach(|py| {
        let make = MAKE.get_or_try_init(py, || {
            py.import("network_as_code.errors")?.getattr("_of").map(Bound::unbind)
        });
        let exception = make.and_then(|make| {
            let arguments = (
                kind,
                text,
                message,
                refusal.map(Refusal::status),
                refusal.and_then(Refusal::code),
                refusal.and_then(Refusal::correlator),
                refusal.and_then(Refusal::hint),
                refusal.and_then(Refusal::retry_after).map(|pause| pause.as_secs_f64()),
                refusal.map(Refusal::body),
            );
            make.call1(py, arguments)
        });
        exception
            .map_or_else(|error| error, |exception| PyErr::from_value(exception.into_bound(py)))
    })
}
