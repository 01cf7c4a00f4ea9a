//! What only a ledger in a file has to do.

use std::sync::Arc;

use greenwave_core::decide::NetworkReport;
use greenwave_core::{Buckets, Standing};
use greenwave_ledger::{
    Ledger, LedgerError, Once, OpenError, Page, Performed, Registry, SqliteLedger, TransactError,
};
use rusqlite::Connection;

use crate::fixture::{
    APPLICATION, ManualClock, asked, at, create, create_for, delete, device, id, names, network,
    once,
};

fn open(directory: &tempfile::TempDir) -> Result<SqliteLedger, OpenError> {
    SqliteLedger::open(directory.path(), ManualClock::new())
}

#[tokio::test]
async fn everything_is_there_again_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(&directory).unwrap();
    for number in 1..=3 {
        ledger.transact(create(number, APPLICATION)).await.unwrap();
    }
    let aliased = create_for(4, APPLICATION, names(&[5], &[6]), device(5), asked("203.0.113.5"));
    ledger.transact(aliased).await.unwrap();
    let (first, second) = (id(1, device(1)), id(2, device(1)));
    ledger.transact(network(first, NetworkReport::Granted)).await.unwrap();
    ledger.transact(network(second, NetworkReport::Ended)).await.unwrap();
    ledger.transact(network(second, NetworkReport::Released)).await.unwrap();
    ledger.transact(delete(first, APPLICATION)).await.unwrap();
    let application = ledger.application("shop".to_owned()).await.unwrap();
    let before = everything(&ledger).await;
    drop(ledger);

    let ledger = open(&directory).unwrap();
    assert_eq!(everything(&ledger).await, before);
    let named = ledger.device(&names(&[6], &[])).await.unwrap().unwrap();
    assert_eq!((named.device, named.known), (device(5), true));
    assert_eq!(ledger.applications().await.unwrap(), [application]);
}

async fn everything(ledger: &SqliteLedger) -> impl PartialEq + std::fmt::Debug + use<> {
    let page = Page { index: 0, size: 100 };
    let sessions = ledger.sessions_of_application(APPLICATION, page).await.unwrap();
    let mut deadlines = ledger.deadlines(at(100_000)).await.unwrap();
    let mut owing =
        ledger.standing_as(&[Standing::Requested, Standing::Leaving], Buckets::ALL).await.unwrap();
    let outbox = ledger.outbox(at(100_000)).await.unwrap();
    deadlines.sort_unstable();
    owing.sort_unstable();
    (sessions, deadlines, owing, outbox)
}

#[tokio::test]
async fn a_closed_ledger_lets_go_of_its_directory_even_if_somebody_holds_it() {
    let directory = tempfile::tempdir().unwrap();
    let held = open(&directory).unwrap();
    held.transact(create(1, APPLICATION)).await.unwrap();
    held.close().await;
    let again = open(&directory).unwrap();
    assert_eq!(again.census().await.unwrap().sessions.count(Standing::Requested), 1);
    let refused = held.transact(create(2, APPLICATION)).await;
    assert!(matches!(refused, Err(TransactError::Ledger(LedgerError::Closed))));
}

#[test]
fn a_second_process_is_refused_and_told_about_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(&directory).unwrap();
    let Err(error) = open(&directory) else { panic!("opened twice") };
    let message = error.to_string();
    assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
    assert!(message.contains("--data"), "{message}");
    drop(ledger);
    open(&directory).unwrap();
}

#[test]
fn a_newer_ledger_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory).unwrap());
    let path = directory.path().join("ledger.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 5).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(open(&directory), Err(OpenError::NewerSchema { found: 5, known: 4, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn another_programs_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(open(&directory), Err(OpenError::NotALedger { .. })));
    std::fs::write(&path, "this is not a database, however long it may be").unwrap();
    assert!(matches!(open(&directory), Err(OpenError::NotALedger { .. })));
}

#[tokio::test]
async fn it_is_durable_and_stays_an_ordinary_database() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(&directory).unwrap();
    ledger.transact(create(1, APPLICATION)).await.unwrap();
    let db = Connection::open(directory.path().join("ledger.db")).unwrap();
    let text = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(text("PRAGMA journal_mode"), "wal");
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    assert_eq!(text("SELECT id FROM live_sessions"), id(1, device(1)).to_string());
    assert_eq!(text("SELECT phase FROM live_sessions"), "requested");
    let indexes = "SELECT count(*) || '' FROM sqlite_schema WHERE type = 'index'
                   AND tbl_name NOT IN ('applications')";
    assert_eq!(text(indexes), "0");
}

/// A reader that has found a session in the index must never find another one in its row.
#[tokio::test]
async fn a_row_is_never_given_out_again() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(&directory).unwrap();
    let db = Connection::open(directory.path().join("ledger.db")).unwrap();
    let mut rows = Vec::new();
    for number in 1..=3 {
        let session = id(number, device(1));
        ledger.transact(create(number, APPLICATION)).await.unwrap();
        rows.push(db.query_row("SELECT row FROM live", [], |row| row.get::<_, i64>(0)).unwrap());
        ledger.transact(delete(session, APPLICATION)).await.unwrap();
        ledger.transact(network(session, NetworkReport::Released)).await.unwrap();
    }
    assert!(rows.windows(2).all(|pair| pair[0] < pair[1]), "{rows:?}");
}

#[tokio::test]
async fn a_batch_that_fails_changes_nothing_and_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Arc::new(open(&directory).unwrap());
    ledger.transact(create(1, APPLICATION)).await.unwrap();
    // Another connection breaks a table, so that the batch fails after its first write.
    let db = Connection::open(directory.path().join("ledger.db")).unwrap();
    db.execute_batch("ALTER TABLE outbox RENAME TO gone").unwrap();
    let granted = network(id(1, device(1)), NetworkReport::Granted);
    let error = ledger.transact(granted.clone()).await.unwrap_err();
    assert!(matches!(error, TransactError::Ledger(LedgerError::Storage(_))), "{error}");
    db.execute_batch("ALTER TABLE gone RENAME TO outbox").unwrap();
    let committed = ledger.transact(granted).await.unwrap();
    assert_eq!(committed.outbox.len(), 1, "it was still requested");
}

#[tokio::test]
async fn closing_keeps_what_was_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Arc::new(open(&directory).unwrap());
    let mut waiting = Vec::new();
    for number in 1..=50 {
        let ledger = Arc::clone(&ledger);
        let create = create_for(
            number,
            APPLICATION,
            names(&[number as u8], &[]),
            device(number as u8),
            asked("203.0.113.5"),
        );
        waiting.push(tokio::spawn(async move { ledger.transact(create).await.is_ok() }));
    }
    for answer in waiting {
        assert!(answer.await.unwrap());
    }
    drop(ledger);
    let ledger = open(&directory).unwrap();
    assert_eq!(
        ledger
            .standing_as(&[Standing::Requested, Standing::Leaving], Buckets::ALL)
            .await
            .unwrap()
            .len(),
        50
    );
}

#[tokio::test]
async fn replies_are_there_after_a_restart_in_their_order() {
    let directory = tempfile::tempdir().unwrap();
    let few = |key| Once { at_most: 3, ..once(APPLICATION, key) };
    let carry_out = async |ledger: &SqliteLedger, number: u32| {
        ledger.transact_once(create(number, APPLICATION), few(number as u8)).await.unwrap()
    };
    let mut replies = Vec::new();
    for number in 1..=4 {
        let ledger = open(&directory).unwrap();
        let performed = carry_out(&ledger, number).await;
        let Performed::Now(_, Some(reply)) = performed else { panic!("{performed:?}") };
        replies.push(reply);
        drop(ledger);
    }
    let ledger = open(&directory).unwrap();
    assert_eq!(ledger.recall(&few(1)).await.unwrap(), None, "the oldest made room");
    for (key, reply) in (2..).zip(&replies[1..]) {
        let Performed::Before(again) = carry_out(&ledger, key).await else { panic!("{key}") };
        assert_eq!(again, *reply);
    }
    let db = Connection::open(directory.path().join("ledger.db")).unwrap();
    let count = db.query_row("SELECT count(*) FROM replies", [], |row| row.get::<_, i64>(0));
    assert_eq!(count.unwrap(), 3);
}
