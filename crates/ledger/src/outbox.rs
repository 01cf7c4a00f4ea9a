//! Events on their way to an application.

use greenwave_core::Event;
use jiff::Timestamp;

/// A row of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxId(pub i64);

/// An event that its application has not been told of yet. Its event has a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its row.
    pub id: OutboxId,
    /// What there is to tell.
    pub event: Event,
    /// How often it was tried.
    pub tries: u32,
}

/// What became of a try to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It failed, and is tried again.
    Retry {
        /// When.
        next_at: Timestamp,
    },
    /// It is over with.
    Done {
        /// How.
        outcome: Outcome,
        /// For people: the receiver's status, or what failed. It holds no secrets.
        note: String,
    },
}

/// How a notification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It was tried to the end, or may not be sent. It is kept, and visible, but not tried again.
    Dead,
}

impl Outcome {
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Delivered => 1,
            Self::Dead => 2,
        }
    }
}
