//! What is on the disk: the tables of the ledger and the rules of the network, read from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use greenwave_core::SessionId;
use rusqlite::{Connection, OpenFlags, Row};

use crate::fixture::rules_in;

const AVAILABLE: u8 = 2;
const DELIVERED: u8 = 1;

/// Which event: the session's id and the event's ordinal.
pub(crate) type EventKey = (String, u8);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) live: BTreeMap<String, Kept>,
    pub(crate) history: BTreeMap<String, Kept>,
    /// The sessions that the network has rules for.
    pub(crate) rules: Vec<String>,
    pub(crate) waiting: BTreeSet<EventKey>,
    pub(crate) delivered: BTreeSet<EventKey>,
}

/// A session as it is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    phase: u8,
    owed: u8,
    pub(crate) duration_s: u64,
    pub(crate) started: bool,
    pub(crate) sink: bool,
    pub(crate) events: u8,
}

impl Books {
    /// Reads them, whether or not a gateway is using them.
    pub(crate) fn read(data: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let mut db = Connection::open_with_flags(data.join("ledger.db"), flags).unwrap();
        // All of it as of one commit.
        let db = db.transaction().unwrap();
        let mut books = Self { rules: rules_in(&data.join("network.jsonl")), ..Self::default() };
        for (table, into) in [("live", &mut books.live), ("history", &mut books.history)] {
            let sql = format!(
                "SELECT id, phase, owed, duration_s, started_ms IS NOT NULL, sink IS NOT NULL,
                     events FROM {table}"
            );
            for (id, kept) in rows(&db, &sql, kept) {
                assert!(into.insert(id, kept).is_none(), "a session is twice in {table}");
            }
        }
        let waiting = rows(&db, "SELECT session, ordinal FROM outbox", event);
        books.waiting = all_different(waiting);
        let delivered = rows(&db, "SELECT session, ordinal, outcome FROM deliveries", |row| {
            assert_eq!(row.get::<_, u8>(2)?, DELIVERED, "an event was given up");
            event(row)
        });
        books.delivered = all_different(delivered);
        books
    }

    /// What is still under way; `None` if nothing is.
    pub(crate) fn under_way(&self) -> Option<String> {
        if let Some((id, kept)) = self.live.iter().find(|(_, kept)| !kept.is_at_rest()) {
            return Some(format!("{id} is {kept:?}"));
        }
        if let Some(event) = self.waiting.first() {
            return Some(format!("{event:?} waits"));
        }
        let stray = self.rules.iter().find(|id| !self.live.contains_key(*id));
        if let Some(stray) = stray {
            return Some(format!("{stray} has a rule and is not live"));
        }
        let bare = self.live.keys().find(|id| self.rules.binary_search(id).is_err());
        bare.map(|id| format!("{id} is live and has no rule"))
    }

    /// All sessions, live ones and others.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = (&String, &Kept)> {
        self.live.iter().chain(&self.history)
    }
}

impl Kept {
    /// Whether it is available, and nothing is owed for it.
    fn is_at_rest(&self) -> bool {
        (self.phase, self.owed) == (AVAILABLE, 0)
    }
}

fn kept(row: &Row<'_>) -> rusqlite::Result<(String, Kept)> {
    let kept = Kept {
        phase: row.get(1)?,
        owed: row.get(2)?,
        duration_s: row.get::<_, i64>(3)?.unsigned_abs(),
        started: row.get(4)?,
        sink: row.get(5)?,
        events: row.get(6)?,
    };
    Ok((id(row)?, kept))
}

fn event(row: &Row<'_>) -> rusqlite::Result<EventKey> {
    Ok((id(row)?, row.get(1)?))
}

fn id(row: &Row<'_>) -> rusqlite::Result<String> {
    Ok(SessionId::from_bytes(row.get(0)?).to_string())
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

fn all_different(events: Vec<EventKey>) -> BTreeSet<EventKey> {
    let count = events.len();
    let events: BTreeSet<EventKey> = events.into_iter().collect();
    assert_eq!(events.len(), count, "an event is kept twice");
    events
}
