//! The gateway, through its public doors: real HTTP over real sockets, a real ledger file, the
//! simulated network. In-process tests move the clock; those of the process use the real one.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod access;
mod attachment;
mod backup;
mod bad_input;
mod camara;
mod cli;
mod client;
mod delivery;
mod disk_full;
mod document;
mod drain;
mod faults;
mod fixture;
mod flood;
mod idempotency;
mod left_behind;
mod lifecycle;
mod listing;
mod mint;
mod oauth;
mod openapi;
mod overload;
mod process;
mod profiles;
mod program;
mod qos_profiles;
mod rates;
mod raw;
mod receiver;
mod reconcile;
mod refusals;
mod restart;
mod retention;
mod scopes;
mod sdk;
mod secrecy;
mod server;
mod tokens;
