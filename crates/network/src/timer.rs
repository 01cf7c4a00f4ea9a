//! The gateway's clock, for drivers that have to wait.

use greenwave_core::Clock;
use jiff::Timestamp;

use crate::Answer;

/// A clock that can be waited for.
pub trait Timer: Clock {
    /// Comes back at `at`, or at once if that has passed: never before [`Clock::now`] says `at`.
    fn sleep_until(&self, at: Timestamp) -> Answer<'_, ()>;
}
