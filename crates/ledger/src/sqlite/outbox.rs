//! The tables `outbox` and `deliveries`.

use greenwave_core::{ApplicationId, Event, EventId, SessionId, Sink};
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Statement, params};

use super::row::{Fields, reason_code, reason_of, status_code, status_of, timestamp};
use super::statements::Statements;
use crate::{LedgerError, Notification, OutboxId, Settlement};

pub(super) const APPEND: &str =
    "INSERT INTO outbox (row, session, ordinal, application, rules, at_ms, status, reason, sink,
         sink_credential, tries, next_try_ms)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?6)";

pub(super) const RETRY: &str =
    "UPDATE outbox SET tries = tries + 1, next_try_ms = ?1 WHERE row = ?2";

/// The credential is not kept: nobody is told any more.
pub(super) const DELIVER: &str =
    "INSERT INTO deliveries (session, ordinal, application, rules, at_ms, status, reason, sink,
         tries, settled_ms, outcome, note)
     SELECT session, ordinal, application, rules, at_ms, status, reason, sink, tries + 1, ?1, ?2, ?3
     FROM outbox WHERE row = ?4";

/// Appends an event that has a sink, due at once, under this key, which was never used before.
pub(super) fn append(
    append_event: &mut Statement<'_>,
    id: OutboxId,
    event: &Event,
) -> Result<(), LedgerError> {
    let Some(sink) = &event.sink else {
        return Err(LedgerError::Corrupt { what: "event without a sink" });
    };
    append_event.execute(params![
        id.0,
        event.id.session.as_bytes(),
        event.id.ordinal,
        event.application.0,
        event.rules.code(),
        event.at.as_millisecond(),
        status_code(event.status),
        event.reason.map(reason_code),
        sink.url.expose(),
        sink.credential.as_ref().map(|credential| &*credential.0),
    ])?;
    Ok(())
}

/// What is due before `horizon`. Only what is not settled is in the table, so it is short.
pub(super) fn due(
    db: &Connection,
    horizon: Timestamp,
) -> Result<Vec<(OutboxId, Timestamp)>, LedgerError> {
    let mut statement =
        db.prepare_cached("SELECT row, next_try_ms FROM outbox WHERE next_try_ms < ?1")?;
    let mut rows = statement.query([horizon.as_millisecond()])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        due.push((OutboxId(row.get(0)?), timestamp(row.get(1)?)?));
    }
    Ok(due)
}

/// How many notifications are not settled.
pub(super) fn count(db: &Connection) -> Result<usize, LedgerError> {
    let count: i64 =
        db.prepare_cached("SELECT count(*) FROM outbox")?.query_row([], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

pub(super) fn load(db: &Connection, id: OutboxId) -> Result<Option<Notification>, LedgerError> {
    db.prepare_cached(
        "SELECT session, ordinal, application, rules, at_ms, status, reason, sink,
             sink_credential, tries
         FROM outbox WHERE row = ?1",
    )?
    .query_row([id.0], |row| Ok(read(id, &mut Fields::of(row))))
    .optional()?
    .transpose()
}

fn read(id: OutboxId, fields: &mut Fields<'_>) -> Result<Notification, LedgerError> {
    let session = SessionId::from_bytes(fields.next()?);
    let event_id = EventId { session, ordinal: fields.next()? };
    let application = ApplicationId(fields.next()?);
    let rules = fields.next_rules()?;
    let at = fields.next_timestamp()?;
    let status = status_of(fields.next()?).ok_or(LedgerError::Corrupt { what: "status" })?;
    let reason = match fields.next::<Option<u8>>()? {
        Some(code) => Some(reason_of(code).ok_or(LedgerError::Corrupt { what: "reason" })?),
        None => None,
    };
    let (url, credential) = (fields.next_sink_url()?, fields.next_credential()?);
    let sink = url.map(|url| Sink { url, credential });
    let event = Event { id: event_id, application, rules, at, status, reason, sink };
    Ok(Notification { id, event, tries: fields.next()? })
}

/// Keeps what became of a try. A row that is gone has been settled before.
pub(super) fn settle(
    statements: &mut Statements<'_>,
    id: OutboxId,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<(), LedgerError> {
    reached(Point::LedgerBeforeSettle);
    match settlement {
        Settlement::Retry { next_at } => {
            statements.retry_event.execute(params![next_at.as_millisecond(), id.0])?;
        }
        Settlement::Done { outcome, note } => {
            let settled_ms = now.as_millisecond();
            statements.deliver_event.execute(params![settled_ms, outcome.code(), note, id.0])?;
            reached(Point::LedgerHalfSettled);
            statements.delete_event.execute([id.0])?;
        }
    }
    reached(Point::LedgerSettled);
    Ok(())
}
