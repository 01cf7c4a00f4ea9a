//! A ledger that keeps nothing beyond the process: for simulations and tests.
//!
//! It takes its commands through the same batches as the embedded ledger. Its tables are a
//! [`MemoryDisk`] of their own, so that a simulation can let the ledger die and open another one on
//! what it had committed.

mod disk;

use std::sync::{Arc, RwLockReadGuard, Weak};

use greenwave_core::{
    ApplicationId, Buckets, Clock, Command, DeviceKey, DeviceNames, NamedDevice, Session,
    SessionId, Standing,
};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use self::disk::LastKeys;
use crate::batch::{self, Batch, Closed, Job};
use crate::index::{Entry, Index};
use crate::published::{Follower, Published};
use crate::{
    Answer, Application, ApplicationKey, Census, Committed, KeyId, Ledger, LedgerError, Listed,
    Lookup, NewKey, Notification, Once, OutboxId, Page, Performed, RateLimit, Registry,
    RegistryError, Seen, Settlement, TransactError,
};

pub use self::disk::MemoryDisk;

/// The same behaviour as the embedded ledger, without a file. It lives on the runtime that it is
/// opened on, and dies at once when it is dropped, as a process would.
pub struct MemoryLedger {
    disk: MemoryDisk,
    published: Arc<Published>,
    clock: Arc<dyn Clock>,
    queue: mpsc::Sender<Job>,
    _writer: JoinSet<()>,
}

/// What happens to a batch on its way to the disk and back.
pub trait Pace: Send + Sync {
    /// Comes before a batch is committed. If it fails, the batch is lost.
    fn before_commit(&self) -> Answer<'_, Result<(), LedgerError>>;

    /// Comes once a batch is committed and nobody knows of it yet.
    fn after_commit(&self) -> Answer<'_, ()>;
}

/// A disk that takes no time and never fails.
#[derive(Clone, Copy, Debug)]
pub struct AtOnce;

impl Pace for AtOnce {
    fn before_commit(&self) -> Answer<'_, Result<(), LedgerError>> {
        ready(Ok(()))
    }

    fn after_commit(&self) -> Answer<'_, ()> {
        ready(())
    }
}

impl MemoryLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::open(MemoryDisk::default(), clock, Arc::new(AtOnce))
    }

    /// A ledger on what is on a disk.
    #[must_use]
    pub fn open(disk: MemoryDisk, clock: Arc<dyn Clock>, pace: Arc<dyn Pace>) -> Self {
        let (queue, jobs) = mpsc::channel(batch::QUEUE);
        let published = Published::new(disk.index(), None);
        let writer = Writer {
            keys: disk.last_keys(),
            disk: disk.clone(),
            published: Arc::clone(&published),
            clock: Arc::clone(&clock),
            pace,
        };
        let mut running = JoinSet::new();
        running.spawn(writer.run(jobs));
        Self { disk, published, clock, queue, _writer: running }
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.published.index()
    }

    fn change(
        &self,
        id: ApplicationId,
        change: impl FnOnce(&mut Application),
    ) -> Result<Application, RegistryError> {
        let applications = &mut self.disk.tables().applications;
        let known = applications.iter_mut().find(|application| application.id == id);
        let application = known.ok_or(RegistryError::UnknownApplication)?;
        change(application);
        Ok(application.clone())
    }

    fn see(&self, entries: &[Entry], now: Timestamp) -> Vec<Seen> {
        let tables = self.disk.tables();
        let seen = |entry: &Entry| {
            let session = tables.live.get(&entry.row)?.clone();
            session.view(now).map(|view| Seen { session, view })
        };
        entries.iter().filter_map(seen).collect()
    }
}

struct Writer {
    disk: MemoryDisk,
    keys: LastKeys,
    published: Arc<Published>,
    clock: Arc<dyn Clock>,
    pace: Arc<dyn Pace>,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        while queue.recv_many(&mut jobs, batch::LARGEST).await > 0 {
            let batch = self.write(std::mem::take(&mut jobs)).await;
            // Whoever waits has been told.
            let _ = batch.publish(&self.published);
        }
    }

    async fn write(&mut self, jobs: Vec<Job>) -> Closed {
        let mut tables = self.disk.tables().clone();
        let mut closed = {
            let index = self.published.index();
            let mut batch = Batch::new(&index);
            for job in jobs {
                batch.perform(&mut tables.rows(&mut self.keys), job, self.clock.now());
            }
            batch.close()
        };
        if closed.is_sound() {
            match self.pace.before_commit().await {
                Ok(()) => {
                    *self.disk.tables() = tables;
                    self.pace.after_commit().await;
                }
                Err(error) => closed.fail(error),
            }
        }
        closed
    }
}

fn ready<'a, T: Send + 'a>(answer: T) -> Answer<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl Ledger for MemoryLedger {
    fn device<'a>(
        &'a self,
        names: &'a DeviceNames,
    ) -> Answer<'a, Result<Option<NamedDevice>, LedgerError>> {
        ready(Ok(names.device(&*self.index())))
    }

    fn transact(&self, command: Command) -> Answer<'_, Result<Committed, TransactError>> {
        Box::pin(async move {
            let (answer, receive) = oneshot::channel();
            let urgent = !command.is_request();
            batch::enter(&self.queue, Job::Transact(command, answer), urgent).await?;
            receive.await.map_err(|_| LedgerError::Closed)?
        })
    }

    fn transact_once(
        &self,
        command: Command,
        once: Once,
    ) -> Answer<'_, Result<Performed, TransactError>> {
        Box::pin(async move {
            let (answer, receive) = oneshot::channel();
            let urgent = !command.is_request();
            let job = Job::TransactOnce(Box::new((command, once)), answer);
            batch::enter(&self.queue, job, urgent).await?;
            receive.await.map_err(|_| LedgerError::Closed)?
        })
    }

    fn recall<'a>(&'a self, once: &'a Once) -> Answer<'a, Result<Option<Performed>, LedgerError>> {
        let now = self.clock.now();
        let row = self.index().replies().row(once.application, once.key, now);
        let kept = row.and_then(|row| self.disk.tables().replies.get(&row).cloned());
        ready(Ok(kept.map(|kept| kept.reply.to(once.request))))
    }

    fn transact_all(
        &self,
        commands: Vec<Command>,
    ) -> Answer<'_, Vec<Result<Committed, TransactError>>> {
        Box::pin(async move {
            let count = commands.len();
            let (answer, receive) = oneshot::channel();
            let entered = batch::enter(&self.queue, Job::TransactAll(commands, answer), true).await;
            if entered.is_ok()
                && let Ok(results) = receive.await
            {
                return results;
            }
            (0..count).map(|_| Err(LedgerError::Closed.into())).collect()
        })
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
        let now = self.clock.now();
        let entry = self.index().get(id).filter(|entry| entry.visible(now));
        ready(Ok(match entry {
            None => Lookup::Unknown,
            Some(entry) if entry.application != application => Lookup::Foreign,
            Some(entry) => match self.see(&[entry], now).pop() {
                Some(seen) => Lookup::Found(Box::new(seen)),
                None => Lookup::Unknown,
            },
        }))
    }

    fn sessions_of_device(
        &self,
        application: ApplicationId,
        device: DeviceKey,
    ) -> Answer<'_, Result<Vec<Seen>, LedgerError>> {
        let now = self.clock.now();
        let own = |entry: &Entry| entry.application == application;
        let mut entries: Vec<Entry> = self.index().of_device(device).filter(own).collect();
        entries.sort_unstable_by_key(|entry| entry.row);
        ready(Ok(self.see(&entries, now)))
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
        let now = self.clock.now();
        let (entries, more) = self.published.page(application, page, now);
        let sessions = self.see(&entries, now);
        ready(Ok(Listed { sessions, more }))
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
        let orphan = |session: &Session| session.standing() == Standing::Orphan;
        ready(Ok(self.disk.live().into_iter().filter(orphan).collect()))
    }

    fn census(&self) -> Answer<'_, Result<Census, LedgerError>> {
        let notifications = self.disk.tables().outbox.len();
        ready(Ok(Census { sessions: self.index().standings(), notifications }))
    }

    fn outbox(
        &self,
        horizon: Timestamp,
    ) -> Answer<'_, Result<Vec<(OutboxId, Timestamp)>, LedgerError>> {
        let tables = self.disk.tables();
        let waiting = tables.outbox.iter().map(|(&id, waiting)| (id, waiting.next_at));
        ready(Ok(waiting.filter(|&(_, next_at)| next_at < horizon).collect()))
    }

    fn notification(&self, id: OutboxId) -> Answer<'_, Result<Option<Notification>, LedgerError>> {
        let tables = self.disk.tables();
        ready(Ok(tables.outbox.get(&id).map(|waiting| waiting.notification.clone())))
    }

    fn settle(&self, id: OutboxId, settlement: Settlement) -> Answer<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            let (answer, receive) = oneshot::channel();
            batch::enter(&self.queue, Job::Settle(id, settlement, answer), true).await?;
            receive.await.map_err(|_| LedgerError::Closed)?
        })
    }

    fn erase(&self, before: Timestamp, at_most: usize) -> Answer<'_, Result<usize, LedgerError>> {
        Box::pin(async move {
            let (answer, receive) = oneshot::channel();
            batch::enter(&self.queue, Job::Erase(before, at_most, answer), true).await?;
            receive.await.map_err(|_| LedgerError::Closed)?
        })
    }

    fn failed(&self) -> Answer<'_, LedgerError> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> Answer<'_, ()> {
        ready(())
    }
}

/// Applications and keys are kept at once.
impl Registry for MemoryLedger {
    fn applications(&self) -> Answer<'_, Result<Vec<Application>, LedgerError>> {
        ready(Ok(self.disk.tables().applications.clone()))
    }

    fn application(&self, name: String) -> Answer<'_, Result<Application, LedgerError>> {
        let applications = &mut self.disk.tables().applications;
        let known = applications.iter().find(|application| application.name == name).cloned();
        ready(Ok(known.unwrap_or_else(|| {
            let id = ApplicationId(applications.len() as u32 + 1);
            let application = Application {
                id,
                name,
                created_at: self.clock.now(),
                jwks: None,
                rate_limit: None,
            };
            applications.push(application.clone());
            application
        })))
    }

    fn set_jwks(
        &self,
        id: ApplicationId,
        jwks: Option<String>,
    ) -> Answer<'_, Result<Application, RegistryError>> {
        ready(self.change(id, |application| application.jwks = jwks))
    }

    fn set_rate_limit(
        &self,
        id: ApplicationId,
        limit: Option<RateLimit>,
    ) -> Answer<'_, Result<Application, RegistryError>> {
        ready(self.change(id, |application| application.rate_limit = limit))
    }

    fn keys(&self) -> Answer<'_, Result<Vec<ApplicationKey>, LedgerError>> {
        ready(Ok(self.disk.tables().keys.clone()))
    }

    fn add_key(
        &self,
        key: NewKey,
        limit: usize,
    ) -> Answer<'_, Result<ApplicationKey, RegistryError>> {
        let keys = &mut self.disk.tables().keys;
        let live = |known: &&ApplicationKey| {
            known.application == key.application && known.revoked_at.is_none()
        };
        if keys.iter().filter(live).count() >= limit {
            return ready(Err(RegistryError::TooManyKeys));
        }
        let key = ApplicationKey {
            id: KeyId(keys.len() as u32 + 1),
            application: key.application,
            hash: key.hash,
            ending: key.ending,
            label: key.label,
            created_at: self.clock.now(),
            revoked_at: None,
        };
        keys.push(key.clone());
        ready(Ok(key))
    }

    fn revoke_key(&self, id: KeyId) -> Answer<'_, Result<ApplicationKey, RegistryError>> {
        let now = self.clock.now();
        let keys = &mut self.disk.tables().keys;
        let live = keys.iter_mut().find(|key| key.id == id && key.revoked_at.is_none());
        ready(live.ok_or(RegistryError::UnknownKey).map(|key| {
            key.revoked_at = Some(now);
            key.clone()
        }))
    }
}
