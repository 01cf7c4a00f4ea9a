//! A ledger's copy in one file, and a ledger made from such a copy.
//!
//! The copy is an ordinary database too: what `ledger.db` held at one moment, without the remains
//! of what was erased, and a table `backup` with what is not in the ledger and has to come along.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::audit::{self, Audit};
use super::file::Storage;
use super::{file, row};
use crate::{LedgerError, OpenError};

/// What a copy has beside the tables of a ledger.
const SCHEMA: &str = "CREATE TABLE backup (taken_ms INTEGER NOT NULL, secret TEXT NOT NULL) STRICT";

/// What the gateway that was lost may have told of a session after the copy was taken: that a
/// requested one is available and then that it is not, and of an available one the latter. Whatever
/// is told of them from now on gets other numbers, so that no event is sent under the id of one
/// that somebody may have.
const PASS_OVER: &str = "
    INSERT INTO deliveries (session, ordinal, application, rules, at_ms, status, reason, sink,
        tries, settled_ms, outcome, note)
    SELECT id, events + step, application, rules, created_ms,
        CASE step WHEN 3 - phase THEN 3 ELSE 2 END, NULL, sink, 0, ?1, 2,
        'not sent: restored from a backup, may have been sent before'
    FROM live JOIN (SELECT 1 AS step UNION ALL SELECT 2) ON step <= 3 - phase
    WHERE sink IS NOT NULL ORDER BY live.row, step";

/// The numbers of [`PASS_OVER`] are gone.
const COUNT_PASSED_OVER: &str =
    "UPDATE live SET events = events + 3 - phase WHERE phase < 3 AND sink IS NOT NULL";

/// Why there is no copy, or nothing can be made of it. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something already where it should go.
    #[error("there is already something at {}: name another file", .0.display())]
    Exists(PathBuf),
    /// It was not written by a backup, or not to its end.
    #[error("{} is no backup: name a file that greenwave backup has written", .0.display())]
    NotABackup(PathBuf),
    /// The file is no ledger, of a newer version, or cannot be read or written.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Copies the ledger of a directory into one file, as it is at one moment, whether or not a gateway
/// is writing to it. `secret` goes along. The file is there whole and on the disk, or not at all.
pub fn back_up(
    directory: &Path,
    into: &Path,
    secret: &str,
    now: Timestamp,
) -> Result<(), BackupError> {
    if into.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(into.to_owned()));
    }
    let mut unfinished = into.as_os_str().to_owned();
    unfinished.push(format!(".{}.unfinished", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    let written = write(directory, &unfinished, secret, now).and_then(|()| {
        if into.symlink_metadata().is_ok() {
            return Err(BackupError::Exists(into.to_owned()));
        }
        let put = std::fs::rename(&unfinished, into).and_then(|()| sync_directory_of(into));
        Ok(put.map_err(|source| io_error(into, source))?)
    });
    if written.is_err() {
        // What is left of it is of no use to anybody.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

fn write(
    directory: &Path,
    unfinished: &Path,
    secret: &str,
    now: Timestamp,
) -> Result<(), BackupError> {
    let ledger = directory.join("ledger.db");
    copy(&ledger, unfinished)?;
    let storage = |source| storage_error(unfinished, source);
    let finish = || -> Result<(), LedgerError> {
        let db = Connection::open(unfinished)?;
        db.execute(SCHEMA, [])?;
        db.execute("INSERT INTO backup VALUES (?1, ?2)", params![now.as_millisecond(), secret])?;
        Ok(())
    };
    finish().map_err(storage)?;
    let sync = File::open(unfinished).and_then(|file| file.sync_all());
    Ok(sync.map_err(|source| io_error(unfinished, source))?)
}

/// Copies a ledger's file, as it is at one moment, to a file that must not be there yet.
pub(super) fn copy(ledger: &Path, into: &Path) -> Result<(), OpenError> {
    let db = file::open_reader(&Storage::default(), ledger)
        .map_err(|source| storage_error(ledger, source))?;
    file::check_owner(&db, ledger)?;
    // SQLite would make it readable for others; an empty file it fills.
    let make = OpenOptions::new().write(true).create_new(true).mode(0o600).open(into);
    make.map_err(|source| io_error(into, source))?;
    let name = into.to_str().ok_or_else(|| {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the name is not UTF-8");
        io_error(into, source)
    })?;
    let copied = db.execute("VACUUM INTO ?1", [name]);
    copied.map(drop).map_err(|error| storage_error(into, error.into()))
}

/// A file that a backup has written.
#[derive(Debug)]
pub struct Backup {
    path: PathBuf,
    taken_at: Timestamp,
}

impl Backup {
    /// Opens it for reading. It is not changed.
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let storage = |source| storage_error(path, source);
        File::open(path).map_err(|source| io_error(path, source))?;
        let db = file::open_reader(&Storage::default(), path).map_err(storage)?;
        file::check_owner(&db, path)?;
        let taken_ms: Option<i64> = db
            .query_row("SELECT taken_ms FROM backup", [], |row| row.get(0))
            .optional()
            .map_err(|_| BackupError::NotABackup(path.to_owned()))?;
        let taken_ms = taken_ms.ok_or_else(|| BackupError::NotABackup(path.to_owned()))?;
        let taken_at = row::timestamp(taken_ms).map_err(storage)?;
        Ok(Self { path: path.to_owned(), taken_at })
    }

    /// The moment that it shows.
    #[must_use]
    pub fn taken_at(&self) -> Timestamp {
        self.taken_at
    }

    /// Looks at it as [`audit()`](crate::audit()) does at a ledger of that moment.
    pub fn audit(&self) -> Result<Audit, LedgerError> {
        audit::audit_file(&self.path, self.taken_at, false)
    }

    /// Makes `ledger.db` of it in a directory that has none, and tells the secret that came along,
    /// which is not in the ledger. What goes wrong leaves a part behind.
    ///
    /// Unless events are to be sent `again`, the numbers of events that the gateway which was lost
    /// may have sent since are not used for others.
    pub fn unpack(
        &self,
        directory: &Path,
        now: Timestamp,
        again: bool,
    ) -> Result<String, OpenError> {
        let path = directory.join("ledger.db");
        let put = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            let mut ledger = options.write(true).create_new(true).mode(0o600).open(&path)?;
            io::copy(&mut File::open(&self.path)?, &mut ledger)?;
            ledger.sync_all()
        };
        put().map_err(|source| io_error(&path, source))?;
        let storage = |source| storage_error(&path, source);
        let secret = take_secret(&path).map_err(storage)?;
        let mut db = file::open(&Storage::default(), &path)?;
        if !again {
            pass_over(&mut db, now).map_err(storage)?;
        }
        sync_directory_of(&path).map_err(|source| io_error(&path, source))?;
        Ok(secret)
    }
}

/// Takes the secret out of the file, so that nothing is left of it.
fn take_secret(path: &Path) -> Result<String, LedgerError> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "secure_delete", true)?;
    let secret = db.query_row("SELECT secret FROM backup", [], |row| row.get(0))?;
    db.execute_batch("DROP TABLE backup")?;
    Ok(secret)
}

fn pass_over(db: &mut Connection, now: Timestamp) -> Result<(), LedgerError> {
    let transaction = db.transaction()?;
    transaction.execute(PASS_OVER, [now.as_millisecond()])?;
    transaction.execute(COUNT_PASSED_OVER, [])?;
    Ok(transaction.commit()?)
}

pub(super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn io_error(path: &Path, source: io::Error) -> OpenError {
    OpenError::Io { path: path.to_owned(), source }
}

fn storage_error(path: &Path, source: LedgerError) -> OpenError {
    OpenError::Storage { path: path.to_owned(), source }
}
