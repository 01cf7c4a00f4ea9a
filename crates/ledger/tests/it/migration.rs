//! A ledger that an earlier version has written.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use greenwave_core::decide::NetworkReport;
use greenwave_ledger::{Backup, Ledger, Page, Performed, Registry, SqliteLedger, audit, back_up};
use rusqlite::Connection;

use crate::fixture::{
    APPLICATION, ManualClock, at, create, create_for, delete, device, id, names, network, once,
};

const TABLES: [&str; 7] =
    ["live", "history", "outbox", "deliveries", "aliases", "applications", "keys"];

/// What led to the versions that `write_as` writes, after the first.
const STEPS: [&str; 2] = [
    include_str!("../../src/sqlite/migration/2.sql"),
    include_str!("../../src/sqlite/migration/3.sql"),
];

/// Writes what is in a ledger of today as an earlier version had written it.
fn write_as(version: u8, ledger: &Path, into: &Path) {
    let db = Connection::open(into).unwrap();
    db.pragma_update(None, "journal_mode", "WAL").unwrap();
    db.execute_batch(include_str!("schema_v1.sql")).unwrap();
    for (number, step) in (2..=version).zip(STEPS) {
        db.execute_batch(step).unwrap_or_else(|error| panic!("to {number}: {error}"));
    }
    db.execute("ATTACH ?1 AS today", [ledger.to_str().unwrap()]).unwrap();
    for table in TABLES {
        let columns = if table == "applications" { "id, name, created_ms" } else { "*" };
        let select = format!("SELECT {columns} FROM today.{table}");
        db.execute(&format!("INSERT INTO {table} {select}"), []).unwrap();
    }
    db.pragma_update(None, "application_id", 0x4757_6176).unwrap();
    db.pragma_update(None, "user_version", version).unwrap();
}

async fn everything(ledger: &SqliteLedger) -> impl PartialEq + std::fmt::Debug + use<> {
    let page = Page { index: 0, size: 100 };
    let sessions = ledger.sessions_of_application(APPLICATION, page).await.unwrap();
    let mut deadlines = ledger.deadlines(at(100_000)).await.unwrap();
    let outbox = ledger.outbox(at(100_000)).await.unwrap();
    deadlines.sort_unstable();
    (sessions, deadlines, outbox, ledger.applications().await.unwrap())
}

#[tokio::test]
async fn everything_is_there_after_an_upgrade_and_in_a_copy() {
    upgrade(1).await;
}

#[tokio::test]
async fn everything_is_there_after_the_latest_upgrade_alone() {
    upgrade(3).await;
}

#[tokio::test]
async fn everything_is_there_after_the_two_latest_upgrades() {
    upgrade(2).await;
}

async fn upgrade(version: u8) {
    let (today, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ledger = SqliteLedger::open(today.path(), ManualClock::new()).unwrap();
    for number in 1..=3 {
        ledger.transact(create(number, APPLICATION)).await.unwrap();
        let granted = network(id(number, device(1)), NetworkReport::Granted);
        ledger.transact(granted).await.unwrap();
    }
    ledger.transact(delete(id(1, device(1)), APPLICATION)).await.unwrap();
    ledger.transact(network(id(1, device(1)), NetworkReport::Released)).await.unwrap();
    let other = crate::fixture::asked("203.0.113.5");
    let aliased = create_for(4, APPLICATION, names(&[5], &[6]), device(5), other);
    ledger.transact(aliased).await.unwrap();
    ledger.application("shop".to_owned()).await.unwrap();
    let before = everything(&ledger).await;
    ledger.close().await;
    let path = old.path().join("ledger.db");
    write_as(version, &today.path().join("ledger.db"), &path);
    let sound = audit(old.path(), at(0), false).unwrap();
    assert_eq!(sound.findings, Vec::<String>::new(), "it can be looked at before the upgrade");

    let ledger = SqliteLedger::open(old.path(), ManualClock::new()).unwrap();
    assert_eq!(everything(&ledger).await, before);
    assert!(ledger.device(&names(&[6], &[])).await.unwrap().unwrap().known);
    let audit = audit(old.path(), at(0), false).unwrap();
    assert_eq!((audit.live, audit.history, audit.findings), (3, 1, vec![]));

    let first = ledger.transact_once(create(5, APPLICATION), once(APPLICATION, 1)).await.unwrap();
    assert!(matches!(first, Performed::Now(..)), "{first:?}");
    assert!(ledger.recall(&once(APPLICATION, 1)).await.unwrap().is_some());

    let copy = old.path().join(format!("ledger.db.v{version}.bak"));
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = Connection::open(copy).unwrap();
    let number = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("PRAGMA user_version"), i64::from(version));
    for (table, rows) in TABLES.into_iter().zip([3, 1, 4, 0, 1, 1, 0]) {
        assert_eq!(number(&format!("SELECT count(*) FROM {table}")), rows, "{table}");
    }
}

#[tokio::test]
async fn a_backup_of_an_earlier_version_is_of_use() {
    let (today, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ledger = SqliteLedger::open(today.path(), ManualClock::new()).unwrap();
    ledger.transact(create(1, APPLICATION)).await.unwrap();
    let before = everything(&ledger).await;
    ledger.close().await;
    write_as(1, &today.path().join("ledger.db"), &old.path().join("ledger.db"));
    let file = old.path().join("copy");
    back_up(old.path(), &file, "a secret", at(7)).unwrap();

    let backup = Backup::open(&file).unwrap();
    assert_eq!(backup.taken_at(), at(7));
    assert_eq!(backup.audit().unwrap().findings, Vec::<String>::new());
    let new = tempfile::tempdir().unwrap();
    assert_eq!(backup.unpack(new.path(), at(8), true).unwrap(), "a secret");
    let ledger = SqliteLedger::open(new.path(), ManualClock::new()).unwrap();
    assert_eq!(everything(&ledger).await, before);
    for entry in std::fs::read_dir(new.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(8).any(|bytes| bytes == b"a secret"));
    }
}
