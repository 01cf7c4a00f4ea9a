//! A gateway's process: everything that dies with it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use greenwave::delivery;
use greenwave::directory::SandboxDirectory;
use greenwave::engine::{Engine, Parts};
use greenwave::metrics::Metrics;
use greenwave::secrets::Secrets;
use greenwave_core::{Catalogue, CurrentCatalogue};
use greenwave_ledger::MemoryLedger;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::chance::Chance;
use crate::disk::SimulatedDisk;
use crate::network::Connection;
use crate::world::World;

/// The same in every world: it is read from a file, and reading it takes time.
static SECRETS: LazyLock<Arc<Secrets>> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    Arc::new(Secrets::open(directory.path(), &Chance::new(0)).unwrap())
});

pub(crate) struct Process {
    pub(crate) engine: Arc<Engine>,
    pub(crate) requests: JoinSet<()>,
    workers: JoinSet<()>,
    delivery: JoinSet<()>,
    alive: Arc<AtomicBool>,
}

impl Process {
    pub(crate) async fn start(world: &Arc<World>) -> Self {
        let alive = Arc::new(AtomicBool::new(true));
        let disk = SimulatedDisk::new(world, Arc::clone(&alive));
        let clock = Arc::clone(&world.clock);
        let ledger = MemoryLedger::open(world.disk.clone(), clock, Arc::new(disk));
        let parts = Parts {
            ledger: Arc::new(ledger),
            network: Arc::new(Connection::open(&world.network)),
            directory: Arc::new(SandboxDirectory::new(Arc::clone(&SECRETS))),
            catalogue: Arc::new(CurrentCatalogue::new(Catalogue::nokia())),
            secrets: Arc::clone(&SECRETS),
            entropy: Arc::new(world.chance.clone()),
            timer: Arc::clone(&world.clock) as _,
            retention: Duration::from_secs(30 * 86_400),
            metrics: Arc::new(Metrics::default()),
        };
        let (engine, workers) = Engine::start(parts);
        let mut delivery = JoinSet::new();
        let couriers = Arc::clone(&world.receivers);
        let never = CancellationToken::new();
        delivery.spawn(delivery::deliver(Arc::clone(&engine), couriers, never));
        Self { engine, requests: JoinSet::new(), workers, delivery, alive }
    }

    /// Nothing of it does anything from this moment on.
    pub(crate) async fn kill(mut self) {
        self.look();
        self.alive.store(false, Ordering::SeqCst);
        for tasks in [&mut self.requests, &mut self.delivery, &mut self.workers] {
            tasks.shutdown().await;
        }
    }

    /// A promise that was broken before a client's eyes is broken, and no worker may end.
    pub(crate) fn look(&mut self) {
        while let Some(request) = self.requests.try_join_next() {
            request.unwrap();
        }
        for workers in [&mut self.workers, &mut self.delivery] {
            if let Some(ended) = workers.try_join_next() {
                panic!("a worker has come to an end: {ended:?}");
            }
        }
    }
}
