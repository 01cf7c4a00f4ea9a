//! A session as a row of `live` or `history`, and back.

mod asked;
mod codes;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use greenwave_core::session::{Attempts, Course, End};
use greenwave_core::{
    ApplicationId, DeviceKey, Owed, Phase, Pii, RuleSetId, SealedCredential, Session, SessionId,
    Sink,
};
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Row, Statement};

use super::statements::Statements;
use crate::LedgerError;
use crate::index::{Entry, Owner};

pub(super) use codes::{reason_code, reason_of, status_code, status_of};

/// The columns that both tables have beside the row's key, in the order in which they are read.
const COLUMNS: &str = "id, device, application, rules, profile, asked, sink, sink_credential, \
     created_ms, duration_s, phase, started_ms, ended_ms, reason, readable_until_ms, owed, tries, \
     next_try_ms, events";

static SELECT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {COLUMNS} FROM live WHERE row = ?1"));

/// Writes what can change of a live session.
pub(super) const UPDATE_LIVE: &str =
    "UPDATE live SET duration_s = ?1, phase = ?2, started_ms = ?3, ended_ms = ?4, reason = ?5,
         readable_until_ms = ?6, owed = ?7, tries = ?8, next_try_ms = ?9, events = ?10
     WHERE row = ?11";

/// Appends a session to one of the two tables.
pub(super) fn insert_into(table: &str) -> String {
    let values = vec!["?"; 1 + COLUMNS.split(',').count()].join(", ");
    format!("INSERT INTO {table} (row, {COLUMNS}) VALUES ({values})")
}

/// Appends a live session under this key, which was never used before.
pub(super) fn insert(
    insert_live: &mut Statement<'_>,
    row: i64,
    session: &Session,
) -> Result<(), LedgerError> {
    let credential = session.asked.sink.as_ref().and_then(|sink| sink.credential.as_ref());
    append(insert_live, Some(row), session, credential)
}

/// Moves a session from `live` to `history`, without the credential: nobody is told any more.
pub(super) fn retire(
    statements: &mut Statements<'_>,
    row: i64,
    session: &Session,
) -> Result<(), LedgerError> {
    append(&mut statements.insert_history, None, session, None)?;
    reached(Point::LedgerHalfRetired);
    statements.delete_live.execute([row])?;
    Ok(())
}

fn append(
    insert: &mut Statement<'_>,
    row: Option<i64>,
    session: &Session,
    credential: Option<&SealedCredential>,
) -> Result<(), LedgerError> {
    let moving = Moving::of(session);
    insert.execute(rusqlite::params![
        row,
        session.id.as_bytes(),
        session.device.0,
        session.application.0,
        session.rules.code(),
        session.asked.profile.as_str(),
        asked::to_json(&session.asked)?,
        session.asked.sink.as_ref().map(|sink| &**sink.url.expose()),
        credential.map(|credential| &*credential.0),
        session.created_at.as_millisecond(),
        session.duration.as_secs() as i64,
        moving.phase,
        moving.started_ms,
        moving.ended_ms,
        moving.reason,
        moving.readable_until_ms,
        moving.owed,
        moving.tries,
        moving.next_try_ms,
        session.events,
    ])?;
    Ok(())
}

/// Writes what can change of a live session.
pub(super) fn update(
    update_live: &mut Statement<'_>,
    row: i64,
    session: &Session,
) -> Result<(), LedgerError> {
    let moving = Moving::of(session);
    update_live.execute(rusqlite::params![
        session.duration.as_secs() as i64,
        moving.phase,
        moving.started_ms,
        moving.ended_ms,
        moving.reason,
        moving.readable_until_ms,
        moving.owed,
        moving.tries,
        moving.next_try_ms,
        session.events,
        row,
    ])?;
    reached(Point::LedgerUpdated);
    Ok(())
}

/// The live session in this row; `None` if it has left in the meantime.
pub(super) fn load(db: &Connection, row: i64) -> Result<Option<Session>, LedgerError> {
    db.prepare_cached(&SELECT)?
        .query_row([row], |row| Ok(read(&mut Fields::of(row))))
        .optional()?
        .transpose()
}

/// Reads what the index has to know of all live sessions, and no more: there may be millions.
pub(super) fn scan(db: &Connection, mut found: impl FnMut(Entry)) -> Result<(), LedgerError> {
    let mut statement = db.prepare(
        "SELECT row, id, device, application, rules, created_ms, duration_s, phase, started_ms, ended_ms,
             reason, readable_until_ms, owed, tries, next_try_ms
         FROM live ORDER BY row",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let fields = &mut Fields::of(row);
        let row = fields.next()?;
        let id = SessionId::from_bytes(fields.next()?);
        let device = DeviceKey(fields.next()?);
        let application = ApplicationId(fields.next()?);
        let owner = Owner { device, application, subject: fields.next_rules()?.subject() };
        let created_at = fields.next_timestamp()?;
        let duration = Duration::from_secs(fields.next::<i64>()?.unsigned_abs());
        let moving = Moving::read(fields)?;
        let (phase, owed) = (moving.phase()?, moving.owed()?);
        let course = Course { created_at, duration, phase, owed };
        found(Entry::of(row, id, owner, course));
    }
    Ok(())
}

/// Reads all sessions of a table.
pub(super) fn each(
    db: &Connection,
    table: &str,
    mut found: impl FnMut(Session),
) -> Result<(), LedgerError> {
    let mut statement = db.prepare(&format!("SELECT {COLUMNS} FROM {table}"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found(read(&mut Fields::of(row))?);
    }
    Ok(())
}

/// The fields of a row, taken in their order: looking columns up by name is what a read would
/// spend most of its time on.
pub(super) struct Fields<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl<'a> Fields<'a> {
    pub(super) fn of(row: &'a Row<'a>) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn next<T: FromSql>(&mut self) -> Result<T, LedgerError> {
        self.next += 1;
        Ok(self.row.get(self.next - 1)?)
    }

    pub(super) fn next_str(&mut self) -> Result<&'a str, LedgerError> {
        self.next += 1;
        let field = self.row.get_ref(self.next - 1)?;
        Ok(field.as_str().map_err(rusqlite::Error::from)?)
    }

    pub(super) fn next_timestamp(&mut self) -> Result<Timestamp, LedgerError> {
        timestamp(self.next()?)
    }

    pub(super) fn next_sink_url(&mut self) -> Result<Option<Pii<Box<str>>>, LedgerError> {
        Ok(self.next::<Option<Box<str>>>()?.map(Pii::new))
    }

    pub(super) fn next_credential(&mut self) -> Result<Option<SealedCredential>, LedgerError> {
        Ok(self.next::<Option<Vec<u8>>>()?.map(|bytes| SealedCredential(bytes.into())))
    }

    pub(super) fn next_rules(&mut self) -> Result<RuleSetId, LedgerError> {
        RuleSetId::from_code(self.next()?).ok_or(LedgerError::Corrupt { what: "rule set" })
    }
}

fn read(fields: &mut Fields<'_>) -> Result<Session, LedgerError> {
    let id = SessionId::from_bytes(fields.next()?);
    let device = DeviceKey(fields.next()?);
    let application = ApplicationId(fields.next()?);
    let rules = fields.next_rules()?;
    let profile = fields.next_str()?;
    let asked = asked::from_json(fields.next_str()?)?;
    let (url, credential) = (fields.next_sink_url()?, fields.next_credential()?);
    let sink = url.map(|url| Sink { url, credential });
    let created_at = fields.next_timestamp()?;
    let duration = fields.next::<i64>()?.unsigned_abs();
    let moving = Moving::read(fields)?;
    Ok(Session {
        id,
        device,
        application,
        rules,
        asked: Arc::new(asked.into_asked(profile, sink)?),
        created_at,
        duration: Duration::from_secs(duration),
        phase: moving.phase()?,
        owed: moving.owed()?,
        events: fields.next()?,
    })
}

/// The part of a row that changes with the session's phase.
struct Moving {
    phase: u8,
    started_ms: Option<i64>,
    ended_ms: Option<i64>,
    reason: Option<u8>,
    readable_until_ms: Option<i64>,
    owed: u8,
    tries: u32,
    next_try_ms: Option<i64>,
}

impl Moving {
    fn of(session: &Session) -> Self {
        let millis = Timestamp::as_millisecond;
        let (phase, started_at, end) = match session.phase {
            Phase::Requested => (1, None, None),
            Phase::Available { started_at } => (2, Some(started_at), None),
            Phase::Ending(end) => (3, end.started_at, Some(end)),
            Phase::Ended(end) => (4, end.started_at, Some(end)),
        };
        let (owed, attempts) = match session.owed {
            Owed::Nothing => (0, None),
            Owed::Provision(attempts) => (1, Some(attempts)),
            Owed::Release(attempts) => (2, Some(attempts)),
        };
        Self {
            phase,
            started_ms: started_at.map(millis),
            ended_ms: end.map(|end| end.ended_at.as_millisecond()),
            reason: end.map(|end| reason_code(end.reason)),
            readable_until_ms: end.and_then(|end| end.readable_until).map(millis),
            owed,
            tries: attempts.map_or(0, |attempts| attempts.made),
            next_try_ms: attempts.map(|attempts| attempts.next_at.as_millisecond()),
        }
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, LedgerError> {
        Ok(Self {
            phase: fields.next()?,
            started_ms: fields.next()?,
            ended_ms: fields.next()?,
            reason: fields.next()?,
            readable_until_ms: fields.next()?,
            owed: fields.next()?,
            tries: fields.next()?,
            next_try_ms: fields.next()?,
        })
    }

    fn phase(&self) -> Result<Phase, LedgerError> {
        let started_at = self.started_ms.map(timestamp).transpose()?;
        match (self.phase, started_at) {
            (1, None) => Ok(Phase::Requested),
            (2, Some(started_at)) => Ok(Phase::Available { started_at }),
            (3, started_at) => Ok(Phase::Ending(self.end(started_at)?)),
            (4, started_at) => Ok(Phase::Ended(self.end(started_at)?)),
            _ => Err(LedgerError::Corrupt { what: "phase" }),
        }
    }

    fn end(&self, started_at: Option<Timestamp>) -> Result<End, LedgerError> {
        let (Some(reason), Some(ended_ms)) = (self.reason.and_then(reason_of), self.ended_ms)
        else {
            return Err(LedgerError::Corrupt { what: "end of a session" });
        };
        Ok(End {
            reason,
            started_at,
            ended_at: timestamp(ended_ms)?,
            readable_until: self.readable_until_ms.map(timestamp).transpose()?,
        })
    }

    fn owed(&self) -> Result<Owed, LedgerError> {
        let attempts = match self.next_try_ms {
            Some(next_ms) => Some(Attempts { made: self.tries, next_at: timestamp(next_ms)? }),
            None => None,
        };
        match (self.owed, attempts) {
            (0, None) => Ok(Owed::Nothing),
            (1, Some(attempts)) => Ok(Owed::Provision(attempts)),
            (2, Some(attempts)) => Ok(Owed::Release(attempts)),
            _ => Err(LedgerError::Corrupt { what: "debt of the network" }),
        }
    }
}

/// A time that is kept as milliseconds.
pub(super) fn timestamp(millis: i64) -> Result<Timestamp, LedgerError> {
    Timestamp::from_millisecond(millis).map_err(|_| LedgerError::Corrupt { what: "time" })
}
