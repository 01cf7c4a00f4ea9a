//! The disk as a test sees it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use fastrand::Rng;

use crate::image::{Images, Inode, Snapshot};
use crate::vfs::Registration;

/// A disk, as a VFS of SQLite. It takes the files of one directory.
///
/// Nothing of it is synced in truth: the power does not fail in truth either. A slow one
/// ([`Disk::slow`]) is another matter.
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
    /// How much longer than the system's disk it takes for a sync. Then it is one that works.
    slower_by: Option<Duration>,
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
        Self::with(State::default())
    }

    /// The system's own disk, which syncs in truth, and then takes so much longer for it. It does
    /// nothing else that a disk should not, and remembers nothing: there is nothing to be cut.
    pub fn slow(by: Duration) -> Self {
        Self::with(State { slower_by: Some(by), ..State::default() })
    }

    fn with(state: State) -> Self {
        let state = Arc::new(state);
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

    /// How many of them were syncs. A slow disk counts these alone.
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

    /// By how much it is slower than the system's disk, if it is nothing but that.
    pub(crate) fn slower_by(&self) -> Option<Duration> {
        self.slower_by
    }

    /// A slow disk has synced a file.
    pub(crate) fn synced_slowly(&self) {
        self.syncs.fetch_add(1, Ordering::SeqCst);
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use rusqlite::{Connection, OpenFlags};

    use super::*;

    #[test]
    fn a_slow_disk_keeps_everything_and_takes_its_time_for_each_sync() {
        const BY: Duration = Duration::from_millis(20);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let disk = Disk::slow(BY);
        let open = Connection::open_with_flags_and_vfs(&path, OpenFlags::default(), disk.vfs());
        let db = open.unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.pragma_update(None, "synchronous", "FULL").unwrap();
        db.execute_batch("CREATE TABLE a (b)").unwrap();

        let (before, began) = (disk.syncs(), Instant::now());
        for number in 0..3 {
            db.execute("INSERT INTO a VALUES (?1)", [number]).unwrap();
        }
        let syncs = disk.syncs() - before;
        assert!(syncs >= 3, "{syncs}");
        assert!(began.elapsed() >= BY * u32::try_from(syncs).unwrap());
        drop(db);

        let db = Connection::open(path).unwrap();
        let sum: i64 = db.query_row("SELECT sum(b) FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(sum, 3);
    }
}
