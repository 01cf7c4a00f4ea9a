//! A batch: commands that are committed together or not at all, and answered once that is known.
//!
//! Each sees what those before it have changed. Nobody else does until the batch is committed, and
//! nobody is answered before.

use std::sync::PoisonError;

use greenwave_core::Command;
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::index::Index;
use crate::once::kept_since;
use crate::published::Published;
use crate::stage::{Stage, StagedChanges};
use crate::transaction::{self, Rows};
use crate::{Committed, LedgerError, Once, OutboxId, Performed, Settlement, TransactError};

/// How many commands may share a commit. More would gain nothing and delay the first of them.
pub(crate) const LARGEST: usize = 1_024;

/// How many jobs may wait for one.
pub(crate) const QUEUE: usize = 8_192;

/// How many jobs may be waiting when a request comes. More than a tenth of a second's work would
/// only be answered late, and whoever asked may have gone away without that being noticed here.
const QUEUE_FOR_REQUESTS: usize = 1_024;

/// What became of a command.
pub(crate) type Transacted = Result<Committed, TransactError>;

/// What became of a command that is carried out once.
type TransactedOnce = Result<Performed, TransactError>;

/// Something to do, and who waits for its answer.
pub(crate) enum Job {
    Transact(Command, oneshot::Sender<Transacted>),
    /// Apart, so that the others stay small.
    TransactOnce(Box<(Command, Once)>, oneshot::Sender<TransactedOnce>),
    TransactAll(Vec<Command>, oneshot::Sender<Vec<Transacted>>),
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
    if QUEUE - queue.capacity() >= QUEUE_FOR_REQUESTS {
        return Err(LedgerError::Busy);
    }
    queue.try_send(job).map_err(|error| match error {
        TrySendError::Full(_) => LedgerError::Busy,
        TrySendError::Closed(_) => LedgerError::Closed,
    })
}

impl Job {
    /// How many commands it is.
    pub(crate) fn commands(&self) -> usize {
        match self {
            Self::TransactAll(commands, _) => commands.len(),
            _ => 1,
        }
    }

    /// Answers that nothing was done.
    pub(crate) fn refuse(self, error: &LedgerError) {
        match self {
            Self::Transact(_, answer) => drop(answer.send(Err(error.clone().into()))),
            Self::TransactOnce(_, answer) => drop(answer.send(Err(error.clone().into()))),
            Self::TransactAll(commands, answer) => {
                let refused = commands.iter().map(|_| Err(error.clone().into()));
                drop(answer.send(refused.collect()));
            }
            Self::Settle(_, _, answer) => drop(answer.send(Err(error.clone()))),
            Self::Erase(_, _, answer) => drop(answer.send(Err(error.clone()))),
        }
    }
}

/// Tells whoever waits, once it is known whether the batch was committed.
pub(crate) type AfterCommit = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

/// What was done, and who is to be told once it is known whether the batch was committed.
#[expect(clippy::large_enum_variant, reason = "most of them are of the large one")]
enum Done {
    Transact(Transacted, oneshot::Sender<Transacted>),
    TransactOnce(TransactedOnce, oneshot::Sender<TransactedOnce>),
    TransactAll(Vec<Transacted>, oneshot::Sender<Vec<Transacted>>),
    Other(AfterCommit),
}

impl Done {
    fn committed(&self) -> impl Iterator<Item = &Committed> {
        let (one, many): (Option<&Committed>, &[Transacted]) = match self {
            Self::Transact(result, _) => (result.as_ref().ok(), &[]),
            Self::TransactOnce(Ok(Performed::Now(committed, _)), _) => (Some(committed), &[]),
            Self::TransactAll(results, _) => (None, results),
            Self::TransactOnce(..) | Self::Other(_) => (None, &[]),
        };
        one.into_iter().chain(many.iter().flatten())
    }

    /// Whoever has gone away in the meantime has no need of the answer.
    fn tell(self, committed: &Result<(), LedgerError>) {
        let final_result = |result: Transacted| match committed {
            Ok(()) => result,
            Err(error) => Err(error.clone().into()),
        };
        match self {
            Self::Transact(result, answer) => drop(answer.send(final_result(result))),
            Self::TransactOnce(result, answer) => {
                let result = match committed {
                    Ok(()) => result,
                    Err(error) => Err(error.clone().into()),
                };
                drop(answer.send(result));
            }
            Self::TransactAll(results, answer) => {
                drop(answer.send(results.into_iter().map(final_result).collect()));
            }
            Self::Other(answer) => answer(committed.clone()),
        }
    }
}

/// A batch to which commands are added.
pub(crate) struct Batch<'a> {
    stage: Stage<'a>,
    done: Vec<Done>,
    outcome: Result<(), LedgerError>,
}

/// A batch to which nothing is added any more. It is to be committed if it is sound, and then
/// published, in any case.
pub(crate) struct Closed {
    done: Vec<Done>,
    outcome: Result<StagedChanges, LedgerError>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(index: &'a Index) -> Self {
        Self { stage: Stage::new(index), done: Vec::new(), outcome: Ok(()) }
    }

    /// Carries out a job. Once one has failed, the batch is lost and nothing more is tried.
    pub(crate) fn perform(&mut self, rows: &mut impl Rows, job: Job, now: Timestamp) {
        match job {
            Job::Transact(command, answer) => {
                let result = self.transact(rows, &command, now);
                self.done.push(Done::Transact(result, answer));
            }
            Job::TransactOnce(job, answer) => {
                let (command, once) = *job;
                let result = self.carry_out(rows, |rows, stage| {
                    transaction::transact_once(rows, stage, &command, &once, now)
                });
                self.done.push(Done::TransactOnce(result, answer));
            }
            Job::TransactAll(commands, answer) => {
                let transact = |command: &Command| self.transact(rows, command, now);
                let results = commands.iter().map(transact).collect();
                self.done.push(Done::TransactAll(results, answer));
            }
            Job::Settle(id, settlement, answer) => {
                let result = self.outcome.clone().and_then(|()| rows.settle(id, &settlement, now));
                let failed = result.clone();
                self.note(failed, Box::new(move |committed| tell(answer, result, committed)));
            }
            Job::Erase(before, at_most, answer) => {
                let result = self.erase(rows, before, at_most, now);
                let failed = result.clone().map(drop);
                self.note(failed, Box::new(move |committed| tell(answer, result, committed)));
            }
        }
    }

    fn transact(&mut self, rows: &mut impl Rows, command: &Command, now: Timestamp) -> Transacted {
        self.carry_out(rows, |rows, stage| transaction::transact(rows, stage, command, now))
    }

    fn carry_out<R: Rows, T>(
        &mut self,
        rows: &mut R,
        work: impl FnOnce(&mut R, &mut Stage<'a>) -> Result<T, TransactError>,
    ) -> Result<T, TransactError> {
        if let Err(error) = &self.outcome {
            return Err(error.clone().into());
        }
        let result = work(rows, &mut self.stage);
        match &result {
            // Found when reading, before anything was written: it concerns nobody else.
            Err(TransactError::Ledger(LedgerError::Corrupt { .. })) => {}
            Err(TransactError::Ledger(error)) => self.outcome = Err(error.clone()),
            _ => {}
        }
        result
    }

    fn erase(
        &mut self,
        rows: &mut impl Rows,
        before: Timestamp,
        at_most: usize,
        now: Timestamp,
    ) -> Result<usize, LedgerError> {
        self.outcome.clone()?;
        let kept_since = kept_since(now);
        let erased = rows.erase(before, at_most)? + rows.erase_replies(kept_since, at_most)?;
        self.stage.erase_replies(kept_since, at_most);
        Ok(erased)
    }

    /// Adds something that was done, or not, and who is to be told.
    pub(crate) fn note(&mut self, done: Result<(), LedgerError>, answer: AfterCommit) {
        self.done.push(Done::Other(answer));
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
        Closed { done: self.done, outcome: self.outcome.map(|()| changes) }
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

    /// Publishes what was committed to the readers, has it followed up, and answers. It takes its
    /// time until here: nobody knows of anything before.
    pub(crate) fn publish(self, published: &Published) -> Result<(), LedgerError> {
        let result = self.outcome.map(|changes| {
            let mut index = published.index.write().unwrap_or_else(PoisonError::into_inner);
            changes.publish(&mut index, &published.sessions);
        });
        reached(Point::LedgerPublished);
        if result.is_ok() {
            let mut committed = self.done.iter().flat_map(Done::committed).peekable();
            if committed.peek().is_some() {
                published.followed.tell(&mut committed);
            }
        }
        let (done, outcome) = (self.done, result.clone());
        let tell = move || done.into_iter().for_each(|done| done.tell(&outcome));
        match &published.runtime {
            // To wake many from inside takes a fraction of what it takes from another thread.
            Some(runtime) => drop(runtime.spawn(async move { tell() })),
            None => tell(),
        }
        result
    }
}

/// Whoever has gone away in the meantime has no need of the answer.
fn tell<T>(
    answer: oneshot::Sender<Result<T, LedgerError>>,
    result: Result<T, LedgerError>,
    committed: Result<(), LedgerError>,
) {
    let _ = answer.send(committed.and(result));
}
