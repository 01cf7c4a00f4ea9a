//! A world: its clock, its disk, its network and receivers, and what befalls the gateway in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use greenwave_core::clock::whole_millis;
use greenwave_core::{Clock, Owed};
use greenwave_ledger::MemoryDisk;
use greenwave_network::{Answer, Timer};
use jiff::Timestamp;
use std::sync::Mutex;
use tokio::time::Instant;

use crate::chance::Chance;
use crate::client::Clients;
use crate::network::SimulatedNetwork;
use crate::oracle::Oracle;
use crate::process::Process;
use crate::receiver::Receivers;

/// How long faults may happen.
const STEPS: u64 = 60;

/// Longer than a try to deliver can be put off.
const LONGEST_RETRY: Duration = Duration::from_secs(13 * 3_600);

/// Longer than it takes to find out that a device is back.
const LONGEST_ABSENCE: Duration = Duration::from_secs(1_000);

/// How much happened in a world, and a mark of everything that did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) sessions: u64,
    pub(crate) crashes: u64,
    pub(crate) events: u64,
    pub(crate) mark: u64,
}

/// What outlives the gateway.
pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) clock: Arc<WorldClock>,
    pub(crate) disk: MemoryDisk,
    pub(crate) network: Arc<SimulatedNetwork>,
    pub(crate) receivers: Arc<Receivers>,
    pub(crate) oracle: Arc<Oracle>,
    /// Whether things go wrong at the moment.
    pub(crate) faulty: Arc<AtomicBool>,
}

/// Time passes when nobody has anything to do. The wall clock, which a gateway reads when it
/// starts, may be set in between.
pub(crate) struct WorldClock {
    began: Instant,
    set_by_ms: Mutex<i64>,
}

impl WorldClock {
    /// Sets the wall clock: for a gateway that is not running.
    pub(crate) fn set_by(&self, millis: i64) {
        *self.set_by_ms.lock().unwrap() += millis;
    }

    fn beginning(&self) -> Timestamp {
        let set_by_ms = *self.set_by_ms.lock().unwrap();
        Timestamp::from_millisecond(1_800_000_000_000 + set_by_ms).unwrap()
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        whole_millis(self.beginning() + self.began.elapsed())
    }
}

impl Timer for WorldClock {
    fn sleep_until(&self, at: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            let left = at.duration_since(self.now());
            if left.is_positive() {
                tokio::time::sleep(left.unsigned_abs()).await;
            }
        })
    }
}

impl World {
    /// Lets a world begin, go on with everything that can happen, come to rest, and be judged.
    pub(crate) async fn live(seed: u64) -> Outcome {
        let chance = Chance::new(seed);
        // In some worlds nothing goes wrong: there, everything has to come at its time.
        let calm = chance.percent(10);
        let faulty = Arc::new(AtomicBool::new(!calm));
        let clock = Arc::new(WorldClock { began: Instant::now(), set_by_ms: Mutex::new(0) });
        let disk = MemoryDisk::default();
        let network = SimulatedNetwork::new(chance.clone(), Arc::clone(&faulty));
        let world = Arc::new(Self {
            receivers: Receivers::new(chance.clone(), Arc::clone(&faulty)),
            oracle: Oracle::new(disk.clone(), Arc::clone(&clock), calm, Arc::clone(&network)),
            network,
            chance,
            clock,
            disk,
            faulty,
        });
        let mut process = Process::start(&world).await;
        let mut crashes = 0;
        for _ in 0..STEPS {
            tokio::time::sleep(world.pause()).await;
            if !calm && world.chance.percent(6) {
                process.kill().await;
                world.between_two_lives().await;
                process = Process::start(&world).await;
                crashes += 1;
            } else if !calm && world.chance.percent(4) {
                world.network.disturb();
            } else if world.chance.percent(10) {
                world.network.come_and_go();
            } else {
                Clients::act(&world, &mut process);
            }
            process.look();
            world.judge();
        }
        world.come_to_rest().await;
        process.look();
        world.judge_at_rest();
        world.oracle.outcome(crashes, &world.receivers)
    }

    fn pause(&self) -> Duration {
        match self.chance.below(10) {
            0..=4 => self.chance.millis(0..20),
            5..=7 => self.chance.millis(0..2_000),
            8 => self.chance.millis(0..20_000),
            _ => self.chance.millis(0..90_000),
        }
    }

    /// The gateway is down for a while, and somebody may set the clock.
    async fn between_two_lives(&self) {
        if self.chance.percent(50) {
            tokio::time::sleep(self.pause()).await;
        }
        if self.chance.percent(10) {
            self.clock.set_by(self.chance.below(90_000) as i64 - 30_000);
        }
    }

    /// Nothing goes wrong any more, and time passes until there is nothing left to do.
    async fn come_to_rest(&self) {
        self.faulty.store(false, Ordering::SeqCst);
        self.network.all_come_back();
        // Calls that are under way, tries that were put off, two passes over the network.
        tokio::time::sleep(Duration::from_secs(200)).await;
        self.judge();
        let mut waited = Duration::ZERO;
        while !self.disk.outbox().is_empty() {
            assert!(waited < LONGEST_RETRY, "events are left: {:?}", self.disk.outbox());
            tokio::time::sleep(Duration::from_secs(600)).await;
            waited += Duration::from_secs(600);
        }
        // What has come back unheard of is found out by asking, however seldom that is.
        waited = Duration::ZERO;
        while self.disk.live().iter().any(|session| matches!(session.owed, Owed::Provision(_))) {
            assert!(waited < LONGEST_ABSENCE, "not put back: {:?}", self.disk.live());
            tokio::time::sleep(Duration::from_secs(10)).await;
            waited += Duration::from_secs(10);
        }
        // A session may be ending by itself at this very moment.
        for _ in 0..100 {
            if self.disk.live().iter().all(|session| session.owed == Owed::Nothing) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What holds at any moment.
    pub(crate) fn judge(&self) {
        self.oracle.judge();
    }

    /// What holds once nothing is under way.
    fn judge_at_rest(&self) {
        self.oracle.judge_at_rest(&self.network.rules(), &self.receivers.received());
    }
}
