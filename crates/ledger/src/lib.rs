//! Where the truth about sessions is kept.
//!
//! A [`Ledger`] takes commands, decides on them with [`greenwave_core::decide()`] inside its own
//! transaction, and keeps what was decided: the session, what the network owes it, and a row of
//! the outbox for each event. It knows no wire format and no network.
//!
//! One suite of behaviour (`tests/it/conformance`) holds for every implementation.

mod batch;
mod error;
mod index;
mod memory;
mod once;
mod outbox;
mod published;
mod recent;
mod registry;
mod scan;
mod sqlite;
mod stage;
mod standings;
mod transaction;

use std::pin::Pin;
use std::sync::Weak;

use greenwave_core::{
    ApplicationId, Buckets, Changes, Command, DeviceKey, DeviceNames, NamedDevice, Session,
    SessionId, Standing, View,
};
use jiff::Timestamp;

pub use error::{LedgerError, OpenError, TransactError};
pub use memory::{AtOnce, MemoryDisk, MemoryLedger, Pace};
pub use once::{Fingerprint, IdempotencyKey, Once, Performed, REPLIES_KEPT_FOR, Reply, WriteReply};
pub use outbox::{Notification, OutboxId, Outcome, Settlement};
pub use published::Follower;
pub use registry::{
    Application, ApplicationKey, KeyId, LIVE_KEYS_PER_APPLICATION, NewKey, RateLimit, Registry,
    RegistryError,
};
#[doc(hidden)]
pub use sqlite::Storage;
pub use sqlite::{Audit, Backup, BackupError, DirectoryLock, SqliteLedger, audit, back_up};
pub use standings::Standings;

/// An answer that may take a commit's time to come.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The keeper of sessions.
///
/// A command concerns one device and nothing else, so a ledger can be split by device.
pub trait Ledger: Send + Sync {
    /// The device that these names mean now; `None` if there are no names at all.
    fn device<'a>(
        &'a self,
        names: &'a DeviceNames,
    ) -> Answer<'a, Result<Option<NamedDevice>, LedgerError>>;

    /// Loads what the command concerns, decides, and commits what was decided. The answer comes
    /// once it is durable; a refusal has changed nothing.
    fn transact(&self, command: Command) -> Answer<'_, Result<Committed, TransactError>>;

    /// The same for a command that is carried out once for its key, however often it is given: the
    /// reply is kept with what has changed, and a refusal is not kept. Of several that are on their
    /// way, one is carried out.
    fn transact_once(
        &self,
        command: Command,
        once: Once,
    ) -> Answer<'_, Result<Performed, TransactError>>;

    /// What would be said to a command if it were given now, if its key was used before.
    fn recall<'a>(&'a self, once: &'a Once) -> Answer<'a, Result<Option<Performed>, LedgerError>>;

    /// The same as [`Ledger::transact`] for many commands of the gateway's own, which share a
    /// commit: what became of each, in their order.
    fn transact_all(
        &self,
        commands: Vec<Command>,
    ) -> Answer<'_, Vec<Result<Committed, TransactError>>>;

    /// Puts sessions into the order in which they lie in the ledger: whoever changes many goes
    /// through it once, and not to and fro.
    fn arrange(&self, sessions: &mut [SessionId]);

    /// Has someone told of everything that is committed from now on. There can be one.
    fn follow(&self, follower: Weak<dyn Follower>);

    /// A session, as this application may see it now.
    fn session(
        &self,
        application: ApplicationId,
        id: SessionId,
    ) -> Answer<'_, Result<Lookup, LedgerError>>;

    /// What this application may see of a device's sessions and assignments now, the oldest first.
    fn sessions_of_device(
        &self,
        application: ApplicationId,
        device: DeviceKey,
    ) -> Answer<'_, Result<Vec<Seen>, LedgerError>>;

    /// The application whose assignment of this device is in force now, or asked for.
    fn assigned(&self, device: DeviceKey)
    -> Answer<'_, Result<Option<ApplicationId>, LedgerError>>;

    /// A page of all sessions that this application may see now, the oldest first. Assignments are
    /// none.
    fn sessions_of_application(
        &self,
        application: ApplicationId,
        page: Page,
    ) -> Answer<'_, Result<Listed, LedgerError>>;

    /// The sessions with a deadline before `horizon`, in any order. What has changed since it was
    /// asked for may or may not be in it.
    fn deadlines(
        &self,
        horizon: Timestamp,
    ) -> Answer<'_, Result<Vec<(SessionId, Timestamp)>, LedgerError>>;

    /// How many sessions there are that are not history.
    fn size(&self) -> usize;

    /// The sessions of these standings whose devices are in these buckets, in any order. While it
    /// is looked for others things change: each session has been, or not, at some moment.
    fn standing_as(
        &self,
        wanted: &'static [Standing],
        of: Buckets,
    ) -> Answer<'_, Result<Vec<SessionId>, LedgerError>>;

    /// What each of these sessions has to do with the network; `None` for one that is history, or
    /// was never heard of.
    fn standing_of(
        &self,
        sessions: Vec<SessionId>,
    ) -> Answer<'_, Result<Vec<Option<Standing>>, LedgerError>>;

    /// The sessions that the network does not let go of, of all applications.
    fn orphans(&self) -> Answer<'_, Result<Vec<Session>, LedgerError>>;

    /// How much there is of what.
    fn census(&self) -> Answer<'_, Result<Census, LedgerError>>;

    /// The notifications that are due before `horizon`, in any order.
    fn outbox(
        &self,
        horizon: Timestamp,
    ) -> Answer<'_, Result<Vec<(OutboxId, Timestamp)>, LedgerError>>;

    /// A notification that is not settled yet.
    fn notification(&self, id: OutboxId) -> Answer<'_, Result<Option<Notification>, LedgerError>>;

    /// Keeps what became of a try to deliver a notification. Settling what is settled already
    /// changes nothing.
    fn settle(&self, id: OutboxId, settlement: Settlement) -> Answer<'_, Result<(), LedgerError>>;

    /// Erases sessions that ended and events that were settled before this moment, the oldest
    /// first and at most so many of each, and tells how many there were. Only what is over and done
    /// with is erased. As many replies go, too, if they have been kept for as long as they are.
    fn erase(&self, before: Timestamp, at_most: usize) -> Answer<'_, Result<usize, LedgerError>>;

    /// Comes when the ledger can keep nothing any more. Whoever holds it should then give up, and
    /// start anew from what is kept.
    fn failed(&self) -> Answer<'_, LedgerError>;

    /// Takes nothing more, finishes what is under way, and lets go of what it is kept in.
    fn close(&self) -> Answer<'_, ()>;
}

/// How much a ledger holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Sessions, by what they have to do with the network.
    pub sessions: Standings,
    /// Notifications that are not settled.
    pub notifications: usize,
}

/// What was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The session that the command was about.
    pub session: SessionId,
    /// Whether the session is new.
    pub created: bool,
    /// What was decided.
    pub changes: Changes,
    /// The rows of the outbox that came of it, in the order of the events.
    pub outbox: Vec<OutboxId>,
    /// When something is next due for the session, whether or not it has just changed.
    pub deadline: Option<Timestamp>,
}

/// A session and what may be seen of it, both at the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The session.
    pub session: Session,
    /// What may be seen of it.
    pub view: View,
}

/// What became of looking for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// There it is.
    Found(Box<Seen>),
    /// It is another application's.
    Foreign,
    /// There is none, or nothing to be seen of it any more.
    Unknown,
}

/// Which part of a long list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The number of the page, from 0.
    pub index: usize,
    /// How many a page holds.
    pub size: usize,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// What is on the page.
    pub sessions: Vec<Seen>,
    /// Whether another page follows.
    pub more: bool,
}
