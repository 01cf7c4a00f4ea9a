//! Networks that honour sessions, behind one trait.
//!
//! A driver is given [`Order`]s and does what they say, once per session however often it is told.
//! It knows no wire format, no ledger and no other driver. What it learns on its own it reports as
//! [`NetworkEvent`]s.
//!
//! One suite of behaviour (`tests/it/conformance.rs`) holds for every driver.

pub mod simulator;
mod timer;

use std::pin::Pin;
use std::time::Duration;

use greenwave_core::{Buckets, Order, SessionId};
use tokio::sync::mpsc;

pub use simulator::Simulator;
pub use timer::{ManualTimer, Timer};

/// An answer that may take the network's time to come.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something that can treat one flow better than others.
///
/// Every call may be repeated, and may be abandoned by its caller without harm: a driver carries
/// on with what it has begun, and reports a grant that comes late as an event.
pub trait Network: Send + Sync {
    /// Asks for a session to be honoured. For one that is honoured already, the answer is
    /// [`Provisioned::Granted`] again.
    fn provision(&self, order: Order) -> Answer<'_, Result<Provisioned, NetworkError>>;

    /// Takes back whatever was done for a session. The answer comes when nothing is left of it;
    /// that there was nothing counts only if the network itself says so.
    fn release(&self, order: Order) -> Answer<'_, Result<(), NetworkError>>;

    /// What of ours is in the network for the sessions of these buckets, and nothing else; `None`
    /// if it cannot be listed.
    ///
    /// The list shows no one moment: what is installed or taken away while it is made may be on it
    /// or not. What is there all the while is on it.
    fn installed(&self, of: Buckets) -> Answer<'_, Result<Option<Vec<Installed>>, NetworkError>>;

    /// Removes something of ours that belongs to no session.
    fn remove(&self, installed: Installed) -> Answer<'_, Result<(), NetworkError>>;

    /// What the network says on its own. It can be taken once; events wait, in a bounded queue,
    /// until they are.
    fn events(&self) -> Option<mpsc::Receiver<NetworkEvent>>;
}

/// How a network answers when it is asked to honour a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisioned {
    /// It does, from now on.
    Granted,
    /// It has understood; an event will say what becomes of it.
    Pending,
    /// It will not.
    Refused,
}

/// Something of ours in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Installed {
    /// The session that it was made for.
    pub session: SessionId,
}

/// What a network says on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkEvent {
    /// About which session.
    pub session: SessionId,
    /// What has become of it.
    pub news: News,
}

/// What can become of a session in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It is honoured.
    Granted,
    /// It will not be honoured.
    Refused,
    /// It is no longer honoured.
    Ended,
    /// Its device has left the network, and whatever was there for it is gone.
    Detached,
    /// Its device is back in the network. It is told of what went with the device, and of what a
    /// call has failed for with [`NetworkError::NotAttached`], unless that was released since.
    Attached,
}

/// Why a call to the network failed. Whether it had an effect is unknown where nothing is said of
/// it.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// It could not be reached, or its answer not be understood.
    #[error("the network cannot be reached: {0}")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It wants to be left alone for a while.
    #[error("the network is busy")]
    Busy {
        /// For how long, if it says so.
        retry_after: Option<Duration>,
    },
    /// The device is not in the network, so nothing was done for it. That it comes back is told by
    /// [`News::Attached`].
    #[error("the device is not attached to the network")]
    NotAttached,
}
