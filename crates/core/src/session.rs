//! A session, its phases, and what it looks like from outside at a given time.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::ids::{ApplicationId, DeviceKey, EventId, SessionId};
use crate::ports::{PortSet, PortsSpec};
use crate::profile::ProfileName;
use crate::retry;
use crate::rules::RuleSetId;
use crate::{ApplicationServer, Device, Flow, Pii, Precedence};

/// The duration of what lasts until somebody ends it.
pub const INDEFINITELY: Duration = Duration::from_secs(i64::MAX as u64);

/// What a request asked for. It never changes during the life of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// For which device.
    pub device: Device,
    /// What said which device it is for.
    pub named_by: NamedBy,
    /// For traffic with which server.
    pub server: ApplicationServer,
    /// From and to which ports of the device; `None` is all.
    pub device_ports: Option<PortsSpec>,
    /// From and to which ports of the server; `None` is all.
    pub server_ports: Option<PortsSpec>,
    /// Which quality.
    pub profile: ProfileName,
    /// Where events go, if anywhere.
    pub sink: Option<Sink>,
}

/// What said which device something is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NamedBy {
    /// The request.
    #[default]
    Request,
    /// The token that it was made with, of a person who uses the device. Whoever holds it knows the
    /// device, and is not told.
    Token,
}

/// Where an application wants its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// An absolute `http` or `https` URL. Its path may hold secrets of the application.
    pub url: Pii<Box<str>>,
    /// What the receiver wants to be shown, sealed.
    pub credential: Option<SealedCredential>,
}

/// A credential of a sink as ciphertext. Only the delivery worker can open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedCredential(pub Box<[u8]>);

/// Quality asked for one flow of one device, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What the client calls it.
    pub id: SessionId,
    /// Whose quality it is.
    pub device: DeviceKey,
    /// Who asked.
    pub application: ApplicationId,
    /// Under which rules it was made, and lives.
    pub rules: RuleSetId,
    /// What was asked for.
    pub asked: Arc<Asked>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// How long it is to last from the moment it becomes available, in whole seconds; may be
    /// [`INDEFINITELY`].
    pub duration: Duration,
    /// Where it stands.
    pub phase: Phase,
    /// What the network has still to do for it.
    pub owed: Owed,
    /// How many events there have been.
    pub events: u8,
}

/// The part of a session that decides when something is due for it, and what it has to do with the
/// network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// When it was asked for.
    pub created_at: Timestamp,
    /// How long it is to last from the moment it becomes available, in whole seconds.
    pub duration: Duration,
    /// Where it stands.
    pub phase: Phase,
    /// What the network has still to do for it.
    pub owed: Owed,
}

/// Where a session stands. What a client sees of it is [`Session::view`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The network has been asked and has not answered for good.
    Requested,
    /// The network honours it, until its duration has passed.
    Available {
        /// Since when.
        started_at: Timestamp,
    },
    /// It is over; the network has not yet confirmed that nothing of it is left.
    Ending(End),
    /// It is over, and nothing of it is left in the network.
    Ended(End),
}

/// How a session came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub reason: EndReason,
    /// When it became available, if it ever did.
    pub started_at: Option<Timestamp>,
    /// When it ended: for an expiry the due time, however late it was carried out.
    pub ended_at: Timestamp,
    /// Until when it can still be read (as UNAVAILABLE) and blocks its flow.
    pub readable_until: Option<Timestamp>,
}

/// Why a session ended (CAMARA `statusInfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    /// Its time was up.
    DurationExpired,
    /// The network refused it, gave no answer, or ended it.
    NetworkTerminated,
    /// The application deleted it.
    DeleteRequested,
}

/// What the network has still to do for a session. It is kept with the session, in the same
/// transaction, so that a crash forgets nothing that was promised or built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// Nothing.
    Nothing,
    /// To honour it.
    Provision(Attempts),
    /// To take back whatever it did for it.
    Release(Attempts),
}

/// What a session has to do with the network, whatever a client may see of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// The network has been asked to honour it.
    Requested,
    /// The network honours it.
    Honoured,
    /// The network should honour it, but has lost it, or its device: it has been asked again.
    Lost,
    /// The network has been asked to take back whatever it did for it.
    Leaving,
    /// The network was asked so often without success that somebody should look into it. It is
    /// asked still, but rarely.
    Orphan,
    /// It is over, and nothing of it is in the network.
    Over,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Requested, Self::Honoured, Self::Lost, Self::Leaving, Self::Orphan, Self::Over];
}

/// How often something was tried, and when it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// Tries that have failed so far. One that waits for its turn has not been made.
    pub made: u32,
    /// When the next one is due, unless an answer comes first.
    pub next_at: Timestamp,
}

/// What a client is told about a session's status (CAMARA `qosStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QosStatus {
    /// Asked for.
    Requested,
    /// Provided.
    Available,
    /// Not, or no longer, provided.
    Unavailable,
}

/// A session as a client may see it at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Its status.
    pub status: QosStatus,
    /// Why it is unavailable.
    pub reason: Option<EndReason>,
    /// When it became available.
    pub started_at: Option<Timestamp>,
    /// When it ends, or ended.
    pub expires_at: Option<Timestamp>,
    /// Requested or available: how long it lasts overall. Unavailable: how long it lasted.
    pub duration: Duration,
}

/// A change of status that the application is told of, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub id: EventId,
    /// Whose session it is.
    pub application: ApplicationId,
    /// Under which rules, which decide its form.
    pub rules: RuleSetId,
    /// When the status changed.
    pub at: Timestamp,
    /// Available or unavailable.
    pub status: QosStatus,
    /// Why it is unavailable.
    pub reason: Option<EndReason>,
    /// Where it goes. Without a sink it is only shown to whoever is looking.
    pub sink: Option<Sink>,
}

/// What a network is asked to do for a session, or to undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The session; whatever the network does is idempotent by it.
    pub session: SessionId,
    /// The device.
    pub device: DeviceKey,
    /// The device's addresses, the flow and the profile.
    pub asked: Arc<Asked>,
    /// Where this session stands among those of its device that share packets with it.
    pub precedence: Precedence,
}

impl Asked {
    /// The traffic that is meant.
    #[must_use]
    pub fn flow(&self) -> Flow {
        let set = |ports: &Option<PortsSpec>| match ports {
            Some(ports) => ports.to_set(),
            None => PortSet::all(),
        };
        Flow {
            networks: self.server.networks().collect(),
            device_ports: set(&self.device_ports),
            server_ports: set(&self.server_ports),
        }
    }
}

impl Course {
    /// Until when a client can see it, if nothing happens before; `None` if nobody can any more.
    ///
    /// It is the time that ends a session, not the worker that carries it out: from `expires_at`
    /// on, an available session is gone.
    #[must_use]
    pub fn visible_until(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Requested => Some(Timestamp::MAX),
            Phase::Available { started_at } => {
                Some(self.expiry(started_at).unwrap_or(Timestamp::MAX))
            }
            Phase::Ending(end) | Phase::Ended(end) => end.readable_until,
        }
    }

    /// When it expires if it became available at this moment; `None` if it never does.
    #[must_use]
    pub fn expiry(&self, started_at: Timestamp) -> Option<Timestamp> {
        started_at.checked_add(self.duration).ok()
    }

    /// When something is due even if nobody asks: an expiry, a try, the end of being readable.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let next_try = match self.owed {
            Owed::Nothing => None,
            Owed::Provision(attempts) | Owed::Release(attempts) => Some(attempts.next_at),
        };
        match self.phase {
            Phase::Requested => {
                let give_up = self.gives_up_at();
                Some(next_try.map_or(give_up, |next| next.min(give_up)))
            }
            Phase::Available { started_at } => {
                [next_try, self.expiry(started_at)].into_iter().flatten().min()
            }
            Phase::Ending(_) => next_try,
            Phase::Ended(end) => end.readable_until,
        }
    }

    /// What it has to do with the network.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (self.phase, self.owed) {
            (Phase::Requested, _) => Standing::Requested,
            (Phase::Available { .. }, Owed::Nothing) => Standing::Honoured,
            (Phase::Available { .. }, _) => Standing::Lost,
            (_, Owed::Release(attempts)) if attempts.made >= retry::RELEASE_ORPHANED_AFTER => {
                Standing::Orphan
            }
            (_, Owed::Release(_)) => Standing::Leaving,
            (Phase::Ending(_) | Phase::Ended(_), _) => Standing::Over,
        }
    }

    /// When the network has had its time to answer.
    #[must_use]
    pub fn gives_up_at(&self) -> Timestamp {
        self.created_at + retry::PROVISION_GIVEN_UP_AFTER
    }
}

impl Session {
    /// What decides about its times.
    #[must_use]
    pub fn course(&self) -> Course {
        let Self { created_at, duration, phase, owed, .. } = *self;
        Course { created_at, duration, phase, owed }
    }

    /// [`Course::visible_until`]
    #[must_use]
    pub fn visible_until(&self) -> Option<Timestamp> {
        self.course().visible_until()
    }

    /// What a client may see at `now`; `None` once there is nothing to see any more.
    #[must_use]
    pub fn view(&self, now: Timestamp) -> Option<View> {
        self.visible_until().filter(|&until| now < until)?;
        let (status, started_at, expires_at) = match self.phase {
            Phase::Requested => (QosStatus::Requested, None, None),
            Phase::Available { started_at } => {
                (QosStatus::Available, Some(started_at), self.course().expiry(started_at))
            }
            Phase::Ending(end) | Phase::Ended(end) => return Some(self.view_of_end(end)),
        };
        Some(View { status, reason: None, started_at, expires_at, duration: self.duration })
    }

    fn view_of_end(&self, end: End) -> View {
        let lasted = |started_at: Timestamp| {
            let lasted = end.ended_at.duration_since(started_at).unsigned_abs();
            Duration::from_secs(lasted.as_secs().max(1))
        };
        View {
            status: QosStatus::Unavailable,
            reason: Some(end.reason),
            started_at: end.started_at,
            expires_at: Some(end.ended_at),
            duration: end.started_at.map_or(self.duration, lasted),
        }
    }

    /// [`Course::deadline`]
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.course().deadline()
    }

    /// [`Course::standing`]
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.course().standing()
    }

    /// [`Course::gives_up_at`]
    #[must_use]
    pub fn gives_up_at(&self) -> Timestamp {
        self.course().gives_up_at()
    }

    /// What the network is told about it.
    #[must_use]
    pub fn order(&self) -> Order {
        Order {
            session: self.id,
            device: self.device,
            asked: Arc::clone(&self.asked),
            precedence: Precedence::new(&self.asked.flow(), self.created_at, self.id),
        }
    }
}
