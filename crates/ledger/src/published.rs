//! What everybody may see: the committed state in memory, and who is told of each commit.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, Weak};

use tokio::runtime::Handle;

use crate::Committed;
use crate::index::Index;
use crate::recent::Recent;

/// Whoever has to do something once a change is committed, whether or not the one who asked for it
/// still waits.
pub trait Follower: Send + Sync {
    /// These were committed, in this order, and nobody was answered yet. It is called for one batch
    /// after the other, on a thread that has to go on: it must not wait for anything.
    fn follow(&self, committed: &mut dyn Iterator<Item = &Committed>);
}

/// What readers share with the one who writes.
#[derive(Default)]
pub(crate) struct Published {
    pub(crate) index: RwLock<Index>,
    pub(crate) sessions: Recent,
    pub(crate) followed: Followed,
    /// Where those who wait for answers are, if that is known.
    pub(crate) runtime: Option<Handle>,
}

impl Published {
    pub(crate) fn new(index: Index, runtime: Option<Handle>) -> Arc<Self> {
        Arc::new(Self { index: RwLock::new(index), runtime, ..Self::default() })
    }

    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        // A writer that panicked in between has not published a part of a batch.
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The one who follows, once there is one. It holds the ledger, so it is not held by it.
#[derive(Default)]
pub(crate) struct Followed(OnceLock<Weak<dyn Follower>>);

impl Followed {
    /// From now on this one is told.
    pub(crate) fn set(&self, follower: Weak<dyn Follower>) {
        if self.0.set(follower).is_err() {
            tracing::error!("a ledger has one follower, and was given another: it is not told");
        }
    }

    pub(crate) fn tell(&self, committed: &mut dyn Iterator<Item = &Committed>) {
        if let Some(follower) = self.0.get().and_then(Weak::upgrade) {
            follower.follow(committed);
        }
    }
}
