//! Whether a ledger's file keeps the promises, read from outside: by a person's command, while the
//! gateway runs or not.

use std::collections::HashMap;
use std::path::Path;

use greenwave_core::{Session, SessionId, Standing};
use jiff::Timestamp;
use rusqlite::Connection;

use super::file::{self, Storage};
use super::{erasing, row};
use crate::LedgerError;

/// How many findings are told. One is enough to worry.
const MOST_FINDINGS: usize = 100;

/// What a look at a ledger's file has found.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Sessions that are not history.
    pub live: usize,
    /// Sessions that are.
    pub history: usize,
    /// Events, delivered or not.
    pub events: usize,
    /// What each session that is not history has to do with the network.
    pub standings: HashMap<SessionId, Standing>,
    /// What should not be, in words. At most a hundred of them.
    pub findings: Vec<String>,
}

/// Looks at the ledger in a directory, as it is at one moment.
///
/// `now` is gateway time or close to it; what is overdue by more than a minute is a finding only if
/// the gateway is `running`.
pub fn audit(directory: &Path, now: Timestamp, running: bool) -> Result<Audit, LedgerError> {
    audit_file(&directory.join("ledger.db"), now, running)
}

pub(super) fn audit_file(path: &Path, now: Timestamp, running: bool) -> Result<Audit, LedgerError> {
    let db = file::open_reader(&Storage::default(), path)?;
    // One transaction, so that all tables are of the same moment.
    db.execute_batch("BEGIN")?;
    let mut audit = Audit::default();
    check_pages(&db, &mut audit)?;
    let erased_before = erasing::erased_before(&db)?;
    let mut told = read_events(&db, &mut audit)?;
    let overdue = |deadline: Timestamp| now.duration_since(deadline).as_secs() > 60;
    row::each(&db, "live", |session| {
        audit.live += 1;
        if audit.standings.insert(session.id, session.standing()).is_some() {
            audit.find(format!("session {} is there twice", session.id));
        }
        if running && session.deadline().is_some_and(overdue) {
            audit.find(format!("session {} is overdue", session.id));
        }
        let events = told.remove(&session.id).unwrap_or_default();
        audit.compare(&session, events, erased_before);
    })?;
    row::each(&db, "history", |session| {
        audit.history += 1;
        if session.standing() != Standing::Over {
            audit.find(format!("session {} is history and not over", session.id));
        }
        if audit.standings.contains_key(&session.id) {
            audit.find(format!("session {} is history and live", session.id));
        }
        let events = told.remove(&session.id).unwrap_or_default();
        audit.compare(&session, events, erased_before);
    })?;
    for (session, events) in told {
        // An event that was settled late outlives its session.
        if events.iter().any(|event| event.at >= erased_before) {
            audit.find(format!("events of session {session}, which is not there"));
        }
    }
    Ok(audit)
}

impl Audit {
    fn find(&mut self, finding: String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        }
    }

    /// Each change of status has one event, if there is somebody to be told. Of a session that is
    /// older than what was erased, some may be gone.
    fn compare(&mut self, session: &Session, told: Vec<Told>, erased_before: Timestamp) {
        let mut told: Vec<u8> = told.into_iter().map(|told| told.ordinal).collect();
        told.sort_unstable();
        let has_sink = session.asked.sink.is_some();
        let mut expected: Vec<u8> = if has_sink { (1..=session.events).collect() } else { vec![] };
        if session.created_at < erased_before {
            expected.retain(|ordinal| told.contains(ordinal));
        }
        if told != expected {
            let id = session.id;
            self.find(format!("session {id} has the events {told:?}, not {expected:?}"));
        }
    }
}

fn check_pages(db: &Connection, audit: &mut Audit) -> Result<(), LedgerError> {
    let mut statement = db.prepare("PRAGMA integrity_check(10)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        if text != "ok" {
            audit.find(format!("the file is damaged: {text}"));
        }
    }
    Ok(())
}

/// An event as far as it is looked at.
struct Told {
    ordinal: u8,
    at: Timestamp,
}

/// Each session's events.
fn read_events(
    db: &Connection,
    audit: &mut Audit,
) -> Result<HashMap<SessionId, Vec<Told>>, LedgerError> {
    let mut told: HashMap<SessionId, Vec<Told>> = HashMap::new();
    let mut statement = db.prepare(
        "SELECT session, ordinal, at_ms FROM outbox
         UNION ALL SELECT session, ordinal, at_ms FROM deliveries",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        audit.events += 1;
        let event = Told { ordinal: row.get(1)?, at: row::timestamp(row.get(2)?)? };
        told.entry(SessionId::from_bytes(row.get(0)?)).or_default().push(event);
    }
    Ok(told)
}
