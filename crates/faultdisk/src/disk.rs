//! The disk as a test sees it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

use fastrand::Rng;

use crate::image::{Images, Inode, Snapshot};
use crate::vfs::Registration;

/// A disk, as a VFS of SQLite. It takes the files of one directory.
///
/// Nothing of it is synced in truth: the power does not fail in truth either.
#[derive(Debug)]
pub struct Disk {
    state: Arc<State>,
    registration: Registration,
}

/// Something that is about to change what is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Bytes of a file.
    Write,
    /// The length of a file.
    Truncate,
    /// All that was not synced of a file.
    Sync,
    /// The name of a file.
    Delete,
}

/// The moment before an operation.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// What is about to happen.
    pub operation: Operation,
    state: &'a State,
}

impl Moment<'_> {
    /// The disk as it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.state.snapshot()
    }
}

type Watcher = Box<dyn FnMut(Moment<'_>) + Send>;

/// What the VFS and its files share with the test.
#[derive(Default)]
pub(crate) struct State {
    images: Mutex<Images>,
    watcher: Mutex<Option<Watcher>>,
    faults: Mutex<Faults>,
    /// Told when syncs are held no longer, and when one has begun to wait.
    held: Condvar,
    changes: AtomicU64,
    syncs: AtomicU64,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Faults {
    /// How many syncs there are until one fails.
    sync_fails_after: Option<(u64, Rng)>,
    /// How many bytes the files may take.
    room: Option<u64>,
    holds_syncs: bool,
    syncs_waiting: usize,
}

/// Why the disk does not do what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Full,
    SyncFailed,
}

impl Disk {
    /// A disk with nothing on it. What is found in the directory is taken as being there for good.
    pub fn new() -> Self {
        let state = Arc::new(State::default());
        let registration = Registration::new(Arc::downgrade(&state));
        Self { state, registration }
    }

    /// The name under which SQLite knows it.
    pub fn vfs(&self) -> &str {
        self.registration.name()
    }

    /// Has this called before each operation, on the thread that wants it, until another takes its
    /// place. What it does to the disk itself is not told.
    pub fn watch(&self, watcher: impl FnMut(Moment<'_>) + Send + 'static) {
        *lock(&self.state.watcher) = Some(Box::new(watcher));
    }

    /// The disk as it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.state.snapshot()
    }

    /// How many operations there were that succeeded.
    pub fn changes(&self) -> u64 {
        self.state.changes.load(Ordering::SeqCst)
    }

    /// How many of them were syncs.
    pub fn syncs(&self) -> u64 {
        self.state.syncs.load(Ordering::SeqCst)
    }

    /// Has one sync fail, after so many more that succeed. What it was for is lost, as on Linux:
    /// the next sync succeeds and knows nothing of it. The seed decides what is lost of it.
    pub fn fail_sync_after(&self, syncs: u64, seed: u64) {
        lock(&self.state.faults).sync_fails_after = Some((syncs, Rng::with_seed(seed)));
    }

    /// Whether the sync that was to fail has failed.
    pub fn has_failed(&self) -> bool {
        lock(&self.state.faults).sync_fails_after.is_none()
    }

    /// Leaves so many more bytes for all files together, or room without end.
    pub fn leave_room(&self, bytes: Option<u64>) {
        let total = lock(&self.state.images).total_bytes();
        lock(&self.state.faults).room = bytes.map(|bytes| total + bytes);
    }

    /// Has syncs wait until [`Self::release_syncs`].
    pub fn hold_syncs(&self) {
        lock(&self.state.faults).holds_syncs = true;
    }

    /// Waits until a sync is held.
    pub fn wait_for_held_sync(&self) {
        let mut faults = lock(&self.state.faults);
        while faults.syncs_waiting == 0 {
            faults = self.state.held.wait(faults).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets go of the syncs that are held.
    pub fn release_syncs(&self) {
        lock(&self.state.faults).holds_syncs = false;
        self.state.held.notify_all();
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    pub(crate) fn images(&self) -> MutexGuard<'_, Images> {
        lock(&self.images)
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot(self.images().clone())
    }

    /// Tells the watcher what is to come, unless it is the one that does it.
    pub(crate) fn announce(&self, operation: Operation) {
        let mut watcher = match self.watcher.try_lock() {
            Ok(watcher) => watcher,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if let Some(watcher) = &mut *watcher {
            watcher(Moment { operation, state: self });
        }
    }

    /// Whether a file may grow to this length.
    pub(crate) fn has_room(&self, inode: Inode, length: u64) -> Result<(), Fault> {
        let images = self.images();
        let more = length.saturating_sub(images.length(inode));
        let room = lock(&self.faults).room;
        let full = more > 0 && room.is_some_and(|room| images.total_bytes() + more > room);
        if full { Err(Fault::Full) } else { Ok(()) }
    }

    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// Syncs a file, and with it the directory if it has to be.
    pub(crate) fn sync(&self, inode: Inode, directory: bool) -> Result<(), Fault> {
        self.wait_while_held();
        if let Some(mut chance) = self.takes_failure() {
            self.images().fail_sync(inode, &mut chance);
            return Err(Fault::SyncFailed);
        }
        let mut images = self.images();
        images.sync(inode);
        if directory {
            images.sync_directory();
        }
        self.changed();
        self.syncs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn wait_while_held(&self) {
        let mut faults = lock(&self.faults);
        faults.syncs_waiting += 1;
        self.held.notify_all();
        while faults.holds_syncs {
            faults = self.held.wait(faults).unwrap_or_else(PoisonError::into_inner);
        }
        faults.syncs_waiting -= 1;
    }

    /// Whether this is the sync that fails.
    fn takes_failure(&self) -> Option<Rng> {
        let mut faults = lock(&self.faults);
        let (left, _) = faults.sync_fails_after.as_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        faults.sync_fails_after.take().map(|(_, chance)| chance)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that has failed while it held it has said so already.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
