//! A batch: commands that are committed together or not at all, and answered once that is known.
//!
//! Each sees what those before it have changed. Nobody else does until the batch is committed, and
//! nobody is answered before.

use std::sync::{PoisonError, RwLock};

use greenwave_core::Command;
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::index::Index;
use crate::stage::{Stage, StagedChanges};
use crate::transaction::{self, Rows};
use crate::{Committed, LedgerError, OutboxId, Settlement, TransactError};

/// How many commands may share a commit. More would gain nothing and delay the first of them.
pub(crate) const LARGEST: usize = 512;

/// How many commands may wait for one.
pub(crate) const QUEUE: usize = 8_192;

/// A command, and who waits for its answer.
pub(crate) enum Job {
    Transact(Command, oneshot::Sender<Result<Committed, TransactError>>),
    Settle(OutboxId, Settlement, oneshot::Sender<Result<(), LedgerError>>),
    Erase(Timestamp, usize, oneshot::Sender<Result<usize, LedgerError>>),
}

/// Joins the queue. What is urgent waits for room; the rest is refused when there is none.
pub(crate) async fn enter<J>(
    queue: &mpsc::Sender<J>,
    job: J,
    urgent: bool,
) -> Result<(), LedgerError> {
    if urgent {
        return queue.send(job).await.map_err(|_| LedgerError::Closed);
    }
    queue.try_send(job).map_err(|error| match error {
        TrySendError::Full(_) => LedgerError::Busy,
        TrySendError::Closed(_) => LedgerError::Closed,
    })
}

impl Job {
    /// Answers that nothing was done.
    pub(crate) fn refuse(self, error: &LedgerError) {
        match self {
            Self::Transact(_, answer) => drop(answer.send(Err(error.clone().into()))),
            Self::Settle(_, _, answer) => drop(answer.send(Err(error.clone()))),
            Self::Erase(_, _, answer) => drop(answer.send(Err(error.clone()))),
        }
    }
}

/// Tells whoever waits, once it is known whether the batch was committed.
pub(crate) type AfterCommit = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// A batch to which commands are added.
pub(crate) struct Batch<'a> {
    stage: Stage<'a>,
    answers: Vec<AfterCommit>,
    outcome: Result<(), LedgerError>,
}

/// A batch to which nothing is added any more. It is to be committed if it is sound, and then
/// published, in any case.
pub(crate) struct Closed {
    answers: Vec<AfterCommit>,
    outcome: Result<StagedChanges, LedgerError>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(index: &'a Index) -> Self {
        Self { stage: Stage::new(index), answers: Vec::new(), outcome: Ok(()) }
    }

    /// Carries out a command. Once one has failed, the batch is lost and nothing more is tried.
    pub(crate) fn perform(&mut self, rows: &mut impl Rows, job: Job, now: Timestamp) {
        match job {
            Job::Transact(command, answer) => {
                let stage = &mut self.stage;
                let result = match &self.outcome {
                    Ok(()) => transaction::transact(rows, stage, &command, now),
                    Err(error) => Err(error.clone().into()),
                };
                let failed = match &result {
                    // Found when reading, before anything was written: it concerns nobody else.
                    Err(TransactError::Ledger(LedgerError::Corrupt { .. })) => Ok(()),
                    Err(TransactError::Ledger(error)) => Err(error.clone()),
                    _ => Ok(()),
                };
                self.note(failed, Box::new(move |committed| tell(answer, result, committed)));
            }
            Job::Settle(id, settlement, answer) => {
                let result = match &self.outcome {
                    Ok(()) => rows.settle(id, &settlement, now),
                    Err(error) => Err(error.clone()),
                };
                let failed = result.clone();
                self.note(failed, Box::new(move |committed| tell(answer, result, committed)));
            }
            Job::Erase(before, at_most, answer) => {
                let result = match &self.outcome {
                    Ok(()) => rows.erase(before, at_most),
                    Err(error) => Err(error.clone()),
                };
                let failed = result.clone().map(drop);
                self.note(failed, Box::new(move |committed| tell(answer, result, committed)));
            }
        }
    }

    /// Adds something that was done, or not, and who is to be told.
    pub(crate) fn note(&mut self, done: Result<(), LedgerError>, answer: AfterCommit) {
        self.answers.push(answer);
        if self.outcome.is_ok() {
            self.outcome = done;
        }
    }

    /// Whether all that was added has been done.
    pub(crate) fn outcome(&self) -> &Result<(), LedgerError> {
        &self.outcome
    }

    /// What is to be committed, free of the index that it was decided on.
    pub(crate) fn close(self) -> Closed {
        let changes = self.stage.into_changes();
        Closed { answers: self.answers, outcome: self.outcome.map(|()| changes) }
    }
}

impl Closed {
    /// Whether all that was added has been done, so that it may be committed.
    pub(crate) fn is_sound(&self) -> bool {
        self.outcome.is_ok()
    }

    /// It could not be committed.
    pub(crate) fn fail(&mut self, error: LedgerError) {
        self.outcome = Err(error);
    }

    /// Publishes what was committed to the readers, and answers. It takes its time until here:
    /// nobody knows of anything before.
    pub(crate) fn publish(self, index: &RwLock<Index>) -> Result<(), LedgerError> {
        let result = self.outcome.map(|changes| {
            changes.publish(&mut index.write().unwrap_or_else(PoisonError::into_inner));
        });
        reached(Point::LedgerPublished);
        for answer in self.answers {
            answer(result.clone());
        }
        result
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
