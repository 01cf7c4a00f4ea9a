//! The one function that changes sessions.

mod attachment;
mod create;
mod due;
mod end;
mod extend;
mod network;
#[cfg(test)]
mod state_graph;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::ids::{ApplicationId, DeviceKey, SessionId};
use crate::naming::DeviceNames;
use crate::rules::{RuleSetId, Subject};
use crate::session::{Asked, Event, Order, Session};

pub use network::NetworkReport;

/// How many live sessions one application may have on one device.
pub const LIVE_SESSIONS_PER_DEVICE: usize = 100;

/// How many sessions a device may have in a ledger, those included that wait for the network to
/// let go of them. It bounds what one decision has to look at.
pub const KEPT_SESSIONS_PER_DEVICE: usize = 1_000;

/// What a ledger holds of one device: the sessions that are not yet history.
///
/// For a command that names a session it is enough to hold that one ([`Command::session`]).
#[derive(Clone, Debug, Default)]
pub struct DeviceState {
    /// The sessions, in any order.
    pub sessions: Vec<Session>,
}

/// Something that may change a session of one device.
#[derive(Clone, Debug)]
pub enum Command {
    /// An application asks for a session.
    Create(Create),
    /// An application wants a session to last longer.
    Extend {
        /// Which one.
        session: SessionId,
        /// Who asks.
        application: ApplicationId,
        /// Under which rules.
        rules: RuleSetId,
        /// By how much.
        by: Duration,
        /// What its profile allows overall, where the rules ask for that.
        overall_at_most: Duration,
    },
    /// An application has no more need of a session.
    Delete {
        /// Which one.
        session: SessionId,
        /// Who asks.
        application: ApplicationId,
        /// What it is thought to be: what is something else is unknown.
        subject: Subject,
    },
    /// The network has something to say about a session.
    Network {
        /// Which one.
        session: SessionId,
        /// What it says.
        report: NetworkReport,
    },
    /// A session's deadline may have passed.
    Due {
        /// Which one.
        session: SessionId,
    },
    /// The operator gives up a session that the network does not let go of.
    Abandon {
        /// Which one.
        session: SessionId,
    },
    /// The sandbox is cleared: it is to be as if the session had never been.
    Forget {
        /// Which one.
        session: SessionId,
    },
    /// The gateway has started anew: whatever is owed for a session is to be tried at once.
    Resume {
        /// Which one.
        session: SessionId,
    },
}

/// A new session, checked and ready to be decided on.
#[derive(Clone, Debug)]
pub struct Create {
    /// Its id, already drawn, in the bucket of its device.
    pub id: SessionId,
    /// For which device.
    pub device: DeviceKey,
    /// What the request called the device. The ledger learns them, in the same transaction.
    pub names: DeviceNames,
    /// For which application.
    pub application: ApplicationId,
    /// Under which rules.
    pub rules: RuleSetId,
    /// What was asked for.
    pub asked: Arc<Asked>,
    /// How long it is to last.
    pub duration: Duration,
}

/// What is to be committed, together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The session as it is from now on; `None` if nothing changes.
    pub session: Option<Session>,
    /// Whether the session is history now: kept, but no longer live.
    pub retired: bool,
    /// What is to be done once this is committed.
    pub effects: Vec<Effect>,
}

/// Something that a committed change asks for.
///
/// Orders are also in the session ([`Session::owed`]) and come again if they are lost. An event is
/// a row of the outbox, written in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The network is to honour a session.
    Provision(Order),
    /// The network is to take back whatever it did for a session.
    Release(Order),
    /// The application is to be told.
    Notify(Event),
}

/// Why a command changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such session, or none to be seen any more.
    #[error("there is no session with this id")]
    Unknown,
    /// The session is another application's.
    #[error("the session is not this application's")]
    Foreign,
    /// Another application's session is in the way. Nothing more may be told of it.
    #[error("another session exists for this device and flow")]
    Conflict,
    /// A session of the same application is in the way.
    #[error("session {0} exists for this device and flow")]
    OwnConflict(SessionId),
    /// The device has an assignment already. Whose it is is not told.
    #[error("an assignment exists for this device")]
    Assigned,
    /// The application has as many sessions on this device as it may.
    #[error("there are {limit} live sessions of this application on this device already")]
    TooManySessions {
        /// How many it may have.
        limit: usize,
    },
    /// The network has not let go of enough of the device's past sessions.
    #[error("the network is still releasing this device's past sessions")]
    DeviceBusy,
    /// The session is over, or not yet available where that is needed.
    #[error("the session is not active")]
    NotActive,
    /// The session is no orphan: the network is still asked to release it.
    #[error("the session is no orphan")]
    NoOrphan,
}

impl Command {
    /// The session that it is about. A create concerns its device's other sessions, too.
    #[must_use]
    pub fn session(&self) -> SessionId {
        match self {
            Self::Create(create) => create.id,
            Self::Extend { session, .. }
            | Self::Delete { session, .. }
            | Self::Network { session, .. }
            | Self::Due { session }
            | Self::Abandon { session }
            | Self::Forget { session }
            | Self::Resume { session } => *session,
        }
    }

    /// Whether an application asked for it, and can ask again. Everything else happens anyway and
    /// has to be kept.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Extend { .. } | Self::Delete { .. })
    }
}

impl Changes {
    fn none() -> Self {
        Self::default()
    }

    fn of(session: Session, effects: Vec<Effect>) -> Self {
        Self { session: Some(session), retired: false, effects }
    }
}

/// Decides what `command` changes at `now`, given what the ledger holds of the device.
///
/// It is pure: the same arguments give the same answer, and nothing else is looked at.
pub fn decide(state: &DeviceState, command: &Command, now: Timestamp) -> Result<Changes, Refusal> {
    match command {
        Command::Create(create) => create::create(state, create, now),
        Command::Extend { session, application, rules, by, overall_at_most } => {
            let session = owned(state, *session, *application, rules.subject(), now)?;
            extend::extend(session, rules.rules(), *by, *overall_at_most, now)
        }
        Command::Delete { session, application, subject } => {
            let session = owned(state, *session, *application, *subject, now)?;
            Ok(end::delete(session, now))
        }
        Command::Network { session, report } => {
            Ok(network::report(find(state, *session)?, *report, now))
        }
        Command::Due { session } => Ok(due::due(find(state, *session)?, now)),
        Command::Abandon { session } => end::abandon(find(state, *session)?),
        Command::Forget { session } => Ok(end::forget(find(state, *session)?, now)),
        Command::Resume { session } => Ok(due::resume(find(state, *session)?, now)),
    }
}

fn find(state: &DeviceState, id: SessionId) -> Result<&Session, Refusal> {
    state.sessions.iter().find(|session| session.id == id).ok_or(Refusal::Unknown)
}

/// The session, if a client may see it and it is this application's. What nobody can see any more
/// is unknown to its owner and to others alike.
fn owned(
    state: &DeviceState,
    id: SessionId,
    application: ApplicationId,
    subject: Subject,
    now: Timestamp,
) -> Result<&Session, Refusal> {
    let session = find(state, id)?;
    if session.view(now).is_none() || session.rules.subject() != subject {
        return Err(Refusal::Unknown);
    }
    if session.application == application { Ok(session) } else { Err(Refusal::Foreign) }
}
