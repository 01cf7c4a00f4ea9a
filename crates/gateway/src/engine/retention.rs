//! Erasing what has been over for longer than it is to be kept: a little at a time, so that nobody
//! waits for it.

use std::sync::Arc;
use std::time::Duration;

use greenwave_ledger::LedgerError;
use jiff::Timestamp;

use super::Engine;

/// How long after one look the next one begins.
const PERIOD: Duration = Duration::from_secs(60);

/// How many sessions and how many events are erased in one transaction.
const AT_ONCE: usize = 1_000;

/// Erases again and again, for as long as it is run.
pub(super) async fn keep(engine: Arc<Engine>) {
    let timer = Arc::clone(&engine.parts.timer);
    loop {
        match erase(&engine).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "erased what was over for long"),
            Err(error) => tracing::warn!(%error, "cannot erase what is over: trying again"),
        }
        timer.sleep_until(timer.now() + PERIOD).await;
    }
}

async fn erase(engine: &Engine) -> Result<usize, LedgerError> {
    let before = engine.parts.timer.now().checked_sub(engine.parts.retention);
    let before = before.unwrap_or(Timestamp::MIN);
    let mut erased = 0;
    loop {
        match engine.parts.ledger.erase(before, AT_ONCE).await? {
            0 => return Ok(erased),
            rows => erased += rows,
        }
    }
}
