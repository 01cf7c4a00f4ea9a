//! What is due soon. The ledger knows all deadlines; this knows those within a horizon, so that its
//! size depends on how much happens and not on how much there is.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use greenwave_core::Deadlines;
use greenwave_crashpoint::{Point, reached};
use greenwave_network::Timer;
use jiff::Timestamp;
use tokio::sync::Notify;

/// How far ahead the agenda looks.
const HORIZON: Duration = Duration::from_secs(600);

/// When it is filled anew: half-way to the horizon, so that nothing comes due unseen.
const REFILL_AFTER: Duration = Duration::from_secs(300);

/// How many are added at a stretch.
const PORTION: usize = 4_096;

/// The deadlines within the horizon.
pub(crate) struct Agenda<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

struct State<K> {
    deadlines: Deadlines<K>,
    horizon: Timestamp,
    refill_at: Timestamp,
}

/// What the agenda has to say.
pub(crate) enum Due<K> {
    /// These are due.
    Now(Vec<K>),
    /// It wants to know what else is due before this moment ([`Agenda::refill`]).
    Refill {
        /// The new horizon.
        before: Timestamp,
    },
}

impl<K> Default for Agenda<K>
where
    K: Ord + Hash + Copy,
{
    /// An agenda that wants to be filled.
    fn default() -> Self {
        let state = State {
            deadlines: Deadlines::new(),
            horizon: Timestamp::MIN,
            refill_at: Timestamp::MIN,
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }
}

impl<K: Ord + Hash + Copy> Agenda<K> {
    /// Sets when something is due; `None` if it is not. What is beyond the horizon will be told by
    /// a refill.
    pub(crate) fn set(&self, key: K, at: Option<Timestamp>) {
        self.change().set(key, at);
    }

    /// Begins to set many at a time. Whoever waits is told once this is dropped.
    pub(crate) fn change(&self) -> Changing<'_, K> {
        let state = self.state();
        let before = state.deadlines.next();
        Changing { state, before, changed: &self.changed }
    }

    /// Adds what a look into the ledger has found. What has been set since is newer than that look.
    pub(crate) fn refill(&self, found: impl IntoIterator<Item = (K, Timestamp)>) {
        reached(Point::EngineRefill);
        let mut found = found.into_iter().peekable();
        while found.peek().is_some() {
            // Whoever commits has to get in between.
            let mut state = self.state();
            for (key, at) in found.by_ref().take(PORTION) {
                state.deadlines.set_if_absent(key, at);
            }
        }
    }

    /// The ledger could not be asked: what is due has to be asked for again at this time.
    pub(crate) fn refill_again_at(&self, at: Timestamp) {
        self.state().refill_at = at;
    }

    /// How much is due within the horizon.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.state().deadlines.len()
    }

    /// Waits until something is due, and takes at most `limit` of it.
    pub(crate) async fn due(&self, timer: &dyn Timer, limit: usize) -> Due<K> {
        loop {
            let changed = self.changed.notified();
            let wake_at = {
                let mut state = self.state();
                let now = timer.now();
                if now >= state.refill_at {
                    // Moved before the ledger is asked, so that what is committed meanwhile and
                    // due before it is set by whoever commits it.
                    state.horizon = now + HORIZON;
                    state.refill_at = now + REFILL_AFTER;
                    return Due::Refill { before: state.horizon };
                }
                let due = state.deadlines.pop_due(now, limit);
                if !due.is_empty() {
                    return Due::Now(due);
                }
                state.deadlines.next().map_or(state.refill_at, |next| next.min(state.refill_at))
            };
            tokio::select! {
                biased;
                () = changed => {}
                () = timer.sleep_until(wake_at) => {}
            }
        }
    }

    /// Takes at most `limit` of what is due by now, if anything is.
    pub(crate) fn due_already(&self, now: Timestamp, limit: usize) -> Vec<K> {
        self.state().deadlines.pop_due(now, limit)
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An agenda that is being changed. Nobody else sees it meanwhile.
pub(crate) struct Changing<'a, K: Ord + Hash + Copy> {
    state: MutexGuard<'a, State<K>>,
    before: Option<Timestamp>,
    changed: &'a Notify,
}

impl<K: Ord + Hash + Copy> Changing<'_, K> {
    /// Sets when something is due; `None` if it is not.
    pub(crate) fn set(&mut self, key: K, at: Option<Timestamp>) {
        match at.filter(|&at| at < self.state.horizon) {
            Some(at) => self.state.deadlines.set(key, at),
            None => self.state.deadlines.cancel(key),
        }
    }
}

impl<K: Ord + Hash + Copy> Drop for Changing<'_, K> {
    fn drop(&mut self) {
        let (next, before) = (self.state.deadlines.next(), self.before);
        if next.is_some_and(|next| before.is_none_or(|before| next < before)) {
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use greenwave_core::Clock;
    use greenwave_network::ManualTimer;

    use super::*;

    struct Fixture {
        agenda: Agenda<u8>,
        timer: std::sync::Arc<ManualTimer>,
    }

    impl Fixture {
        /// An agenda that has been filled with nothing.
        async fn new() -> Self {
            let timer = ManualTimer::new(Timestamp::from_second(1_800_000_000).unwrap());
            let agenda = Agenda::default();
            let Due::Refill { before } = agenda.due(&*timer, 10).await else { panic!("no refill") };
            assert_eq!(before, timer.now() + HORIZON);
            Self { agenda, timer }
        }

        fn after(&self, seconds: u64) -> Timestamp {
            self.timer.now() + Duration::from_secs(seconds)
        }

        async fn due(&self) -> Vec<u8> {
            match self.agenda.due(&*self.timer, 2).await {
                Due::Now(keys) => keys,
                Due::Refill { .. } => panic!("a refill"),
            }
        }
    }

    #[tokio::test]
    async fn what_is_due_is_told_in_order_and_in_portions() {
        let f = Fixture::new().await;
        for (key, seconds) in [(1, 3), (2, 1), (3, 2), (4, 9)] {
            f.agenda.set(key, Some(f.after(seconds)));
        }
        f.agenda.set(4, None);
        f.timer.pass(Duration::from_secs(5));
        assert_eq!(f.due().await, [2, 3]);
        assert_eq!(f.due().await, [1]);
    }

    #[tokio::test]
    async fn a_refill_that_failed_is_asked_for_again() {
        let f = Fixture::new().await;
        f.agenda.refill_again_at(f.after(1));
        f.timer.pass(Duration::from_secs(1));
        assert!(matches!(f.agenda.due(&*f.timer, 2).await, Due::Refill { .. }));
    }

    #[tokio::test]
    async fn an_earlier_deadline_wakes_who_waits() {
        let f = std::sync::Arc::new(Fixture::new().await);
        f.agenda.set(1, Some(f.after(100)));
        let waiting = tokio::spawn({
            let f = std::sync::Arc::clone(&f);
            async move { f.due().await }
        });
        tokio::task::yield_now().await;
        f.agenda.set(2, Some(f.timer.now()));
        assert_eq!(waiting.await.unwrap(), [2]);
    }

    #[tokio::test]
    async fn only_the_horizon_is_kept_and_the_rest_is_asked_for() {
        let f = Fixture::new().await;
        f.agenda.set(1, Some(f.after(601)));
        assert_eq!(f.agenda.len(), 0);
        f.timer.pass(REFILL_AFTER);
        let Due::Refill { before } = f.agenda.due(&*f.timer, 2).await else { panic!("no refill") };
        assert!(before > f.after(301));
        f.agenda.set(2, Some(f.after(5)));
        f.agenda.refill([(1, f.after(301)), (2, f.after(300))]);
        f.timer.pass(Duration::from_secs(5));
        assert_eq!(f.due().await, [2], "what was set since is newer");
    }
}
