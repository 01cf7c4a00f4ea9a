//! The one thread that writes. It drains its queue into one transaction, commits, publishes what
//! changed to the readers, and only then answers: many commands share one sync of the disk.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::{Clock, DeviceKey, Event, IdentifierKey, Session};
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, watch};

use super::file::DirectoryLock;
use super::reserve::{self, Reserve};
use super::{erasing, outbox, row};
use crate::batch::{self, AfterCommit, Batch, Closed};
use crate::published::Published;
use crate::recent::Recent;
use crate::transaction::Rows;
use crate::{LedgerError, OutboxId, Settlement};

/// After a batch of so many commands more are on their way, which may as well share the next sync.
const MANY: usize = 8;

/// For how long they are waited for. A sync takes as long, and costs as much as writing a hundred.
const GATHERING: Duration = Duration::from_micros(500);

/// Something to be written.
pub(super) enum Job {
    Command(batch::Job),
    /// Rare writes to tables that no command touches.
    Other(Work),
}

/// What is written, and how its writer is answered.
pub(super) type Work =
    Box<dyn FnOnce(Writable<'_>, Timestamp) -> (Result<(), LedgerError>, AfterCommit) + Send>;

/// Where it is written, unless the batch has failed already.
pub(super) type Writable<'a> = Result<&'a Connection, &'a LedgerError>;

/// The last keys that were given out.
///
/// SQLite would give out a key again once its row is deleted, and whoever still holds it would take
/// one session for another, or drop a notification as one that it has seen. So keys only rise, for
/// as long as anybody can hold one: this process's life.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastKeys {
    live: i64,
    outbox: i64,
}

impl LastKeys {
    /// Where a database that was just opened stands.
    pub(super) fn read(db: &Connection) -> Result<Self, LedgerError> {
        let last = |sql: &str| db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        Ok(Self {
            live: last("SELECT max(row) FROM live")?.unwrap_or(0),
            outbox: last("SELECT max(row) FROM outbox")?.unwrap_or(0),
        })
    }
}

pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) keys: LastKeys,
    pub(super) reserve: Reserve,
    pub(super) published: Arc<Published>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) queue: mpsc::Receiver<Job>,
    /// Held until the database is closed.
    pub(super) _lock: DirectoryLock,
    /// Dropped last of all, so that whoever sees it go knows that the directory is free.
    pub(super) failure: watch::Sender<Option<LedgerError>>,
}

impl Writer {
    /// Writes until nobody can send any more, or the disk fails. After a failed sync nothing that
    /// is on its way can be trusted, so nothing more is written.
    pub(super) fn run(mut self) {
        let mut commands = 0;
        while let Some(first) = self.queue.blocking_recv() {
            reached(Point::LedgerJobReceived);
            if commands >= MANY {
                std::thread::sleep(GATHERING);
            }
            commands = first.commands();
            let mut jobs = vec![first];
            while commands < batch::LARGEST {
                let Ok(job) = self.queue.try_recv() else { break };
                commands += job.commands();
                jobs.push(job);
            }
            if let Err(failure) = self.write(jobs) {
                // Otherwise closing the database would move its log into it.
                let _ = self.db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
                self.failure.send_replace(Some(failure));
                return;
            }
        }
    }

    /// Writes one batch. The error is one after which nothing may be written.
    fn write(&mut self, jobs: Vec<Job>) -> Result<(), LedgerError> {
        let jobs = self.admit(jobs);
        if jobs.is_empty() {
            return Ok(());
        }
        let published = self.commit(jobs).and_then(|closed| closed.publish(&self.published));
        reached(Point::LedgerAnswered);
        if matches!(published, Err(LedgerError::Full)) {
            self.reserve.let_go(self.clock.now());
        }
        published.or_else(|error| if is_fatal(&error) { Err(error) } else { Ok(()) })
    }

    /// Refuses what would need more room while the disk is full.
    fn admit(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        if self.reserve.has_room(self.clock.now()) {
            return jobs;
        }
        let (refused, admitted) = jobs.into_iter().partition(Job::asks_for_more);
        let refused: Vec<Job> = refused;
        refused.into_iter().for_each(|job| job.refuse(&LedgerError::Full));
        admitted
    }

    fn commit(&mut self, jobs: Vec<Job>) -> Result<Closed, LedgerError> {
        let index = self.published.index();
        let mut batch = Batch::new(&index);
        reached(Point::LedgerBeforeBegin);
        let begun = self.db.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = match begun.map_err(LedgerError::from) {
            Ok(transaction) => transaction,
            Err(error) => {
                jobs.into_iter().for_each(|job| job.refuse(&error));
                return Err(error);
            }
        };
        let (keys, recent) = (&mut self.keys, &self.published.sessions);
        let mut tables = Tables { db: &transaction, keys, recent };
        for job in jobs {
            let now = self.clock.now();
            match job {
                Job::Command(job) => batch.perform(&mut tables, job, now),
                Job::Other(work) => {
                    let writable = batch.outcome().as_ref().map(|()| &*transaction);
                    let (done, answer) = work(writable, now);
                    batch.note(done, answer);
                    reached(Point::LedgerRegistryWritten);
                }
            }
        }
        let mut closed = batch.close();
        reached(Point::LedgerBeforeCommit);
        if closed.is_sound()
            && let Err(error) = transaction.commit()
        {
            closed.fail(error.into());
        }
        reached(Point::LedgerCommitted);
        Ok(closed)
    }
}

impl Job {
    fn commands(&self) -> usize {
        match self {
            Self::Command(job) => job.commands(),
            Self::Other(_) => 1,
        }
    }

    fn asks_for_more(&self) -> bool {
        matches!(self, Self::Command(batch::Job::Transact(command, _))
            if reserve::asks_for_more(command))
    }

    fn refuse(self, error: &LedgerError) {
        match self {
            Self::Command(job) => job.refuse(error),
            Self::Other(work) => {
                let (_, answer) = work(Err(error), Timestamp::UNIX_EPOCH);
                answer(Err(error.clone()));
            }
        }
    }
}

fn is_fatal(error: &LedgerError) -> bool {
    let LedgerError::Storage(source) = error else { return false };
    let code =
        source.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    matches!(
        code,
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

struct Tables<'a> {
    db: &'a Connection,
    keys: &'a mut LastKeys,
    recent: &'a Recent,
}

impl Rows for Tables<'_> {
    fn load(&mut self, row: i64) -> Result<Session, LedgerError> {
        if let Some(session) = self.recent.get(row) {
            return Ok(session);
        }
        row::load(self.db, row)?.ok_or(LedgerError::Corrupt { what: "row of the index" })
    }

    fn insert(&mut self, session: &Session) -> Result<i64, LedgerError> {
        self.keys.live += 1;
        row::insert(self.db, self.keys.live, session)?;
        reached(Point::LedgerInserted);
        Ok(self.keys.live)
    }

    fn update(&mut self, row: i64, session: &Session) -> Result<(), LedgerError> {
        row::update(self.db, row, session)
    }

    fn retire(&mut self, row: i64, session: &Session) -> Result<(), LedgerError> {
        row::retire(self.db, row, session)
    }

    fn notify(&mut self, event: &Event) -> Result<OutboxId, LedgerError> {
        self.keys.outbox += 1;
        let id = OutboxId(self.keys.outbox);
        outbox::append(self.db, id, event)?;
        reached(Point::LedgerNotified);
        Ok(id)
    }

    fn settle(
        &mut self,
        id: OutboxId,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        outbox::settle(self.db, id, settlement, now)
    }

    fn erase(&mut self, before: Timestamp, at_most: usize) -> Result<usize, LedgerError> {
        erasing::erase(self.db, before, at_most)
    }

    fn learn(&mut self, identifier: IdentifierKey, device: DeviceKey) -> Result<(), LedgerError> {
        self.db
            .prepare_cached("INSERT INTO aliases (identifier, device) VALUES (?1, ?2)")?
            .execute([identifier.0, device.0])?;
        reached(Point::LedgerLearned);
        Ok(())
    }
}
