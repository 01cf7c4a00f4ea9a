//! What is erased leaves room and no doubt.

use greenwave_core::decide::NetworkReport;
use greenwave_core::{Command, SessionId};
use greenwave_ledger::{Ledger, OutboxId, Outcome, Settlement, SqliteLedger, audit};
use rusqlite::Connection;

use crate::fixture::{
    APPLICATION, ManualClock, asked, at, create_for, delete, device, id, names, network,
};

const DAY: i64 = 86_400;

async fn settle_all(ledger: &SqliteLedger) {
    let waiting: Vec<OutboxId> =
        ledger.outbox(at(1_000 * DAY)).await.unwrap().into_iter().map(|(id, _)| id).collect();
    for id in waiting {
        let done = Settlement::Done { outcome: Outcome::Delivered, note: "204".to_owned() };
        ledger.settle(id, done).await.unwrap();
    }
}

/// A session that is available.
async fn live(ledger: &SqliteLedger, number: u32) -> SessionId {
    let device = device(number as u8);
    let names = names(&[number as u8], &[]);
    let create = create_for(number, APPLICATION, names, device, asked("203.0.113.5"));
    ledger.transact(create).await.unwrap();
    let id = id(number, device);
    ledger.transact(network(id, NetworkReport::Granted)).await.unwrap();
    id
}

async fn end(ledger: &SqliteLedger, id: SessionId) {
    ledger.transact(delete(id, APPLICATION)).await.unwrap();
    ledger.transact(network(id, NetworkReport::Released)).await.unwrap();
}

#[tokio::test]
async fn the_file_stops_growing() {
    let (directory, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let ledger = SqliteLedger::open(directory.path(), clock.clone()).unwrap();
    let mut pages = Vec::new();
    for day in 0..8 {
        clock.set(day * DAY);
        for number in 0..30 {
            let id = live(&ledger, day as u32 * 30 + number).await;
            end(&ledger, id).await;
        }
        settle_all(&ledger).await;
        while ledger.erase(at((day - 2) * DAY), 1_000).await.unwrap() > 0 {}
        let db = Connection::open(directory.path().join("ledger.db")).unwrap();
        pages.push(db.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).unwrap());
    }
    assert!(pages[2] > pages[0] + 4, "{pages:?}");
    assert!(pages[7] <= pages[4] + 2, "{pages:?}");
}

#[tokio::test]
async fn the_audit_knows_what_was_erased_and_misses_what_was_not() {
    let (directory, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let ledger = SqliteLedger::open(directory.path(), clock.clone()).unwrap();
    // One lives on without its first event, of another the last event is settled late.
    let lasting = live(&ledger, 1).await;
    let late = live(&ledger, 2).await;
    let gone = live(&ledger, 3).await;
    settle_all(&ledger).await;
    end(&ledger, gone).await;
    settle_all(&ledger).await;
    end(&ledger, late).await;
    clock.set(5 * DAY);
    settle_all(&ledger).await;
    let young = live(&ledger, 4).await;
    settle_all(&ledger).await;
    assert!(ledger.erase(at(3 * DAY), 1_000).await.unwrap() > 0);
    let sound = audit(directory.path(), at(5 * DAY), false).unwrap();
    assert_eq!((sound.live, sound.history, sound.findings), (2, 0, vec![]));
    ledger.transact(Command::Due { session: lasting }).await.unwrap();
    ledger.transact(network(lasting, NetworkReport::Released)).await.unwrap();
    let sound = audit(directory.path(), at(5 * DAY), false).unwrap();
    assert_eq!(sound.findings, Vec::<String>::new());

    let db = Connection::open(directory.path().join("ledger.db")).unwrap();
    db.execute("DELETE FROM deliveries WHERE session = ?1", [young.as_bytes()]).unwrap();
    let wrong = audit(directory.path(), at(5 * DAY), false).unwrap();
    assert_eq!(wrong.findings.len(), 1, "{:?}", wrong.findings);
    end(&ledger, young).await;
    db.execute("DELETE FROM history", []).unwrap();
    let wrong = audit(directory.path(), at(5 * DAY), false).unwrap();
    assert!(wrong.findings[0].contains("which is not there"), "{:?}", wrong.findings);
}
