//! What every ledger does, and what only the one in a file does.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod agreement;
mod audit;
mod conformance;
mod fixture;
mod memory;
mod migration;
mod retention;
mod sqlite;
