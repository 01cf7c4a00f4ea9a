//! The disk's side of a commit: it takes its time, and may fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use greenwave_ledger::{Answer, LedgerError, Pace};

use crate::chance::Chance;
use crate::oracle::Oracle;
use crate::world::World;

pub(crate) struct SimulatedDisk {
    chance: Chance,
    oracle: Arc<Oracle>,
    faulty: Arc<AtomicBool>,
    /// Whether the process that writes is still there.
    alive: Arc<AtomicBool>,
}

impl SimulatedDisk {
    pub(crate) fn new(world: &World, alive: Arc<AtomicBool>) -> Self {
        let (chance, oracle) = (world.chance.clone(), Arc::clone(&world.oracle));
        Self { chance, oracle, faulty: Arc::clone(&world.faulty), alive }
    }

    async fn take_time(&self) {
        let faulty = self.faulty.load(Ordering::SeqCst);
        let longest = if faulty && self.chance.percent(3) { 1_500 } else { 4 };
        tokio::time::sleep(self.chance.millis(0..longest)).await;
    }
}

impl Pace for SimulatedDisk {
    fn before_commit(&self) -> Answer<'_, Result<(), LedgerError>> {
        Box::pin(async {
            self.take_time().await;
            if !self.alive.load(Ordering::SeqCst) {
                return std::future::pending().await;
            }
            let fails = self.faulty.load(Ordering::SeqCst) && self.chance.percent(2);
            if fails { Err(LedgerError::Busy) } else { Ok(()) }
        })
    }

    fn after_commit(&self) -> Answer<'_, ()> {
        Box::pin(async {
            self.oracle.judge();
            self.take_time().await;
        })
    }
}
