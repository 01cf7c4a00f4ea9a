//! A disk that fails, and one that is left half-way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use greenwave_core::Standing;
use greenwave_ledger::{
    Answer, AtOnce, Ledger, LedgerError, Lookup, MemoryDisk, MemoryLedger, Pace, TransactError,
};
use tokio::sync::Notify;

use crate::fixture::{APPLICATION, ManualClock, at, create, device, id, names};

/// A disk on which a commit waits for leave, and may then be refused.
#[derive(Default)]
struct Slow {
    asked: Notify,
    leave: Notify,
    fails: AtomicBool,
}

impl Pace for Slow {
    fn before_commit(&self) -> Answer<'_, Result<(), LedgerError>> {
        Box::pin(async {
            self.asked.notify_one();
            self.leave.notified().await;
            if self.fails.load(Ordering::SeqCst) { Err(LedgerError::Busy) } else { Ok(()) }
        })
    }

    fn after_commit(&self) -> Answer<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

async fn assert_nothing(ledger: &MemoryLedger) {
    let session = id(1, device(1));
    assert_eq!(ledger.session(APPLICATION, session).await.unwrap(), Lookup::Unknown);
    assert!(ledger.sessions_of_device(APPLICATION, device(1)).await.unwrap().is_empty());
    assert!(ledger.deadlines(at(1_000)).await.unwrap().is_empty());
    assert_eq!(ledger.census().await.unwrap().sessions.count(Standing::Requested), 0);
    assert!(!ledger.device(&names(&[1], &[])).await.unwrap().unwrap().known);
}

#[tokio::test]
async fn nobody_sees_what_is_not_committed() {
    let (disk, pace) = (MemoryDisk::default(), Arc::new(Slow::default()));
    let ledger =
        Arc::new(MemoryLedger::open(disk.clone(), ManualClock::new(), Arc::clone(&pace) as _));
    let creating = tokio::spawn({
        let ledger = Arc::clone(&ledger);
        async move { ledger.transact(create(1, APPLICATION)).await }
    });
    pace.asked.notified().await;
    assert_nothing(&ledger).await;
    assert!(!creating.is_finished());

    pace.fails.store(true, Ordering::SeqCst);
    pace.leave.notify_one();
    let failed = creating.await.unwrap();
    assert!(matches!(failed, Err(TransactError::Ledger(LedgerError::Busy))), "{failed:?}");
    assert_nothing(&ledger).await;
    assert!(disk.live().is_empty());

    pace.fails.store(false, Ordering::SeqCst);
    pace.leave.notify_one();
    ledger.transact(create(1, APPLICATION)).await.unwrap();
    assert_eq!(disk.live().len(), 1);
}

#[tokio::test]
async fn a_ledger_that_dies_before_the_commit_leaves_nothing() {
    let (disk, pace) = (MemoryDisk::default(), Arc::new(Slow::default()));
    let ledger = MemoryLedger::open(disk.clone(), ManualClock::new(), Arc::clone(&pace) as _);
    tokio::select! {
        biased;
        result = ledger.transact(create(1, APPLICATION)) => panic!("{result:?}"),
        () = pace.asked.notified() => {}
    }
    drop(ledger);
    let again = MemoryLedger::open(disk, ManualClock::new(), Arc::new(AtOnce));
    assert_nothing(&again).await;
    again.transact(create(1, APPLICATION)).await.unwrap();
}
