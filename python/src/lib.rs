//! What the Python package `network_as_code` does in Rust: transport, retries, JSON and errors.
//! Its models are Python; it is not to be used without them.

mod bridge;
mod call;
mod client;
mod convert;
mod error;
mod runtime;

use pyo3::prelude::*;

/// The functions and classes of `network_as_code._core`.
#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::bridge::Bridge;
    #[pymodule_export]
    use crate::call::{Call, Started};
    #[pymodule_export]
    use crate::client::Client;
    #[pymodule_export]
    use crate::convert::{parse_session, receive};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("DEFAULT_BASE_URL", greenwave_sdk::DEFAULT_BASE_URL)
    }
}
