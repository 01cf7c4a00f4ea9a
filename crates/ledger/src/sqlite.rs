//! The embedded ledger: one SQLite file, one thread that writes it, and the index in memory.

mod audit;
mod backup;
mod erasing;
mod file;
mod loading;
mod migration;
mod outbox;
mod reader;
mod registry;
mod replies;
mod reserve;
mod row;
mod statements;
mod tables;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLockReadGuard, Weak};
use std::thread::JoinHandle;

use greenwave_core::{
    ApplicationId, Buckets, Clock, Command, DeviceKey, DeviceNames, NamedDevice, Session,
    SessionId, Standing,
};
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use self::reader::Readers;
use self::reserve::Reserve;
use self::tables::LastKeys;
use self::writer::{Job, Writer};
use crate::batch::{self, AfterCommit, Transacted};
use crate::index::{Entry, Index};
use crate::published::{Follower, Published};
use crate::{
    Answer, Census, Committed, Ledger, LedgerError, Listed, Lookup, Notification, Once, OpenError,
    OutboxId, Page, Performed, RegistryError, Seen, Settlement, TransactError,
};

pub use audit::{Audit, audit};
pub use backup::{Backup, BackupError, back_up};
pub use file::{DirectoryLock, Storage};

/// A ledger in the file `ledger.db` of a directory.
///
/// Reads run on the caller's thread: they take a few microseconds when the page is in memory.
pub struct SqliteLedger {
    published: Arc<Published>,
    readers: Readers,
    clock: Arc<dyn Clock>,
    /// `None` once it is being closed.
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    failure: watch::Receiver<Option<LedgerError>>,
    writer: Option<JoinHandle<()>>,
}

impl SqliteLedger {
    /// Opens the ledger of a directory, which must exist, and reads what is live.
    pub fn open(directory: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_on(&Storage::default(), directory, clock)
    }

    /// The same, on storage that may do what no disk should.
    #[doc(hidden)]
    pub fn open_on(
        storage: &Storage,
        directory: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        Self::open_locked(DirectoryLock::take(directory)?, storage, directory, clock)
    }

    /// The same, for whoever has taken the lock of the directory and has begun to use it.
    #[doc(hidden)]
    pub fn open_locked(
        lock: DirectoryLock,
        storage: &Storage,
        directory: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let path = directory.join("ledger.db");
        let no_reserve = Reserve::none(directory);
        let mut reserve =
            no_reserve.map_err(|source| OpenError::Io { path: directory.to_owned(), source })?;
        let db = file::open(storage, &path)?;
        reserve.has_room(clock.now());
        let unreadable = |source| OpenError::Storage { path: path.clone(), source };
        let index = loading::load(storage, &path).map_err(unreadable)?;
        let keys = LastKeys::read(&db).map_err(unreadable)?;
        reached(Point::LedgerIndexBuilt);
        let published = Published::new(index, Handle::try_current().ok());
        let (queue, jobs) = mpsc::channel(batch::QUEUE);
        let (failed, failure) = watch::channel(None);
        let writer = Writer {
            db,
            keys,
            reserve,
            published: Arc::clone(&published),
            clock: Arc::clone(&clock),
            queue: jobs,
            failure: failed,
            lock,
        };
        let writer = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| OpenError::Io { path: path.clone(), source })?;
        Ok(Self {
            published,
            readers: Readers::new(storage.clone(), path),
            clock,
            queue: Mutex::new(Some(queue)),
            failure,
            writer: Some(writer),
        })
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.published.index()
    }

    fn queue(&self) -> MutexGuard<'_, Option<mpsc::Sender<Job>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a job to the writer and waits for its answer. What is urgent waits for room; the
    /// rest is refused when there is none.
    fn write<T, E>(
        &self,
        urgent: bool,
        job: impl FnOnce(oneshot::Sender<Result<T, E>>) -> Job + Send + 'static,
    ) -> Answer<'_, Result<T, E>>
    where
        T: Send + 'static,
        E: From<LedgerError> + Send + 'static,
    {
        let queue = self.queue().clone();
        Box::pin(async move {
            let (answer, receive) = oneshot::channel();
            let queue = queue.ok_or(LedgerError::Closed)?;
            batch::enter(&queue, job(answer), urgent).await?;
            receive.await.map_err(|_| LedgerError::Closed)?
        })
    }

    /// Hands over many commands. Those that would need no more room are given to the writer once
    /// more if the disk was full: now there is the room that was kept for them.
    async fn write_all(&self, commands: Vec<Command>) -> Vec<Transacted> {
        let spare = commands.clone();
        let results = self.write_once(commands).await;
        let full =
            |result: &Transacted| matches!(result, Err(TransactError::Ledger(LedgerError::Full)));
        let with_room = |command: &Command| !reserve::asks_for_more(command);
        if !results.iter().any(full) || !spare.iter().all(with_room) {
            return results;
        }
        self.write_once(spare).await
    }

    async fn write_once(&self, commands: Vec<Command>) -> Vec<Transacted> {
        let count = commands.len();
        let (answer, receive) = oneshot::channel();
        let job = Job::Command(batch::Job::TransactAll(commands, answer));
        let queue = self.queue().clone();
        let entered = match queue {
            Some(queue) => batch::enter(&queue, job, true).await,
            None => Err(LedgerError::Closed),
        };
        if entered.is_ok()
            && let Ok(results) = receive.await
        {
            return results;
        }
        (0..count).map(|_| Err(LedgerError::Closed.into())).collect()
    }

    /// Writes to tables that no command touches.
    fn write_registry<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, Timestamp) -> Result<T, RegistryError> + Send + 'static,
    ) -> Answer<'_, Result<T, RegistryError>> {
        self.write(true, move |answer| {
            Job::Other(Box::new(move |db, now| {
                let result = match db {
                    Ok(db) => work(db, now),
                    Err(error) => Err(error.clone().into()),
                };
                let done = match &result {
                    Err(RegistryError::Ledger(error)) => Err(error.clone()),
                    _ => Ok(()),
                };
                let tell: AfterCommit = Box::new(move |committed: Result<(), LedgerError>| {
                    let _ = answer.send(committed.map_err(RegistryError::from).and(result));
                });
                (done, tell)
            }))
        })
    }

    /// Reads what is found in the index. What has left the table in between is no longer there.
    fn see(
        &self,
        now: Timestamp,
        find: impl FnOnce(&Index) -> Vec<Entry>,
    ) -> Result<Vec<Seen>, LedgerError> {
        let (entries, batches) = {
            let index = self.index();
            (find(&index), index.batches())
        };
        let mut seen = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some(session) = self.load(entry.row, batches)? else { continue };
            let view = session.view(now);
            seen.extend(view.map(|view| Seen { session, view }));
        }
        Ok(seen)
    }

    /// The session in a row that the index has named after so many batches.
    fn load(&self, row: i64, batches: u64) -> Result<Option<Session>, LedgerError> {
        let recent = &self.published.sessions;
        if let Some(session) = recent.get(row) {
            return Ok(Some(session));
        }
        let loaded = self.readers.with(|db| row::load(db, row))?;
        if let Some(session) = &loaded {
            // Whoever publishes a batch has to wait for this, so nothing older can follow it.
            let index = self.index();
            if index.batches() == batches {
                recent.put(row, session.clone());
            }
        }
        Ok(loaded)
    }

    fn look_up(&self, application: ApplicationId, id: SessionId) -> Result<Lookup, LedgerError> {
        let now = self.clock.now();
        let mut lookup = Lookup::Unknown;
        let seen =
            self.see(now, |index| match index.get(id).filter(|entry| entry.visible(now)) {
                None => Vec::new(),
                Some(entry) if entry.application != application => {
                    lookup = Lookup::Foreign;
                    Vec::new()
                }
                Some(entry) => vec![entry],
            })?;
        Ok(seen.into_iter().next().map_or(lookup, |seen| Lookup::Found(Box::new(seen))))
    }

    fn see_device(
        &self,
        application: ApplicationId,
        device: DeviceKey,
    ) -> Result<Vec<Seen>, LedgerError> {
        let now = self.clock.now();
        let own = |entry: &Entry| entry.application == application && entry.visible(now);
        self.see(now, |index| {
            let mut entries: Vec<Entry> = index.of_device(device).filter(own).collect();
            entries.sort_unstable_by_key(|entry| entry.row);
            entries
        })
    }

    fn find_orphans(&self) -> Result<Vec<Session>, LedgerError> {
        let orphans = self.published.standing_as(&[Standing::Orphan], Buckets::ALL);
        let rows: Vec<i64> = {
            let index = self.index();
            orphans.into_iter().filter_map(|id| index.get(id)).map(|entry| entry.row).collect()
        };
        self.readers
            .with(|db| rows.iter().filter_map(|&row| row::load(db, row).transpose()).collect())
    }

    fn look_up_reply(&self, once: &Once) -> Result<Option<Performed>, LedgerError> {
        let now = self.clock.now();
        let Some(row) = self.index().replies().row(once.application, once.key, now) else {
            return Ok(None);
        };
        let kept = self.readers.with(|db| replies::load(db, row))?;
        Ok(kept.map(|kept| kept.to(once.request)))
    }

    fn see_page(&self, application: ApplicationId, page: Page) -> Result<Listed, LedgerError> {
        let now = self.clock.now();
        let (entries, more) = self.published.page(application, page, now);
        let sessions = self.see(now, |_| entries)?;
        Ok(Listed { sessions, more })
    }
}

fn ready<'a, T: Send + 'a>(answer: T) -> Answer<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl Ledger for SqliteLedger {
    fn device<'a>(
        &'a self,
        names: &'a DeviceNames,
    ) -> Answer<'a, Result<Option<NamedDevice>, LedgerError>> {
        ready(Ok(names.device(&*self.index())))
    }

    fn transact(&self, command: Command) -> Answer<'_, Result<Committed, TransactError>> {
        let urgent = !command.is_request();
        let spare = (!reserve::asks_for_more(&command)).then(|| command.clone());
        let write = move |command| {
            self.write(urgent, move |answer| Job::Command(batch::Job::Transact(command, answer)))
        };
        Box::pin(async move {
            match (write(command).await, spare) {
                // Now there is the room that was kept for it.
                (Err(TransactError::Ledger(LedgerError::Full)), Some(command)) => {
                    write(command).await
                }
                (result, _) => result,
            }
        })
    }

    fn transact_once(
        &self,
        command: Command,
        once: Once,
    ) -> Answer<'_, Result<Performed, TransactError>> {
        let urgent = !command.is_request();
        let job = Box::new((command, once));
        self.write(urgent, move |answer| Job::Command(batch::Job::TransactOnce(job, answer)))
    }

    fn recall<'a>(&'a self, once: &'a Once) -> Answer<'a, Result<Option<Performed>, LedgerError>> {
        ready(self.look_up_reply(once))
    }

    fn transact_all(
        &self,
        commands: Vec<Command>,
    ) -> Answer<'_, Vec<Result<Committed, TransactError>>> {
        Box::pin(self.write_all(commands))
    }

    fn arrange(&self, sessions: &mut [SessionId]) {
        self.published.arrange(sessions);
    }

    fn follow(&self, follower: Weak<dyn Follower>) {
        self.published.followed.set(follower);
    }

    fn session(
        &self,
        application: ApplicationId,
        id: SessionId,
    ) -> Answer<'_, Result<Lookup, LedgerError>> {
        ready(self.look_up(application, id))
    }

    fn sessions_of_device(
        &self,
        application: ApplicationId,
        device: DeviceKey,
    ) -> Answer<'_, Result<Vec<Seen>, LedgerError>> {
        ready(self.see_device(application, device))
    }

    fn assigned(
        &self,
        device: DeviceKey,
    ) -> Answer<'_, Result<Option<ApplicationId>, LedgerError>> {
        ready(Ok(self.published.assigned(device, self.clock.now())))
    }

    fn sessions_of_application(
        &self,
        application: ApplicationId,
        page: Page,
    ) -> Answer<'_, Result<Listed, LedgerError>> {
        ready(self.see_page(application, page))
    }

    fn deadlines(
        &self,
        horizon: Timestamp,
    ) -> Answer<'_, Result<Vec<(SessionId, Timestamp)>, LedgerError>> {
        ready(Ok(self.published.deadlines(horizon)))
    }

    fn size(&self) -> usize {
        self.index().standings().all()
    }

    fn standing_as(
        &self,
        wanted: &'static [Standing],
        of: Buckets,
    ) -> Answer<'_, Result<Vec<SessionId>, LedgerError>> {
        ready(Ok(self.published.standing_as(wanted, of)))
    }

    fn standing_of(
        &self,
        sessions: Vec<SessionId>,
    ) -> Answer<'_, Result<Vec<Option<Standing>>, LedgerError>> {
        ready(Ok(self.published.standing_of(&sessions)))
    }

    fn orphans(&self) -> Answer<'_, Result<Vec<Session>, LedgerError>> {
        ready(self.find_orphans())
    }

    fn census(&self) -> Answer<'_, Result<Census, LedgerError>> {
        let sessions = self.index().standings();
        let waiting = self.readers.with(outbox::count);
        ready(waiting.map(|notifications| Census { sessions, notifications }))
    }

    fn outbox(
        &self,
        horizon: Timestamp,
    ) -> Answer<'_, Result<Vec<(OutboxId, Timestamp)>, LedgerError>> {
        ready(self.readers.with(|db| outbox::due(db, horizon)))
    }

    fn notification(&self, id: OutboxId) -> Answer<'_, Result<Option<Notification>, LedgerError>> {
        ready(self.readers.with(|db| outbox::load(db, id)))
    }

    fn settle(&self, id: OutboxId, settlement: Settlement) -> Answer<'_, Result<(), LedgerError>> {
        let spare = settlement.clone();
        let write = move |settlement| {
            self.write(true, move |answer| Job::Command(batch::Job::Settle(id, settlement, answer)))
        };
        Box::pin(async move {
            match write(settlement).await {
                // Now there is the room that was kept for it.
                Err(LedgerError::Full) => write(spare).await,
                result => result,
            }
        })
    }

    fn erase(&self, before: Timestamp, at_most: usize) -> Answer<'_, Result<usize, LedgerError>> {
        self.write(true, move |answer| Job::Command(batch::Job::Erase(before, at_most, answer)))
    }

    fn failed(&self) -> Answer<'_, LedgerError> {
        let mut failure = self.failure.clone();
        Box::pin(async move {
            let failed = failure.wait_for(Option::is_some).await;
            failed.ok().and_then(|failure| failure.clone()).unwrap_or(LedgerError::Closed)
        })
    }

    fn close(&self) -> Answer<'_, ()> {
        drop(self.queue().take());
        let mut failure = self.failure.clone();
        // The writer goes when nobody can reach it any more, and takes its end of this with it.
        Box::pin(async move { while failure.changed().await.is_ok() {} })
    }
}

/// Closing waits for what is under way: nothing that was accepted is left behind.
impl Drop for SqliteLedger {
    fn drop(&mut self) {
        drop(self.queue().take());
        let writer = self.writer.take();
        // The writer may be the last who holds the one who follows, who holds this.
        let own = |writer: &JoinHandle<()>| writer.thread().id() == std::thread::current().id();
        if let Some(writer) = writer.filter(|writer| !own(writer)) {
            let _ = writer.join();
        }
    }
}
