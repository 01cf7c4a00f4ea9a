//! Backups: what a gateway has to keep, in one file, and a data directory made from such a file.
//!
//! A restore never sends an event twice. What the copy shows as not yet delivered may have been
//! delivered after it was taken, and so may the end of a session that was over before the restore:
//! both are kept as dead. What happens afterwards is told as ever, under ids that were never used.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::join_all;
use greenwave_core::{Clock, Command};
use greenwave_ledger::{
    Audit, Backup, BackupError, Ledger, LedgerError, OpenError, OutboxId, Outcome, Settlement,
    SqliteLedger, TransactError,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::secrets::{SecretError, Secrets};

/// What is said of a notification that a restore gives up.
const NOTE: &str = "not sent: restored from a backup";

/// How many are attended to at a time, so that they share a commit.
const AT_ONCE: usize = 256;

/// Why there is no backup, or no directory made from it. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger cannot be copied, or the copy is of no use.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The secret cannot be had, or put.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There is something in the directory.
    #[error("{} is not empty: name a new directory with --data", .0.display())]
    NotEmpty(PathBuf),
    /// The directory cannot be used.
    #[error("cannot use the directory {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The ledger that was made cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Backup(error.into())
    }
}

/// What a restore has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The moment that the backup shows.
    pub taken_at: Timestamp,
    /// Notifications that are not sent.
    pub not_sent: usize,
}

/// Copies everything that has to be kept in a data directory into one file, which must not be there
/// yet: the ledger as it is at one moment, and the secret. A gateway may be running.
pub fn take(directory: &Path, into: &Path, now: Timestamp) -> Result<(), Error> {
    let secret = Secrets::read(directory)?;
    Ok(greenwave_ledger::back_up(directory, into, secret.expose_secret(), now)?)
}

/// Looks at a backup: when it was taken, what is in it, and whether it is sound.
pub fn look(file: &Path) -> Result<(Timestamp, Audit), Error> {
    let backup = Backup::open(file)?;
    Ok((backup.taken_at(), backup.audit()?))
}

/// Makes a data directory from a backup. It must be empty, or not there yet.
///
/// `resend` sends what was waiting when the backup was taken, and the ends of sessions that were
/// over before `now`. Each has the id that it had, by which its receiver can tell that it has it.
pub async fn restore(
    file: &Path,
    directory: &Path,
    now: Timestamp,
    resend: bool,
) -> Result<Restored, Error> {
    let backup = Backup::open(file)?;
    make_empty(directory)?;
    let secret = SecretString::from(backup.unpack(directory, now, resend)?);
    let mut not_sent = 0;
    if !resend {
        let ledger = SqliteLedger::open(directory, Arc::new(Moment(now)))?;
        let mut waiting = waiting(&ledger).await?;
        not_sent = waiting.len();
        give_up(&ledger, waiting).await?;
        end_what_is_over(&ledger, now).await?;
        waiting = ended_before(&ledger, now).await?;
        not_sent += waiting.len();
        give_up(&ledger, waiting).await?;
        ledger.close().await;
    }
    // Last of all: a directory with a ledger and no secret is refused by whoever is to use it.
    Secrets::put(directory, &secret)?;
    Ok(Restored { taken_at: backup.taken_at(), not_sent })
}

fn make_empty(directory: &Path) -> Result<(), Error> {
    use std::os::unix::fs::DirBuilderExt;
    let error = |source| Error::Directory { path: directory.to_owned(), source };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory).map_err(error)?;
    match std::fs::read_dir(directory).map_err(error)?.next() {
        None => Ok(()),
        Some(_) => Err(Error::NotEmpty(directory.to_owned())),
    }
}

/// Attends to what came due between the backup and now, as a gateway does at its start.
async fn end_what_is_over(ledger: &SqliteLedger, now: Timestamp) -> Result<(), LedgerError> {
    let due = ledger.deadlines(now).await?;
    for due in due.chunks(AT_ONCE) {
        let commands = due.iter().map(|&(session, _)| Command::Due { session });
        for result in join_all(commands.map(|command| ledger.transact(command))).await {
            if let Err(TransactError::Ledger(error)) = result {
                return Err(error);
            }
        }
    }
    Ok(())
}

async fn waiting(ledger: &SqliteLedger) -> Result<Vec<OutboxId>, LedgerError> {
    Ok(ledger.outbox(Timestamp::MAX).await?.into_iter().map(|(id, _)| id).collect())
}

/// Of the ends that have just been kept, those that had their time before, when the gateway that
/// was lost may have told of them. What has ended only now, it cannot know.
async fn ended_before(ledger: &SqliteLedger, now: Timestamp) -> Result<Vec<OutboxId>, LedgerError> {
    let mut before = Vec::new();
    for id in waiting(ledger).await? {
        let told = ledger.notification(id).await?;
        before.extend(told.filter(|told| told.event.at < now).map(|told| told.id));
    }
    Ok(before)
}

async fn give_up(ledger: &SqliteLedger, notifications: Vec<OutboxId>) -> Result<(), LedgerError> {
    for some in notifications.chunks(AT_ONCE) {
        let dead = || Settlement::Done { outcome: Outcome::Dead, note: NOTE.to_owned() };
        for result in join_all(some.iter().map(|&id| ledger.settle(id, dead()))).await {
            result?;
        }
    }
    Ok(())
}

/// The time of a restore, which takes none.
struct Moment(Timestamp);

impl Clock for Moment {
    fn now(&self) -> Timestamp {
        self.0
    }
}
