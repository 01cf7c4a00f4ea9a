//! The ledger on a disk that loses what was not synced, fails, fills up, waits and rots.
//!
//! A seed that fails is printed, and finds the same again.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod content;
mod faults;
#[path = "../it/fixture.rs"]
#[expect(dead_code, reason = "made for another suite, which uses all of it")]
mod fixture;
mod found;
mod life;
mod power_cuts;
mod rot;
mod workload;

/// A directory in memory, if the system has such: what is lost is not up to it.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
