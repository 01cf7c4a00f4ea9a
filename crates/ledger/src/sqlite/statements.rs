//! What the writer says to SQLite for each command, prepared once.

use rusqlite::{Connection, Statement};

use super::{outbox, row};
use crate::LedgerError;

/// A statement for each purpose.
pub(super) struct Statements<'db> {
    pub(super) insert_live: Statement<'db>,
    pub(super) insert_history: Statement<'db>,
    pub(super) update_live: Statement<'db>,
    pub(super) delete_live: Statement<'db>,
    pub(super) append_event: Statement<'db>,
    pub(super) retry_event: Statement<'db>,
    pub(super) deliver_event: Statement<'db>,
    pub(super) delete_event: Statement<'db>,
    pub(super) learn: Statement<'db>,
}

impl<'db> Statements<'db> {
    pub(super) fn prepare(db: &'db Connection) -> Result<Self, LedgerError> {
        Ok(Self {
            insert_live: db.prepare(&row::insert_into("live"))?,
            insert_history: db.prepare(&row::insert_into("history"))?,
            update_live: db.prepare(row::UPDATE_LIVE)?,
            delete_live: db.prepare("DELETE FROM live WHERE row = ?1")?,
            append_event: db.prepare(outbox::APPEND)?,
            retry_event: db.prepare(outbox::RETRY)?,
            deliver_event: db.prepare(outbox::DELIVER)?,
            delete_event: db.prepare("DELETE FROM outbox WHERE row = ?1")?,
            learn: db.prepare("INSERT INTO aliases (identifier, device) VALUES (?1, ?2)")?,
        })
    }
}
