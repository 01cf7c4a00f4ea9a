//! The tables `applications` and `keys`.

use std::num::NonZeroU32;

use greenwave_core::ApplicationId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::row::timestamp;
use super::{SqliteLedger, ready};
use crate::{
    Answer, Application, ApplicationKey, KeyId, LedgerError, NewKey, RateLimit, Registry,
    RegistryError,
};

impl Registry for SqliteLedger {
    fn applications(&self) -> Answer<'_, Result<Vec<Application>, LedgerError>> {
        ready(self.readers.with(applications))
    }

    fn application(&self, name: String) -> Answer<'_, Result<Application, LedgerError>> {
        let made = self.write_registry(move |db, now| Ok(application(db, &name, now)?));
        Box::pin(async move {
            made.await.map_err(|error| match error {
                RegistryError::Ledger(error) => error,
                _ => LedgerError::Corrupt { what: "application" },
            })
        })
    }

    fn set_jwks(
        &self,
        id: ApplicationId,
        jwks: Option<String>,
    ) -> Answer<'_, Result<Application, RegistryError>> {
        self.write_registry(move |db, _| {
            let sql = "UPDATE applications SET jwks = ?2 WHERE id = ?1";
            db.execute(sql, params![id.0, jwks]).map_err(LedgerError::from)?;
            find_application(db, id)
        })
    }

    fn set_rate_limit(
        &self,
        id: ApplicationId,
        limit: Option<RateLimit>,
    ) -> Answer<'_, Result<Application, RegistryError>> {
        self.write_registry(move |db, _| {
            let (requests, per_s) =
                limit.map(|limit| (limit.requests.get(), limit.per_s.get())).unzip();
            let sql = "UPDATE applications SET limit_requests = ?2, limit_per_s = ?3 WHERE id = ?1";
            db.execute(sql, params![id.0, requests, per_s]).map_err(LedgerError::from)?;
            find_application(db, id)
        })
    }

    fn keys(&self) -> Answer<'_, Result<Vec<ApplicationKey>, LedgerError>> {
        ready(self.readers.with(keys))
    }

    fn add_key(
        &self,
        key: NewKey,
        limit: usize,
    ) -> Answer<'_, Result<ApplicationKey, RegistryError>> {
        self.write_registry(move |db, now| add_key(db, &key, limit, now))
    }

    fn revoke_key(&self, id: KeyId) -> Answer<'_, Result<ApplicationKey, RegistryError>> {
        self.write_registry(move |db, now| revoke_key(db, id, now))
    }
}

const SELECT_APPLICATIONS: &str =
    "SELECT id, name, created_ms, jwks, limit_requests, limit_per_s FROM applications";

pub(super) fn applications(db: &Connection) -> Result<Vec<Application>, LedgerError> {
    let mut statement = db.prepare_cached(&format!("{SELECT_APPLICATIONS} ORDER BY id"))?;
    let rows = statement.query_map([], |row| Ok(read_application(row)))?;
    rows.map(|row| row?).collect()
}

/// The application of this name, made if there is none.
pub(super) fn application(
    db: &Connection,
    name: &str,
    now: Timestamp,
) -> Result<Application, LedgerError> {
    db.execute(
        "INSERT INTO applications (name, created_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![name, now.as_millisecond()],
    )?;
    let select = format!("{SELECT_APPLICATIONS} WHERE name = ?1");
    db.query_row(&select, [name], |row| Ok(read_application(row)))?
}

fn find_application(db: &Connection, id: ApplicationId) -> Result<Application, RegistryError> {
    let select = format!("{SELECT_APPLICATIONS} WHERE id = ?1");
    let found = db.query_row(&select, [id.0], |row| Ok(read_application(row))).optional();
    let found = found.map_err(LedgerError::from)?;
    found.ok_or(RegistryError::UnknownApplication)?.map_err(RegistryError::from)
}

fn read_application(row: &Row<'_>) -> Result<Application, LedgerError> {
    let number = |column| {
        let number: Option<u32> = row.get(column)?;
        Ok::<_, LedgerError>(number.and_then(NonZeroU32::new))
    };
    Ok(Application {
        id: ApplicationId(row.get(0)?),
        name: row.get(1)?,
        created_at: timestamp(row.get(2)?)?,
        jwks: row.get(3)?,
        rate_limit: number(4)?
            .zip(number(5)?)
            .map(|(requests, per_s)| RateLimit { requests, per_s }),
    })
}

const SELECT_KEYS: &str =
    "SELECT id, application, hash, ending, label, created_ms, revoked_ms FROM keys";

pub(super) fn keys(db: &Connection) -> Result<Vec<ApplicationKey>, LedgerError> {
    let mut statement = db.prepare_cached(&format!("{SELECT_KEYS} ORDER BY id"))?;
    let rows = statement.query_map([], |row| Ok(read_key(row)))?;
    rows.map(|row| row?).collect()
}

pub(super) fn add_key(
    db: &Connection,
    key: &NewKey,
    limit: usize,
    now: Timestamp,
) -> Result<ApplicationKey, RegistryError> {
    let live: u32 = db
        .query_row(
            "SELECT count(*) FROM keys WHERE application = ?1 AND revoked_ms IS NULL",
            [key.application.0],
            |row| row.get(0),
        )
        .map_err(LedgerError::from)?;
    if live as usize >= limit {
        return Err(RegistryError::TooManyKeys);
    }
    db.execute(
        "INSERT INTO keys (application, hash, ending, label, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![key.application.0, key.hash, key.ending, key.label, now.as_millisecond()],
    )
    .map_err(LedgerError::from)?;
    find_key(db, db.last_insert_rowid())?.ok_or(RegistryError::UnknownKey)
}

pub(super) fn revoke_key(
    db: &Connection,
    id: KeyId,
    now: Timestamp,
) -> Result<ApplicationKey, RegistryError> {
    let revoked = db
        .execute(
            "UPDATE keys SET revoked_ms = ?1 WHERE id = ?2 AND revoked_ms IS NULL",
            params![now.as_millisecond(), id.0],
        )
        .map_err(LedgerError::from)?;
    if revoked == 0 {
        return Err(RegistryError::UnknownKey);
    }
    find_key(db, id.0.into())?.ok_or(RegistryError::UnknownKey)
}

fn find_key(db: &Connection, id: i64) -> Result<Option<ApplicationKey>, LedgerError> {
    db.query_row(&format!("{SELECT_KEYS} WHERE id = ?1"), [id], |row| Ok(read_key(row)))
        .optional()?
        .transpose()
}

fn read_key(row: &Row<'_>) -> Result<ApplicationKey, LedgerError> {
    Ok(ApplicationKey {
        id: KeyId(row.get(0)?),
        application: ApplicationId(row.get(1)?),
        hash: row.get(2)?,
        ending: row.get(3)?,
        label: row.get(4)?,
        created_at: timestamp(row.get(5)?)?,
        revoked_at: row.get::<_, Option<i64>>(6)?.map(timestamp).transpose()?,
    })
}
