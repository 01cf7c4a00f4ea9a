//! The table `replies`: in the order in which they were given, which is that of their rows.

use std::sync::Arc;

use greenwave_core::{ApplicationId, SessionId};
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Statement, params};

use crate::index::Replies;
use crate::once::KeptReply;
use crate::{Fingerprint, IdempotencyKey, LedgerError, Once, Reply};

pub(super) const APPEND: &str =
    "INSERT INTO replies (row, application, key, request, session, given_ms, text)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

pub(super) const DELETE: &str = "DELETE FROM replies WHERE row = ?1";

const ERASE: &str = "DELETE FROM replies
     WHERE row IN (SELECT row FROM replies ORDER BY row LIMIT ?2) AND given_ms < ?1";

/// Appends a reply under this row, which was never used before.
pub(super) fn append(
    append_reply: &mut Statement<'_>,
    row: i64,
    once: &Once,
    reply: &Reply,
    now: Timestamp,
) -> Result<(), LedgerError> {
    append_reply.execute(params![
        row,
        once.application.0,
        once.key.0,
        once.request.0,
        reply.session.as_bytes(),
        now.as_millisecond(),
        &*reply.text,
    ])?;
    reached(Point::LedgerReplyKept);
    Ok(())
}

/// Reads a reply; `None` if it has made room in the meantime.
pub(super) fn load(db: &Connection, row: i64) -> Result<Option<KeptReply>, LedgerError> {
    let select = "SELECT request, session, text FROM replies WHERE row = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let text: Arc<[u8]> = row.get_ref(2)?.as_blob()?.into();
        let reply = Reply { session: SessionId::from_bytes(row.get(1)?), text };
        Ok(KeptReply { request: Fingerprint(row.get(0)?), reply })
    };
    Ok(db.prepare_cached(select)?.query_row([row], read).optional()?)
}

/// Reads where all of them are.
pub(super) fn scan(db: &Connection, replies: &mut Replies) -> Result<(), LedgerError> {
    let select = "SELECT application, key, row, given_ms FROM replies ORDER BY row";
    let mut statement = db.prepare(select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (application, key) = (ApplicationId(row.get(0)?), IdempotencyKey(row.get(1)?));
        replies.put(application, key, row.get(2)?, row.get(3)?);
    }
    Ok(())
}

/// Erases what was given before this moment, at most so many, and tells how many there were.
pub(super) fn erase(
    db: &Connection,
    before: Timestamp,
    at_most: usize,
) -> Result<usize, LedgerError> {
    let mut erase = db.prepare_cached(ERASE)?;
    Ok(erase.execute(params![before.as_millisecond(), at_most as i64])?)
}
