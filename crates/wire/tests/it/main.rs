//! What goes over the wire, byte by byte.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod camara_requests;
mod camara_responses;
mod profiles;
mod v0_client;
mod v0_requests;
mod v0_responses;
