//! What is carried out once, however often it is asked for: the reply to a request that named an
//! idempotency key is kept, in the transaction that carried it out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use greenwave_core::{ApplicationId, Session, SessionId, View};
use jiff::Timestamp;

use crate::Committed;

/// For how long a reply is kept. After that the same request is a new one.
pub const REPLIES_KEPT_FOR: Duration = Duration::from_secs(86_400);

/// What an application calls a request that it may make again: a keyed hash, as random as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub [u8; 16]);

/// What tells a request from others that were given the same key: a keyed hash of all that it asks
/// for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

/// Writes the reply to a request, from the session as it then is. The ledger keeps the bytes, and
/// knows nothing of them.
pub type WriteReply = Arc<dyn Fn(&Session, &View) -> Vec<u8> + Send + Sync>;

/// How a command is known that is to be carried out once.
#[derive(Clone)]
pub struct Once {
    /// Whose it is. Keys of one application are nothing to another.
    pub application: ApplicationId,
    /// What the application calls it.
    pub key: IdempotencyKey,
    /// What it asks for.
    pub request: Fingerprint,
    /// How many replies are kept for the application: the oldest make room for others.
    pub at_most: usize,
    /// How its reply is written.
    pub write: WriteReply,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What was answered to a request, and is answered again.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// The session that it is about.
    pub session: SessionId,
    /// Its bytes.
    pub text: Arc<[u8]>,
}

/// The bytes tell of devices.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("session", &self.session).finish_non_exhaustive()
    }
}

/// What became of a command that is carried out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Performed {
    /// It was carried out now, and this reply is kept; `None` if there is nothing to be seen of the
    /// session any more.
    Now(Box<Committed>, Option<Reply>),
    /// It was carried out before, and nothing has changed.
    Before(Reply),
    /// It was not, because its key was used for a command that asks for something else.
    KeyReused,
}

/// A reply as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct KeptReply {
    pub(crate) request: Fingerprint,
    pub(crate) reply: Reply,
}

impl KeptReply {
    /// What it means to one who asks for this under the same key.
    pub(crate) fn to(self, request: Fingerprint) -> Performed {
        if self.request == request { Performed::Before(self.reply) } else { Performed::KeyReused }
    }
}

/// What was kept before this moment is not kept any more.
pub(crate) fn kept_since(now: Timestamp) -> Timestamp {
    now.checked_sub(REPLIES_KEPT_FOR).unwrap_or(Timestamp::MIN)
}
