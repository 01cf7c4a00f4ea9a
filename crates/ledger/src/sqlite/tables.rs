//! The tables, within a transaction of the writer.

use greenwave_core::{DeviceKey, Event, IdentifierKey, Session};
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use rusqlite::Connection;

use super::statements::Statements;
use super::{erasing, outbox, row};
use crate::recent::Recent;
use crate::transaction::Rows;
use crate::{LedgerError, OutboxId, Settlement};

/// The last keys that were given out.
///
/// SQLite would give out a key again once its row is deleted, and whoever still holds it would take
/// one session for another, or drop a notification as one that it has seen. So keys only rise, for
/// as long as anybody can hold one: this process's life.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastKeys {
    pub(super) live: i64,
    pub(super) outbox: i64,
}

impl LastKeys {
    /// Where a database that was just opened stands.
    pub(super) fn read(db: &Connection) -> Result<Self, LedgerError> {
        let last = |sql: &str| db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        Ok(Self {
            live: last("SELECT max(row) FROM live")?.unwrap_or(0),
            outbox: last("SELECT max(row) FROM outbox")?.unwrap_or(0),
        })
    }
}

pub(super) struct Tables<'a, 'db> {
    pub(super) db: &'db Connection,
    pub(super) statements: &'a mut Statements<'db>,
    pub(super) keys: &'a mut LastKeys,
    pub(super) recent: &'a Recent,
}

impl Rows for Tables<'_, '_> {
    fn load(&mut self, row: i64) -> Result<Session, LedgerError> {
        if let Some(session) = self.recent.get(row) {
            return Ok(session);
        }
        row::load(self.db, row)?.ok_or(LedgerError::Corrupt { what: "row of the index" })
    }

    fn insert(&mut self, session: &Session) -> Result<i64, LedgerError> {
        self.keys.live += 1;
        row::insert(&mut self.statements.insert_live, self.keys.live, session)?;
        reached(Point::LedgerInserted);
        Ok(self.keys.live)
    }

    fn update(&mut self, row: i64, session: &Session) -> Result<(), LedgerError> {
        row::update(&mut self.statements.update_live, row, session)
    }

    fn retire(&mut self, row: i64, session: &Session) -> Result<(), LedgerError> {
        row::retire(self.statements, row, session)
    }

    fn notify(&mut self, event: &Event) -> Result<OutboxId, LedgerError> {
        self.keys.outbox += 1;
        let id = OutboxId(self.keys.outbox);
        outbox::append(&mut self.statements.append_event, id, event)?;
        reached(Point::LedgerNotified);
        Ok(id)
    }

    fn settle(
        &mut self,
        id: OutboxId,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        outbox::settle(self.statements, id, settlement, now)
    }

    fn erase(&mut self, before: Timestamp, at_most: usize) -> Result<usize, LedgerError> {
        erasing::erase(self.db, before, at_most)
    }

    fn learn(&mut self, identifier: IdentifierKey, device: DeviceKey) -> Result<(), LedgerError> {
        self.statements.learn.execute([identifier.0, device.0])?;
        reached(Point::LedgerLearned);
        Ok(())
    }
}
