//! What the ledger says some time after it was filled, held against what should have happened.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use greenwave_core::SessionId;
use jiff::Timestamp;
use rusqlite::Connection;

use super::Filled;
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
pub(crate) type Errors = BTreeMap<&'static str, u64>;

/// Looks whether each session that is over at this moment is history and was told of twice, and
/// each that is not is live and was told of once, always at the true time.
pub(crate) fn check(directory: &Path, filled: &Filled, at: Timestamp) -> Result<Errors, Failure> {
    let database = super::open(directory)?;
    let read = |error| Failure::new("cannot read the ledger", error);
    let mut told = read_events(&database).map_err(read)?;
    let mut errors = Errors::new();
    let mut note = |what, count| {
        if count > 0 {
            *errors.entry(what).or_default() += count;
        }
    };
    let mut over = 0;
    for number in 0..filled.plan().sessions {
        let is_over = filled.expires_at(number) <= at;
        over += u64::from(is_over);
        let events = told.remove(&filled.id(number)).unwrap_or_default();
        if let Some(what) = fault(events, filled, number, is_over) {
            note(what, 1);
        }
    }
    note("event of no session", told.len() as u64);
    let sessions = u64::from(filled.plan().sessions);
    let live = count(&database, "SELECT count(*) FROM live").map_err(read)?;
    note("session that is not history", live.saturating_sub(sessions - over));
    note("session that is not live", (sessions - over).saturating_sub(live));
    let history = count(&database, "SELECT count(DISTINCT id) FROM history").map_err(read)?;
    note("session that is lost", sessions.saturating_sub(history + live));
    Ok(errors)
}

/// What is wrong with the events of a session.
fn fault(mut events: Vec<Told>, filled: &Filled, number: u32, over: bool) -> Option<&'static str> {
    if filled.plan().receivers == 0 {
        return (!events.is_empty()).then_some("event for nobody");
    }
    events.sort_unstable();
    let at = |at: Timestamp| at.as_millisecond();
    let began = at(filled.plan().began);
    let available = Told { ordinal: 1, at_ms: began, status: 2, reason: None };
    let ended = at(filled.expires_at(number));
    let expired = Told { ordinal: 2, at_ms: ended, status: 3, reason: Some(1) };
    let expected = if over { vec![available, expired] } else { vec![available] };
    if events == expected {
        return None;
    }
    let twice = events.windows(2).any(|pair| pair[0].ordinal == pair[1].ordinal);
    let early = events.iter().any(|event| event.status == 3 && event.at_ms < ended);
    Some(match events.len() == expected.len() {
        _ if twice => "event id used twice",
        _ if early => "event of an end before its time",
        true if events.iter().zip(&expected).any(|(is, should)| is.at_ms != should.at_ms) => {
            "event with another time than the true one"
        }
        true => "event of another kind",
        false => "session with other events than it should have",
    })
}

/// All events, settled or not, by their sessions.
fn read_events(database: &Connection) -> Result<HashMap<SessionId, Vec<Told>>, rusqlite::Error> {
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

fn count(database: &Connection, sql: &str) -> Result<u64, rusqlite::Error> {
    let count: i64 = database.query_row(sql, [], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}
