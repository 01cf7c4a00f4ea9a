//! Waiting until the network has let go of something.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use greenwave_core::{Phase, SessionId};
use greenwave_ledger::Committed;
use tokio::sync::watch;

/// Those who wait. There are never more than requests that are worked on.
#[derive(Debug, Default)]
pub(super) struct Settling {
    waiting: Mutex<HashMap<SessionId, watch::Sender<bool>>>,
    /// How many sessions are waited for: mostly none, and then nobody needs the lock.
    count: AtomicUsize,
}

/// One who waits, from this moment on.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    settling: &'a Settling,
    session: SessionId,
    settled: watch::Receiver<bool>,
}

impl Settling {
    /// Begins to wait: what is committed from now on is not missed.
    pub(super) fn watch(&self, session: SessionId) -> Watch<'_> {
        let mut waiting = self.waiting();
        let settled = waiting.entry(session).or_default().subscribe();
        self.count.store(waiting.len(), Ordering::SeqCst);
        Watch { settling: self, session, settled }
    }

    /// Wakes whoever waits for this.
    pub(super) fn committed(&self, committed: &Committed) {
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let Some(session) = &committed.changes.session else { return };
        if !matches!(session.phase, Phase::Ended(_)) {
            return;
        }
        if let Some(settled) = self.waiting().get(&session.id) {
            settled.send_replace(true);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<SessionId, watch::Sender<bool>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch<'_> {
    /// Comes when the network has let go.
    pub(super) async fn comes(&mut self) {
        // The sender is kept as long as somebody waits.
        let _ = self.settled.wait_for(|&settled| settled).await;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut waiting = self.settling.waiting();
        // This one is still counted.
        if waiting.get(&self.session).is_some_and(|settled| settled.receiver_count() <= 1) {
            waiting.remove(&self.session);
        }
        self.settling.count.store(waiting.len(), Ordering::SeqCst);
    }
}
