//! How often an application may ask. Time is the gateway's, so that whoever moves it moves this.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use greenwave_core::ApplicationId;
use greenwave_ledger::RateLimit;
use greenwave_network::Timer;

/// The limits of those applications that have one.
pub struct Rates {
    time: Time,
    /// Whether there is any: it is all that a request looks at where nobody is limited.
    any: AtomicBool,
    limited: RwLock<HashMap<ApplicationId, Arc<Meter>>>,
}

/// What one application has used of its limit: a bucket that leaks evenly (GCRA).
pub struct Meter {
    limit: RateLimit,
    used: RateLimiter<NotKeyed, InMemoryState, Time, StateInformationMiddleware>,
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The limit.
    pub limit: RateLimit,
    /// How many times the application may ask at once.
    pub requests: u32,
    /// After how many seconds it is as if it had never asked; or, of one that has asked too often,
    /// after how many it may ask again.
    pub reset_s: u64,
}

impl Rates {
    /// No limits.
    pub(crate) fn new(timer: Arc<dyn Timer>) -> Self {
        Self { time: Time(timer), any: AtomicBool::new(false), limited: RwLock::default() }
    }

    /// Whether anybody is limited.
    #[must_use]
    pub fn are_set(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// The meter of an application, if it is limited.
    #[must_use]
    pub fn meter(&self, application: ApplicationId) -> Option<Arc<Meter>> {
        if !self.are_set() {
            return None;
        }
        let limited = self.limited.read().unwrap_or_else(PoisonError::into_inner);
        limited.get(&application).cloned()
    }

    pub(super) fn set(&self, application: ApplicationId, limit: Option<RateLimit>) {
        let mut limited = self.write();
        match limit.and_then(|limit| Meter::new(limit, &self.time)) {
            Some(meter) => drop(limited.insert(application, Arc::new(meter))),
            None => drop(limited.remove(&application)),
        }
        self.any.store(!limited.is_empty(), Ordering::Relaxed);
    }

    /// As if nobody had asked for anything yet.
    pub fn forget(&self) {
        for meter in self.write().values_mut() {
            if let Some(unused) = Meter::new(meter.limit, &self.time) {
                *meter = Arc::new(unused);
            }
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<ApplicationId, Arc<Meter>>> {
        self.limited.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meter {
    /// `None` for a limit of more than a thousand million a second, which is none.
    fn new(limit: RateLimit, time: &Time) -> Option<Self> {
        let each = Duration::from_secs(limit.per_s.get().into()) / limit.requests.get();
        let quota = Quota::with_period(each)?.allow_burst(limit.requests);
        let used = RateLimiter::direct_with_clock(quota, time.clone());
        Some(Self { limit, used: used.with_middleware() })
    }

    /// Counts a request. An error is one too many, and is not counted.
    pub(crate) fn count(&self) -> Result<Left, Left> {
        let limit = self.limit;
        match self.used.check() {
            Ok(state) => {
                let requests = state.remaining_burst_capacity();
                let used = limit.requests.get().saturating_sub(requests);
                let reset = state.quota().replenish_interval() * used;
                Ok(Left { limit, requests, reset_s: whole_seconds(reset) })
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.used.clock().now());
                Err(Left { limit, requests: 0, reset_s: whole_seconds(wait).max(1) })
            }
        }
    }
}

/// How often each application may ask for what is not its own, or is not there: whoever guesses ids
/// is held up, and nobody else is.
pub struct Misses {
    time: Time,
    budget: RwLock<Budget>,
}

type Budget =
    RateLimiter<ApplicationId, HashMapStateStore<ApplicationId>, Time, NoOpMiddleware<Duration>>;

/// So often at once.
const MISSES_AT_ONCE: NonZeroU32 = NonZeroU32::new(1_000).unwrap();

/// And once more after each of these.
const ONE_MORE_MISS_EVERY: Duration = Duration::from_millis(100);

impl Misses {
    pub(crate) fn new(timer: Arc<dyn Timer>) -> Self {
        let time = Time(timer);
        Self { budget: RwLock::new(budget(&time)), time }
    }

    /// Counts one. An error is one too many; it says after how many seconds there may be another.
    pub(crate) fn note(&self, application: ApplicationId) -> Result<(), u64> {
        let budget = self.budget.read().unwrap_or_else(PoisonError::into_inner);
        budget
            .check_key(&application)
            .map_err(|not_until| whole_seconds(not_until.wait_time_from(self.time.now())).max(1))
    }

    /// As if nobody had missed anything yet.
    pub fn forget(&self) {
        *self.budget.write().unwrap_or_else(PoisonError::into_inner) = budget(&self.time);
    }
}

#[expect(clippy::unwrap_used, reason = "a tenth of a second is not nothing")]
fn budget(time: &Time) -> Budget {
    let quota = Quota::with_period(ONE_MORE_MISS_EVERY).unwrap().allow_burst(MISSES_AT_ONCE);
    RateLimiter::hashmap_with_clock(quota, time.clone())
}

/// Rounded up: whoever waits so long has waited long enough.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
}

/// Gateway time, since 1970.
#[derive(Clone)]
struct Time(Arc<dyn Timer>);

impl Clock for Time {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now().as_millisecond().try_into().unwrap_or(0))
    }
}
