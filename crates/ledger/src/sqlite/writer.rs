//! The one thread that writes. It drains its queue into one transaction, commits, publishes what
//! changed to the readers, and only then answers: many commands share one sync of the disk.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::Clock;
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, watch};

use super::file::DirectoryLock;
use super::reserve::{self, Reserve};
use super::statements::Statements;
use super::tables::{LastKeys, Tables};
use crate::LedgerError;
use crate::batch::{self, AfterCommit, Batch, Closed};
use crate::published::Published;

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

pub(super) struct Writer {
    pub(super) db: Connection,
    pub(super) keys: LastKeys,
    pub(super) reserve: Reserve,
    pub(super) published: Arc<Published>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) queue: mpsc::Receiver<Job>,
    /// Held until the database is closed.
    pub(super) lock: DirectoryLock,
    /// Dropped last of all, so that whoever sees it go knows that the directory is free.
    pub(super) failure: watch::Sender<Option<LedgerError>>,
}

impl Writer {
    /// Writes until nobody can send any more, or the disk fails. After a failed sync nothing that
    /// is on its way can be trusted, so nothing more is written.
    pub(super) fn run(self) {
        let Self { db, keys, reserve, published, clock, queue, lock, failure } = self;
        let written = Statements::prepare(&db).and_then(|statements| {
            Writing { db: &db, statements, keys, reserve, published, clock }.all(queue)
        });
        if let Err(error) = written {
            // Otherwise closing the database would move its log into it.
            let _ = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            failure.send_replace(Some(error));
        }
        drop(db);
        drop(lock);
        drop(failure);
    }
}

/// The writer at work.
struct Writing<'db> {
    db: &'db Connection,
    statements: Statements<'db>,
    keys: LastKeys,
    reserve: Reserve,
    published: Arc<Published>,
    clock: Arc<dyn Clock>,
}

impl Writing<'_> {
    /// Writes what comes. The error is one after which nothing may be written.
    fn all(mut self, mut queue: mpsc::Receiver<Job>) -> Result<(), LedgerError> {
        let mut commands = 0;
        while let Some(first) = queue.blocking_recv() {
            reached(Point::LedgerJobReceived);
            if commands >= MANY {
                std::thread::sleep(GATHERING);
            }
            commands = first.commands();
            let mut jobs = vec![first];
            while commands < batch::LARGEST {
                let Ok(job) = queue.try_recv() else { break };
                commands += job.commands();
                jobs.push(job);
            }
            self.write(jobs)?;
        }
        Ok(())
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
        let begun = Transaction::new_unchecked(self.db, TransactionBehavior::Immediate);
        let transaction = match begun.map_err(LedgerError::from) {
            Ok(transaction) => transaction,
            Err(error) => {
                jobs.into_iter().for_each(|job| job.refuse(&error));
                return Err(error);
            }
        };
        let (statements, keys) = (&mut self.statements, &mut self.keys);
        let recent = &self.published.sessions;
        let mut tables = Tables { db: self.db, statements, keys, recent };
        for job in jobs {
            let now = self.clock.now();
            match job {
                Job::Command(job) => batch.perform(&mut tables, job, now),
                Job::Other(work) => {
                    let writable = batch.outcome().as_ref().map(|()| self.db);
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
