//! The JSON of each API version, to and from core values.
//!
//! A dialect translates and decides nothing: where APIs differ in a rule, the rule is a value of
//! core's `RuleSet`. Each dialect is a module with a file for each thing that goes over the wire.
//! Which HTTP status an error has is known in [`error`] only.

pub mod camara;
pub mod error;
mod json;
mod members;
mod ports;
#[cfg(feature = "openapi")]
pub mod schema;
mod server;
mod sink;
mod status;
pub mod v0;

pub use error::ErrorInfo;
pub use json::{MOST_NESTED, read, too_deep};
pub use sink::SinkCredential;
