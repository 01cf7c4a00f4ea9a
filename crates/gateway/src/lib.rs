//! The gateway: what stands between applications that ask for quality and networks that can give
//! it.
//!
//! The binary `greenwave` is a thin shell around [`cli`]; everything can also be started inside a
//! process ([`gateway::Gateway`]), which is how it is tested.

pub mod auth;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod delivery;
pub mod directory;
pub mod engine;
pub mod entropy;
pub mod gateway;
pub mod http;
pub mod metrics;
pub mod profiles;
pub mod rates;
pub mod sandbox;
pub mod secrets;
pub mod tokens;
