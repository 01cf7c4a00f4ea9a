//! Bringing a ledger up to date that an earlier version has written.
//!
//! Each step is one transaction, so whoever is interrupted goes on where it was. Before the first
//! one the file is copied, for whoever wants to go back.

use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::Connection;

use super::backup;
use crate::{LedgerError, OpenError};

/// What leads from version 1 to 2, from 2 to 3 and so on.
const STEPS: [&str; 3] = [
    include_str!("migration/2.sql"),
    include_str!("migration/3.sql"),
    include_str!("migration/4.sql"),
];

/// The version of `schema.sql`.
pub(super) const SCHEMA_VERSION: i64 = 1 + STEPS.len() as i64;

/// Takes the steps that are missing. The file is a ledger of this version or an earlier one.
pub(super) fn bring_up_to_date(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let storage = |source: LedgerError| OpenError::Storage { path: path.to_owned(), source };
    let version = db.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    let version = version.map_err(|error| storage(error.into()))?;
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    keep_copy(path, version)?;
    for (step, to) in STEPS.iter().zip(2..).filter(|&(_, to)| to > version) {
        db.execute_batch(&transaction(step, to)).map_err(|error| storage(error.into()))?;
    }
    Ok(())
}

fn transaction(step: &str, to: i64) -> String {
    format!("BEGIN IMMEDIATE;\n{step}\nPRAGMA user_version = {to};\nCOMMIT;")
}

/// Copies the file to `ledger.db.v1.bak` and the like. One that is there already was made when
/// this was tried before, and may be older than what is in the file.
fn keep_copy(path: &Path, version: i64) -> Result<(), OpenError> {
    let kept = path.with_extension(format!("db.v{version}.bak"));
    let unfinished = path.with_extension(format!("db.v{version}.bak.unfinished"));
    let io = |source| OpenError::Io { path: kept.clone(), source };
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    backup::copy(path, &unfinished)?;
    File::open(&unfinished).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&unfinished, &kept).map_err(io)?;
    backup::sync_directory_of(&kept).map_err(io)
}

#[cfg(test)]
mod tests {
    use rusqlite::Batch;
    use rusqlite::fallible_iterator::FallibleIterator;

    use super::*;
    use crate::sqlite::file;
    use crate::sqlite::file::Storage;

    /// What the first version wrote.
    const FIRST: &str = include_str!("../../tests/it/schema_v1.sql");

    fn first(directory: &Path) -> Connection {
        let db = Connection::open(directory.join("ledger.db")).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.execute_batch(FIRST).unwrap();
        db.pragma_update(None, "application_id", file::APPLICATION_ID).unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
        let application = "INSERT INTO applications (name, created_ms) VALUES ('shop', 7)";
        db.execute(application, []).unwrap();
        db
    }

    /// What is defined, without comments and without regard to how the lines are broken.
    fn schema(db: &Connection) -> Vec<(String, String)> {
        let plain = |sql: String| {
            let lines = sql.lines().map(|line| line.split("--").next().unwrap());
            let plain = lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
            plain.replace(" ,", ",").replace(" )", ")")
        };
        let mut statement =
            db.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).map(|(name, sql)| (name, plain(sql))).collect()
    }

    fn number(db: &Connection, sql: &str) -> i64 {
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Copies the files as they are, which is what a process that dies now leaves behind.
    fn left_by_a_kill(directory: &Path) -> tempfile::TempDir {
        let left = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(directory).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), left.path().join(file.file_name())).unwrap();
        }
        left
    }

    #[test]
    fn an_old_ledger_becomes_what_a_new_one_is() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(first(old.path()));
        let migrated = file::open(&Storage::default(), &old.path().join("ledger.db")).unwrap();
        let made = file::open(&Storage::default(), &new.path().join("ledger.db")).unwrap();
        assert_eq!(schema(&migrated), schema(&made));
        assert_eq!(number(&migrated, "PRAGMA user_version"), SCHEMA_VERSION);
    }

    /// Killed after any of its statements, a step has been taken or not, and is then taken.
    #[test]
    fn a_step_that_is_interrupted_is_untouched_or_done() {
        let mut interrupted = 0;
        for (step, to) in STEPS.iter().zip(2..) {
            let directory = tempfile::tempdir().unwrap();
            let db = first(directory.path());
            for (step, to) in STEPS.iter().zip(2..to) {
                db.execute_batch(&transaction(step, to)).unwrap();
            }
            let before = schema(&db);
            // So little memory that what is not committed is in the file already.
            db.pragma_update(None, "cache_size", 1).unwrap();
            let script = transaction(step, to);
            let mut batch = Batch::new(&db, &script);
            while let Some(mut statement) = batch.next().unwrap() {
                statement.raw_execute().unwrap();
                drop(statement);
                interrupted += 1;
                let left = left_by_a_kill(directory.path());
                let path = left.path().join("ledger.db");
                let found = Connection::open(&path).unwrap();
                let done = db.is_autocommit();
                assert_eq!(number(&found, "PRAGMA user_version"), if done { to } else { to - 1 });
                assert_eq!(schema(&found) == before, !done);
                drop(found);
                let db = file::open(&Storage::default(), &path).unwrap();
                assert_eq!(number(&db, "PRAGMA user_version"), SCHEMA_VERSION);
                assert_eq!(number(&db, "SELECT created_ms FROM applications"), 7);
            }
        }
        assert!(interrupted >= 4 * STEPS.len(), "{interrupted}");
    }

    #[test]
    fn a_step_that_fails_leaves_the_ledger_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let db = first(directory.path());
        let path = directory.path().join("ledger.db");
        // What the step is about to make is there already.
        db.execute_batch("CREATE TABLE erased (theirs)").unwrap();
        let before = schema(&db);
        assert!(matches!(file::open(&Storage::default(), &path), Err(OpenError::Storage { .. })));
        assert_eq!((number(&db, "PRAGMA user_version"), schema(&db)), (1, before));
        db.execute_batch("DROP TABLE erased").unwrap();
        file::open(&Storage::default(), &path).unwrap();
    }

    #[test]
    fn a_copy_is_kept_of_what_was_there_last() {
        let directory = tempfile::tempdir().unwrap();
        let db = first(directory.path());
        let path = directory.path().join("ledger.db");
        // Left by a try before, which did not come to its end.
        std::fs::write(path.with_extension("db.v1.bak"), "older").unwrap();
        std::fs::write(path.with_extension("db.v1.bak.unfinished"), "half").unwrap();
        let before = schema(&db);
        file::open(&Storage::default(), &path).unwrap();
        let kept = Connection::open(path.with_extension("db.v1.bak")).unwrap();
        assert_eq!((number(&kept, "PRAGMA user_version"), schema(&kept)), (1, before));
        assert_eq!(number(&kept, "SELECT created_ms FROM applications"), 7);
        assert!(!path.with_extension("db.v1.bak.unfinished").exists());
        file::open(&Storage::default(), &path).unwrap();
        drop(kept);
    }
}
