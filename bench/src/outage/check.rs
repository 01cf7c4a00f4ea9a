//! What the ledger says afterwards, held against what should have happened.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use greenwave_core::SessionId;
use rusqlite::Connection as Database;

use super::fill::Filled;
use crate::Failure;

/// An event as the tables have it, but for its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    ordinal: u8,
    at_ms: i64,
    /// 2 available, 3 unavailable.
    status: u8,
    /// 1 expired.
    reason: Option<u8>,
}

/// What is wrong, and how often.
pub(super) type Errors = BTreeMap<&'static str, u64>;

/// Looks whether each session was told of twice and at its true times, and is history.
pub(super) fn check(directory: &Path, filled: &Filled) -> Result<Errors, Failure> {
    let database = super::open(directory)?;
    let read = |error| Failure::new("cannot read the ledger", error);
    let mut told = read_events(&database).map_err(read)?;
    let mut errors = Errors::new();
    let mut note = |what, count| *errors.entry(what).or_default() += count;
    for (session, duration) in &filled.sessions {
        let mut events = told.remove(session).unwrap_or_default();
        events.sort_unstable();
        let began = filled.started_at;
        let at = |at: jiff::Timestamp| at.as_millisecond();
        let available = Told { ordinal: 1, at_ms: at(began), status: 2, reason: None };
        let expired = Told { ordinal: 2, at_ms: at(began + *duration), status: 3, reason: Some(1) };
        match events[..] {
            [first, second] if first.ordinal == second.ordinal => note("event id used twice", 1),
            [first, second] if second.at_ms != expired.at_ms || first.at_ms != available.at_ms => {
                note("event with another time than the true one", 1);
            }
            [first, second] if (first, second) != (available, expired) => {
                note("event of another kind", 1);
            }
            [_, _] => {}
            _ => note("session that has not two events", 1),
        }
    }
    note("event of no session", told.len() as u64);
    let live = count(&database, "SELECT count(*) FROM live").map_err(read)?;
    note("session that is not history", live);
    let history = count(&database, "SELECT count(DISTINCT id) FROM history").map_err(read)?;
    note("session that is lost", (filled.sessions.len() as u64).saturating_sub(history + live));
    Ok(errors)
}

/// All events, settled or not, by their sessions.
fn read_events(database: &Database) -> Result<HashMap<SessionId, Vec<Told>>, rusqlite::Error> {
    let mut statement = database.prepare(
        "SELECT session, ordinal, at_ms, status, reason FROM deliveries
         UNION ALL SELECT session, ordinal, at_ms, status, reason FROM outbox",
    )?;
    let mut rows = statement.query([])?;
    let mut told: HashMap<SessionId, Vec<Told>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let (ordinal, at_ms) = (row.get(1)?, row.get(2)?);
        let event = Told { ordinal, at_ms, status: row.get(3)?, reason: row.get(4)? };
        told.entry(SessionId::from_bytes(row.get(0)?)).or_default().push(event);
    }
    Ok(told)
}

fn count(database: &Database, sql: &str) -> Result<u64, rusqlite::Error> {
    let count: i64 = database.query_row(sql, [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}
