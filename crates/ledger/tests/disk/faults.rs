//! A sync fails, the disk is full, the disk is slow.

use std::sync::Arc;

use greenwave_faultdisk::Disk;
use greenwave_ledger::{
    Committed, Ledger, LedgerError, Lookup, SqliteLedger, Storage, TransactError, audit,
};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::fixture::{
    APPLICATION, ManualClock, asked, at, create, create_for, delete, device, id, names,
};
use crate::{content, scratch};

struct Fixture {
    disk: Disk,
    directory: TempDir,
    clock: Arc<ManualClock>,
    ledger: Arc<SqliteLedger>,
}

impl Fixture {
    /// A ledger whose log is moved to the database after so many pages.
    fn new(pages: u32) -> Self {
        let (disk, directory) = (Disk::new(), scratch());
        let clock = ManualClock::new();
        let ledger = open_on(&disk, &directory, &clock, pages);
        Self { disk, directory, clock, ledger }
    }

    /// The process ends and is started again; the system goes on, and so does what it remembers of
    /// the disk.
    fn start_anew(self) -> Self {
        let Self { disk, directory, clock, ledger } = self;
        drop(ledger);
        let ledger = open_on(&disk, &directory, &clock, 1_000);
        Self { disk, directory, clock, ledger }
    }

    async fn create(&self, number: u32) -> Result<Committed, TransactError> {
        self.ledger.transact(of_its_own(number)).await
    }

    async fn has(&self, ledger: &SqliteLedger, number: u32) -> bool {
        let found = ledger.session(APPLICATION, id(number, device(number as u8))).await.unwrap();
        matches!(found, Lookup::Found(_))
    }
}

fn open_on(
    disk: &Disk,
    directory: &TempDir,
    clock: &Arc<ManualClock>,
    pages: u32,
) -> Arc<SqliteLedger> {
    let setup = format!("PRAGMA wal_autocheckpoint = {pages}");
    let storage = Storage { vfs: Some(disk.vfs().to_owned()), setup };
    Arc::new(SqliteLedger::open_on(&storage, directory.path(), clock.clone()).unwrap())
}

/// A session of a device that has no other.
fn of_its_own(number: u32) -> greenwave_core::Command {
    let byte = number as u8;
    create_for(number, APPLICATION, names(&[byte], &[]), device(byte), asked("203.0.113.5"))
}

fn storage_failed<T>(result: &Result<T, TransactError>) -> bool {
    matches!(result, Err(TransactError::Ledger(LedgerError::Storage(_))))
}

fn is_full<T>(result: &Result<T, TransactError>) -> bool {
    matches!(result, Err(TransactError::Ledger(LedgerError::Full)))
}

/// What a failed sync has not brought to the disk, no other will. So the ledger stops at the first.
#[tokio::test]
async fn after_a_sync_that_failed_nothing_is_acknowledged_and_nothing_written() {
    for syncs in 0..20 {
        let fixture = Fixture::new(1_000);
        fixture.disk.fail_sync_after(syncs, syncs);
        let mut acknowledged = 0;
        let failed = loop {
            let result = fixture.create(acknowledged + 1).await;
            if result.is_err() {
                break result;
            }
            acknowledged += 1;
        };
        assert!(fixture.disk.has_failed() && storage_failed(&failed), "{failed:?}");
        let changes = fixture.disk.changes();
        let failure = fixture.ledger.failed().await;
        assert!(matches!(failure, LedgerError::Storage(_)), "{failure}");
        let refused = fixture.create(200).await;
        assert!(matches!(refused, Err(TransactError::Ledger(LedgerError::Closed))), "{refused:?}");
        let Fixture { disk, directory, ledger, .. } = fixture;
        drop(ledger);
        assert_eq!(disk.changes(), changes, "it went on writing after sync {syncs}");
        for seed in 0..10 {
            let after = scratch();
            disk.snapshot().cut(seed, after.path()).unwrap();
            all_are_there(&after, acknowledged).await;
        }
        all_are_there(&directory, acknowledged).await;
    }
}

/// The system takes what the failed sync was for as written, though it is not: whoever builds on it
/// after a new start would lose what comes after it.
#[tokio::test]
async fn a_new_start_after_a_failed_sync_builds_on_nothing_that_is_not_on_the_disk() {
    for seed in 0..20 {
        let fixture = Fixture::new(1_000);
        let (before, after) = (5, 5);
        for number in 1..=before {
            fixture.create(number).await.unwrap();
            // A connection that reads is left open, as in a gateway.
            assert!(fixture.has(&fixture.ledger, number).await);
        }
        fixture.disk.fail_sync_after(0, seed);
        assert!(storage_failed(&fixture.create(before + 1).await));
        let fixture = fixture.start_anew();
        let _unknown = fixture.create(before + 1).await;
        for number in before + 2..=before + after {
            fixture.create(number).await.unwrap();
        }
        let power_cut = scratch();
        fixture.disk.snapshot().cut(seed, power_cut.path()).unwrap();
        all_are_there(&power_cut, before + after).await;
    }
}

async fn all_are_there(directory: &TempDir, acknowledged: u32) {
    let ledger = SqliteLedger::open(directory.path(), ManualClock::new()).unwrap();
    for number in 1..=acknowledged {
        let found = ledger.session(APPLICATION, id(number, device(number as u8))).await.unwrap();
        assert!(matches!(found, Lookup::Found(_)), "session {number} of {acknowledged}");
    }
    let audit = audit(directory.path(), at(0), false).unwrap();
    assert!(audit.findings.is_empty(), "{:?}", audit.findings);
}

/// While the log is moved to the database, nothing depends on it: the log is still there.
#[tokio::test]
async fn a_failed_sync_of_the_database_alone_loses_nothing() {
    for syncs in 0..40 {
        let fixture = Fixture::new(4);
        fixture.disk.fail_sync_after(syncs, syncs);
        let mut acknowledged = 0;
        while acknowledged < 40 && fixture.create(acknowledged + 1).await.is_ok() {
            acknowledged += 1;
        }
        for seed in 0..4 {
            let after = scratch();
            fixture.disk.snapshot().cut(seed, after.path()).unwrap();
            all_are_there(&after, acknowledged).await;
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_what_needs_room_and_does_nothing_by_halves() {
    for room in [0, 500, 4_200, 9_000, 20_000] {
        for pages in [4, 1_000] {
            let fixture = Fixture::new(pages);
            fixture.create(1).await.unwrap();
            fixture.disk.leave_room(Some(room));
            let mut made = 1;
            let full = loop {
                let result = fixture.create(made + 1).await;
                if result.is_err() {
                    break result;
                }
                made += 1;
                assert!(made < 200, "it never was full");
            };
            assert!(is_full(&full), "{full:?}");
            let (ledger, directory) = (&fixture.ledger, fixture.directory.path());
            assert!(fixture.has(ledger, made).await && !fixture.has(ledger, made + 1).await);
            let before = content::read(directory).unwrap();
            let _ = ledger.transact(of_its_own(made + 2)).await;
            assert_eq!(content::read(directory).unwrap(), before);
            fixture.disk.leave_room(None);
            // It looks again after a second.
            fixture.clock.set(2);
            for number in [made + 1, made + 2] {
                fixture.create(number).await.unwrap();
            }
            let audit = audit(directory, at(0), true).unwrap();
            assert_eq!((audit.live, audit.findings), (made as usize + 2, vec![]));
        }
    }
}

/// How many syncs these commands take, when they are given while the disk is at another.
async fn syncs_of(fixture: &Fixture, commands: std::ops::Range<u32>) -> u64 {
    fixture.disk.hold_syncs();
    let mut under_way = JoinSet::new();
    let mut give = |number| {
        let ledger = Arc::clone(&fixture.ledger);
        under_way.spawn(async move { ledger.transact(of_its_own(number)).await.map(drop) });
    };
    let before = fixture.disk.syncs();
    let mut commands = commands;
    give(commands.next().unwrap());
    tokio::task::yield_now().await;
    fixture.disk.wait_for_held_sync();
    commands.for_each(give);
    tokio::task::yield_now().await;
    fixture.disk.release_syncs();
    while let Some(done) = under_way.join_next().await {
        done.unwrap().unwrap();
    }
    fixture.disk.syncs() - before
}

/// A slow disk does as much as a fast one if many wait for the same sync.
#[tokio::test]
async fn whoever_waits_for_a_slow_disk_waits_together() {
    let fixture = Fixture::new(1_000);
    let mut alone = 0;
    for number in 1..=64 {
        alone += syncs_of(&fixture, number..number + 1).await;
    }
    let together = syncs_of(&fixture, 65..129).await;
    assert!(alone >= 64, "each is synced: {alone}");
    assert!(alone >= together * 12, "{alone} syncs for 64 one by one, {together} together");
}

/// The room that is kept for what ends sessions is not on this disk, so it has none to give.
#[tokio::test]
async fn a_full_disk_refuses_deletes_as_well_and_goes_on_afterwards() {
    let fixture = Fixture::new(1_000);
    fixture.ledger.transact(create(1, APPLICATION)).await.unwrap();
    fixture.disk.leave_room(Some(0));
    let deleted = fixture.ledger.transact(delete(id(1, device(1)), APPLICATION)).await;
    assert!(is_full(&deleted), "{deleted:?}");
    fixture.disk.leave_room(None);
    fixture.ledger.transact(delete(id(1, device(1)), APPLICATION)).await.unwrap();
}
