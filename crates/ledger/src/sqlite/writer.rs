//! The one thread that writes. It drains its queue into one transaction, commits, publishes what
//! changed to the readers, and only then answers: many commands share one sync of the disk.

use std::sync::{Arc, PoisonError, RwLock};

use greenwave_core::{Clock, Command, DeviceKey, Event, IdentifierKey, Session};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::{outbox, row};
use crate::index::Index;
use crate::stage::{Stage, StagedChanges};
use crate::transaction::{self, Rows};
use crate::{Committed, LedgerError, OutboxId, Settlement, TransactError};

/// How many commands may share a commit. More would gain nothing and delay the first of them.
const LARGEST_BATCH: usize = 512;

/// How many commands may wait. Whoever comes then waits to be let in.
pub(super) const QUEUE: usize = 8_192;

/// Something to be written.
pub(super) enum Job {
    Transact(Command, oneshot::Sender<Result<Committed, TransactError>>),
    Settle(OutboxId, Settlement, oneshot::Sender<Result<(), LedgerError>>),
    /// Rare writes to tables that no command touches.
    Other(Work),
}

/// What is written, and how its writer is answered.
pub(super) type Work =
    Box<dyn FnOnce(&Connection, Timestamp) -> (Result<(), LedgerError>, AfterCommit) + Send>;

/// Tells whoever waits, once it is known whether the batch was committed.
pub(super) type AfterCommit = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

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
    pub(super) index: Arc<RwLock<Index>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) queue: mpsc::Receiver<Job>,
    pub(super) failure: watch::Sender<Option<LedgerError>>,
}

impl Writer {
    /// Writes until nobody can send any more, or the disk fails. After a failed sync nothing that
    /// is on its way can be trusted, so nothing more is written.
    pub(super) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut jobs = vec![first];
            while jobs.len() < LARGEST_BATCH {
                let Ok(job) = self.queue.try_recv() else { break };
                jobs.push(job);
            }
            if let Err(failure) = self.write(jobs) {
                self.failure.send_replace(Some(failure));
                return;
            }
        }
    }

    /// Writes one batch. The error is one after which nothing may be written.
    fn write(&mut self, jobs: Vec<Job>) -> Result<(), LedgerError> {
        let (answers, outcome) = self.commit(jobs);
        let result = outcome.map(|changes| {
            changes.publish(&mut self.index.write().unwrap_or_else(PoisonError::into_inner));
        });
        for answer in answers {
            answer(result.clone());
        }
        result.or_else(|error| if is_fatal(&error) { Err(error) } else { Ok(()) })
    }

    fn commit(&mut self, jobs: Vec<Job>) -> (Vec<AfterCommit>, Result<StagedChanges, LedgerError>) {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let mut stage = Stage::new(&index);
        let mut answers = Vec::with_capacity(jobs.len());
        let begun = self.db.transaction_with_behavior(TransactionBehavior::Immediate);
        let mut outcome = begun.map_err(LedgerError::from);
        for job in jobs {
            let now = self.clock.now();
            let batch = outcome.as_ref().map(|db| Tables { db, keys: &mut self.keys });
            let (done, answer) = perform(job, batch, &mut stage, now);
            answers.push(answer);
            if let (Ok(_), Err(error)) = (&outcome, done) {
                outcome = Err(error);
            }
        }
        let committed = outcome.and_then(|transaction| Ok(transaction.commit()?));
        (answers, committed.map(|()| stage.into_changes()))
    }
}

/// Does one job of a batch, unless the batch has failed already. Its answer is kept back until it
/// is known whether the batch was committed.
fn perform(
    job: Job,
    batch: Result<Tables<'_>, &LedgerError>,
    stage: &mut Stage<'_>,
    now: Timestamp,
) -> (Result<(), LedgerError>, AfterCommit) {
    match job {
        Job::Transact(command, answer) => {
            let result = match batch {
                Ok(mut tables) => transaction::transact(&mut tables, stage, &command, now),
                Err(error) => Err(error.clone().into()),
            };
            let done = match &result {
                Err(TransactError::Ledger(error)) => Err(error.clone()),
                _ => Ok(()),
            };
            (done, Box::new(move |committed| tell(answer, result, committed)))
        }
        Job::Settle(id, settlement, answer) => {
            let result = match batch {
                Ok(tables) => outbox::settle(tables.db, id, &settlement, now),
                Err(error) => Err(error.clone()),
            };
            let done = result.clone();
            (done, Box::new(move |committed| tell(answer, result, committed)))
        }
        Job::Other(work) => match batch {
            Ok(tables) => work(tables.db, now),
            // Dropping the work drops its answer, which says that the ledger is closed.
            Err(error) => (Err(error.clone()), Box::new(|_| {})),
        },
    }
}

/// Whoever has gone away in the meantime has no need of the answer.
fn tell<T, E: From<LedgerError>>(
    answer: oneshot::Sender<Result<T, E>>,
    result: Result<T, E>,
    committed: Result<(), LedgerError>,
) {
    let _ = answer.send(committed.map_err(E::from).and(result));
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
}

impl Rows for Tables<'_> {
    fn load(&mut self, row: i64) -> Result<Session, LedgerError> {
        row::load(self.db, row)?.ok_or(LedgerError::Corrupt { what: "row of the index" })
    }

    fn insert(&mut self, session: &Session) -> Result<i64, LedgerError> {
        self.keys.live += 1;
        row::insert(self.db, self.keys.live, session)?;
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
        Ok(id)
    }

    fn learn(&mut self, identifier: IdentifierKey, device: DeviceKey) -> Result<(), LedgerError> {
        self.db
            .prepare_cached("INSERT INTO aliases (identifier, device) VALUES (?1, ?2)")?
            .execute([identifier.0, device.0])?;
        Ok(())
    }
}
