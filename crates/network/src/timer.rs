//! The gateway's clock, for whoever has to wait.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::Clock;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::Answer;

/// A clock that can be waited for.
pub trait Timer: Clock {
    /// Comes back at `at`, or at once if that has passed: never before [`Clock::now`] says `at`.
    fn sleep_until(&self, at: Timestamp) -> Answer<'_, ()>;
}

/// A timer that stands still until somebody moves it: for tests and simulations.
#[derive(Debug)]
pub struct ManualTimer {
    now: watch::Sender<Timestamp>,
}

impl ManualTimer {
    /// A timer that stands at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self { now: watch::Sender::new(now) })
    }

    /// Lets time pass. Whoever waits for a moment on the way is woken.
    pub fn pass(&self, time: Duration) {
        self.now.send_modify(|now| *now += time);
    }
}

impl Clock for ManualTimer {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }
}

impl Timer for ManualTimer {
    fn sleep_until(&self, at: Timestamp) -> Answer<'_, ()> {
        let mut time = self.now.subscribe();
        Box::pin(async move {
            // The sender is `self`, which outlives this.
            let _ = time.wait_for(|&now| now >= at).await;
        })
    }
}
