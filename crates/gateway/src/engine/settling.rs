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
    waiting: Mutex<HashMap<SessionId, Awaited>>,
    /// How many sessions are waited for: mostly none, and then nobody needs the lock.
    count: AtomicUsize,
}

/// What is waited for.
#[derive(Debug, Default)]
struct Awaited {
    settled: watch::Sender<bool>,
    /// By how many. It changes under the lock, as the number of receivers does not.
    by: usize,
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
        let awaited = waiting.entry(session).or_default();
        awaited.by += 1;
        let settled = awaited.settled.subscribe();
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
        if let Some(awaited) = self.waiting().get(&session.id) {
            awaited.settled.send_replace(true);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<SessionId, Awaited>> {
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
        if let Some(awaited) = waiting.get_mut(&self.session) {
            awaited.by -= 1;
            if awaited.by == 0 {
                waiting.remove(&self.session);
            }
        }
        self.settling.count.store(waiting.len(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two who wait for the same may leave at the same moment.
    #[test]
    fn nothing_is_left_of_those_who_have_waited() {
        let settling = Settling::default();
        for round in 0..2_000 {
            let id = format!("00000000-0000-4000-8000-{round:012}");
            let session = SessionId::parse(&id).unwrap();
            let watches = [settling.watch(session), settling.watch(session)];
            std::thread::scope(|scope| {
                for watch in watches {
                    scope.spawn(move || drop(watch));
                }
            });
        }
        assert!(settling.waiting().is_empty());
        assert_eq!(settling.count.load(Ordering::SeqCst), 0);
    }
}
