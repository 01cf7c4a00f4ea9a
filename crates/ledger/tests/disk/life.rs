//! The life of one ledger, from its opening to its close, with power cuts in between.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};
use std::thread::Thread;

use fastrand::Rng;
use greenwave_core::SessionId;
use greenwave_faultdisk::{Disk, Moment, Snapshot};
use greenwave_ledger::{SqliteLedger, Storage};

use crate::content;
use crate::fixture::ManualClock;
use crate::workload::{Story, Told, Workload};

/// How a life is lived.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) commands: usize,
    /// The number of the first new session.
    pub(crate) first_session: u32,
    /// One operation of the disk in so many sees a power cut.
    pub(crate) one_cut_in: u32,
    /// Whether each commit is synced, as it should be.
    pub(crate) synced: bool,
}

/// The power fails.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) snapshot: Snapshot,
    pub(crate) seconds: i64,
    /// What had been acknowledged.
    pub(crate) told: Told,
    /// Which of [`Life::contents`] had been acknowledged. The next may be on its way.
    pub(crate) committed: usize,
}

/// All that came to pass.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) cuts: Vec<Cut>,
    /// What the file held at the opening and after each commit.
    pub(crate) contents: Vec<String>,
    pub(crate) stories: HashMap<SessionId, Story>,
    pub(crate) next_session: u32,
}

/// What the disk's watcher and the test's own thread see.
struct Witness {
    directory: PathBuf,
    chance: Rng,
    one_cut_in: u32,
    /// There is none before the ledger is open, and after all is answered.
    workload: Option<Workload>,
    seconds: i64,
    told: Told,
    cuts: Vec<Cut>,
    contents: Vec<String>,
}

impl Plan {
    /// Lives in a directory, with what is already there.
    pub(crate) fn live(&self, directory: &Path) -> Life {
        let disk = Disk::new();
        let witness = Arc::new(Mutex::new(Witness {
            directory: directory.to_owned(),
            chance: Rng::with_seed(self.seed ^ 1),
            one_cut_in: self.one_cut_in,
            workload: None,
            seconds: 0,
            told: Told::default(),
            cuts: Vec::new(),
            contents: vec![content::read(directory).unwrap_or_default()],
        }));
        let watching = Arc::clone(&witness);
        disk.watch(move |moment| watching.lock().unwrap().see(moment));
        let clock = ManualClock::new();
        let storage = self.storage(&disk);
        let ledger = Arc::new(SqliteLedger::open_on(&storage, directory, clock.clone()).unwrap());
        let workload = Workload::new(self, Arc::clone(&ledger), clock, unpark_this_thread());
        witness.lock().unwrap().workload = Some(workload);
        while witness.lock().unwrap().keep_going() {
            std::thread::park();
        }
        let workload = witness.lock().unwrap().finish();
        assert!(workload.failures.is_empty(), "{:?}: {:?}", self, workload.failures);
        let (stories, next_session) = workload.into_stories();
        // Closing writes as well, and may be cut.
        drop(ledger);
        let mut witness = witness.lock().unwrap();
        let (cuts, contents) = (&mut witness.cuts, Vec::new());
        let cuts = std::mem::take(cuts);
        let contents = std::mem::replace(&mut witness.contents, contents);
        Life { cuts, contents, stories, next_session }
    }

    fn storage(&self, disk: &Disk) -> Storage {
        // Small logs are moved to the database often, large ones never.
        let pages = [8, 40, 1_000][(self.seed % 3) as usize];
        let synced = if self.synced { "" } else { "PRAGMA synchronous = NORMAL;" };
        let setup = format!("PRAGMA wal_autocheckpoint = {pages}; {synced}");
        Storage { vfs: Some(disk.vfs().to_owned()), setup }
    }
}

impl Witness {
    /// Before each operation of the disk, on the thread that wants it.
    fn see(&mut self, moment: Moment<'_>) {
        if let Some(workload) = &mut self.workload {
            workload.listen();
            self.remember();
        }
        if self.chance.u32(0..self.one_cut_in) == 0 {
            self.cuts.push(Cut {
                snapshot: moment.snapshot(),
                seconds: self.seconds,
                told: self.told.clone(),
                committed: self.contents.len() - 1,
            });
        }
        if let Some(workload) = &mut self.workload {
            workload.give_some();
        }
    }

    /// Notes what has been acknowledged, and what the file holds since.
    fn remember(&mut self) {
        let Some(workload) = &self.workload else { return };
        self.seconds = workload.seconds();
        if workload.told.answers > self.told.answers {
            self.told = workload.told.clone();
            self.contents.push(content::read(&self.directory).unwrap());
        }
    }

    fn keep_going(&mut self) -> bool {
        self.workload.as_mut().unwrap().keep_going()
    }

    fn finish(&mut self) -> Workload {
        self.remember();
        self.workload.take().unwrap()
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn unpark_this_thread() -> Waker {
    Waker::from(Arc::new(Unpark(std::thread::current())))
}
