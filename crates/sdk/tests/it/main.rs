//! The client against a real gateway, with both executors; and what it does when a gateway is not
//! there, or not well.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::panic, reason = "a test that cannot go on has failed")]

mod gateway;
mod network;
mod scripted;
mod suite;
mod tutorial;
