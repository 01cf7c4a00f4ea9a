//! Opening the file: one process at a time, no version but ours, and settings that survive a
//! power cut.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use greenwave_crashpoint::{Point, reached};
use rusqlite::{Connection, OpenFlags};

use super::migration::{self, SCHEMA_VERSION};
use crate::{LedgerError, OpenError};

/// "GWav", by which `file` and people recognise the database.
pub(super) const APPLICATION_ID: i64 = 0x4757_6176;

/// Below this SQLite could lose a committed transaction when resetting its log.
const LOWEST_SQLITE: i32 = 3_051_003;

/// What the file is kept on, if not on the system's disks as they are. For tests.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct Storage {
    /// The name under which SQLite knows it.
    pub vfs: Option<String>,
    /// SQL for the connection that writes, once it is set up. It can take back what makes a commit
    /// durable.
    pub setup: String,
}

impl Storage {
    fn connect(&self, path: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
        match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str()),
            None => Connection::open_with_flags(path, flags),
        }
    }
}

/// The lock of a directory, for as long as it is held.
#[derive(Debug)]
pub struct DirectoryLock(#[expect(dead_code, reason = "dropping it unlocks")] File);

impl DirectoryLock {
    /// Takes the lock, or tells which process has it.
    pub fn take(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join("ledger.lock");
        let io = |source| OpenError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                file.read_to_string(&mut process).map_err(io)?;
                let path = directory.to_owned();
                return Err(OpenError::InUse { path, process: process.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        reached(Point::LedgerLocked);
        Ok(Self(file))
    }
}

/// Opens the database for writing, making it if there is none.
pub(super) fn open(storage: &Storage, path: &Path) -> Result<Connection, OpenError> {
    let unusable = |source: LedgerError| OpenError::Storage { path: path.to_owned(), source };
    if rusqlite::version_number() < LOWEST_SQLITE {
        return Err(unusable(LedgerError::Corrupt { what: "log of a SQLite before 3.51.3" }));
    }
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    make_private(path).map_err(io)?;
    reached(Point::LedgerFileMade);
    renew_log(path).map_err(io)?;
    let db = storage.connect(path, OpenFlags::default());
    let db = db.map_err(|error| unusable(error.into()))?;
    check_owner(&db, path)?;
    prepare(&db).map_err(unusable)?;
    db.execute_batch(&storage.setup).map_err(|error| unusable(error.into()))?;
    migration::bring_up_to_date(&db, path)?;
    reached(Point::LedgerFileOpened);
    Ok(db)
}

/// The ledger knows phone numbers, so it is its owner's alone, and so is whatever SQLite puts
/// beside it.
fn make_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

/// Writes the log over itself, and syncs it.
///
/// After a sync that failed the system takes the end of the log as written, though it may not be on
/// the disk, and no later sync brings it there. SQLite would find it, and go on behind it; the next
/// power cut would leave a gap, and what is behind a gap is lost.
fn renew_log(path: &Path) -> io::Result<()> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = match OpenOptions::new().read(true).write(true).open(log) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let (mut at, mut bytes) = (0, vec![0; 1 << 20]);
    loop {
        let count = log.read_at(&mut bytes, at)?;
        if count == 0 {
            return log.sync_all();
        }
        log.write_all_at(&bytes[..count], at)?;
        at += count as u64;
    }
}

/// Refuses what we would misread, before anything is written.
pub(super) fn check_owner(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let path: PathBuf = path.to_owned();
    let read = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let facts = || -> Result<_, rusqlite::Error> {
        let tables = read("SELECT count(*) FROM sqlite_schema")?;
        Ok((tables, read("PRAGMA application_id")?, read("PRAGMA user_version")?))
    };
    match facts() {
        Ok((0, _, _)) => Ok(()),
        Ok((_, APPLICATION_ID, found)) if found > SCHEMA_VERSION => {
            Err(OpenError::NewerSchema { path, found, known: SCHEMA_VERSION })
        }
        Ok((_, APPLICATION_ID, _)) => Ok(()),
        Ok(_) => Err(OpenError::NotALedger { path }),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            Err(OpenError::NotALedger { path })
        }
        Err(error) => Err(OpenError::Storage { path, source: error.into() }),
    }
}

fn prepare(db: &Connection) -> Result<(), LedgerError> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.set_prepared_statement_cache_capacity(64);
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == 0 {
        reached(Point::LedgerBeforeSchema);
        db.execute_batch(&format!(
            "BEGIN IMMEDIATE;\n{}\nPRAGMA application_id = {APPLICATION_ID};\n\
             PRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;",
            include_str!("schema.sql")
        ))?;
    }
    Ok(())
}

/// Opens the database for reading.
pub(super) fn open_reader(storage: &Storage, path: &Path) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = storage.connect(path, flags)?;
    db.set_prepared_statement_cache_capacity(16);
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_survives_a_power_cut() {
        let directory = tempfile::tempdir().unwrap();
        let db = open(&Storage::default(), &directory.path().join("ledger.db")).unwrap();
        let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        assert_eq!(pragma("synchronous").unwrap(), 2, "FULL");
        let journal: String =
            db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(journal, "wal");
    }
}
