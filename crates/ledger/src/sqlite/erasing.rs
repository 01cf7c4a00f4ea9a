//! Erasing what is over, the oldest first. Rows are in the order in which they were over, so they
//! are found at the beginning of their tables; the file keeps their pages for others.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::row::timestamp;
use crate::LedgerError;

const ERASE_SESSIONS: &str = "DELETE FROM history
     WHERE row IN (SELECT row FROM history ORDER BY row LIMIT ?2) AND ended_ms < ?1";

const ERASE_EVENTS: &str = "DELETE FROM deliveries
     WHERE row IN (SELECT row FROM deliveries ORDER BY row LIMIT ?2) AND settled_ms < ?1";

/// Erases sessions that ended and events that were settled before this moment, at most so many of
/// each, and tells how many there were of both.
pub(super) fn erase(
    db: &Connection,
    before: Timestamp,
    at_most: usize,
) -> Result<usize, LedgerError> {
    let before_ms = before.as_millisecond();
    let mut erased = 0;
    for sql in [ERASE_SESSIONS, ERASE_EVENTS] {
        erased += db.prepare_cached(sql)?.execute(params![before_ms, at_most as i64])?;
    }
    if erased > 0 {
        db.prepare_cached("UPDATE erased SET before_ms = max(before_ms, ?1)")?
            .execute([before_ms])?;
    }
    Ok(erased)
}

/// The moment before which something may have been erased.
pub(super) fn erased_before(db: &Connection) -> Result<Timestamp, LedgerError> {
    let is_kept = "SELECT 1 FROM sqlite_schema WHERE name = 'erased'";
    if db.query_row(is_kept, [], |_| Ok(())).optional()?.is_none() {
        // The first version erased nothing.
        return Ok(Timestamp::MIN);
    }
    timestamp(db.query_row("SELECT before_ms FROM erased", [], |row| row.get(0))?)
}
