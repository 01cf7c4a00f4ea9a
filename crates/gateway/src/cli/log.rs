//! The log: pretty for people at a terminal, JSON for everybody else. It goes to standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Starts the log at a level. Only our own crates speak in it: what libraries say of the bytes
/// that go through them may hold secrets.
pub(super) fn start(level: LevelFilter) {
    let own =
        ["greenwave", "greenwave_core", "greenwave_ledger", "greenwave_network", "greenwave_wire"];
    let filter = own.map(|name| format!("{name}={level}")).join(",");
    let filter = EnvFilter::builder().parse_lossy(filter);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // It fails only if there is a log already.
    let _ = if io::stderr().is_terminal() {
        log.with_target(false).try_init()
    } else {
        log.json().flatten_event(true).try_init()
    };
}
