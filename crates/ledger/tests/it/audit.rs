//! The look at a ledger's file from outside.

use greenwave_core::Standing;
use greenwave_core::decide::NetworkReport;
use greenwave_ledger::{Audit, Ledger, SqliteLedger, audit};

use crate::fixture::{APPLICATION, ManualClock, at, create, delete, device, id, network};

/// A ledger with a session in each of three standings, and one that is history.
async fn filled() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::open(directory.path(), ManualClock::new()).unwrap();
    for number in 1..=4 {
        ledger.transact(create(number, APPLICATION)).await.unwrap();
        if number > 1 {
            let granted = network(id(number, device(1)), NetworkReport::Granted);
            ledger.transact(granted).await.unwrap();
        }
        if number > 2 {
            ledger.transact(delete(id(number, device(1)), APPLICATION)).await.unwrap();
        }
    }
    let released = network(id(4, device(1)), NetworkReport::Released);
    ledger.transact(released).await.unwrap();
    ledger.close().await;
    directory
}

/// What is found after somebody has had a hand in the file.
async fn after(sql: &str) -> Audit {
    let directory = filled().await;
    let db = rusqlite::Connection::open(directory.path().join("ledger.db")).unwrap();
    db.execute_batch(sql).unwrap();
    audit(directory.path(), at(0), true).unwrap()
}

#[tokio::test]
async fn a_sound_ledger_has_nothing_wrong() {
    let audit = after("").await;
    assert!(audit.findings.is_empty(), "{:?}", audit.findings);
    assert_eq!((audit.live, audit.history, audit.events), (3, 1, 5));
    for (number, standing) in
        [(1, Standing::Requested), (2, Standing::Honoured), (3, Standing::Leaving)]
    {
        assert_eq!(audit.standings[&id(number, device(1))], standing);
    }
}

#[tokio::test]
async fn what_is_wrong_is_found() {
    for (sql, finding) in [
        ("DELETE FROM outbox WHERE row = 1", "has the events"),
        ("INSERT INTO outbox SELECT 99, session, ordinal, application, rules, at_ms, status, reason,
          sink, sink_credential, tries, next_try_ms FROM outbox WHERE row = 1", "has the events"),
        ("UPDATE live SET row = row + 100; INSERT INTO live SELECT row - 100, id, device,
          application, rules, profile, asked, sink, sink_credential, created_ms, duration_s, phase,
          started_ms, ended_ms, reason, readable_until_ms, owed, tries, next_try_ms, events
          FROM live", "is there twice"),
        ("DELETE FROM history", "which is not there"),
        ("UPDATE history SET owed = 2, tries = 1, next_try_ms = 0", "history and not over"),
        ("UPDATE live SET started_ms = started_ms - 200000 WHERE phase = 2", "is overdue"),
    ] {
        let findings = after(sql).await.findings;
        assert!(findings.iter().any(|text| text.contains(finding)), "{sql}: {findings:?}");
    }
}
