//! Gateway time from the machine's clocks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use greenwave_core::clock::whole_millis;
use greenwave_core::{Clock, GatewayTime};
use greenwave_network::{Answer, Timer};
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// How often the two clocks are compared.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The longest sleep at a stretch: a sleeping machine wakes up late, and then has to look.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Gateway time: the boot-time clock, leaning towards the wall clock (see [`GatewayTime`]).
#[derive(Debug)]
pub struct SystemTimer {
    time: Mutex<GatewayTime>,
}

impl SystemTimer {
    /// Starts at the wall clock's reading.
    #[must_use]
    pub fn start() -> Arc<Self> {
        let time = Mutex::new(GatewayTime::start(boot_time(), Timestamp::now()));
        Arc::new(Self { time })
    }

    /// Compares the clocks for as long as it is run, and reports it when the wall clock is stepped,
    /// in seconds.
    pub async fn watch(&self, stepped: impl Fn(f64)) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let step = self.time().observe(boot_time(), Timestamp::now(), LOOK_EVERY);
            if let Some(step) = step {
                stepped(step.as_secs_f64());
                let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
                tracing::warn!(
                    step_ms,
                    "clock_step: the wall clock was set; no session ends early or late by it"
                );
            }
        }
    }

    fn time(&self) -> std::sync::MutexGuard<'_, GatewayTime> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SystemTimer {
    fn now(&self) -> Timestamp {
        whole_millis(self.time().now(boot_time()))
    }
}

impl Timer for SystemTimer {
    fn sleep_until(&self, at: Timestamp) -> Answer<'_, ()> {
        Box::pin(async move {
            loop {
                let left = at.duration_since(self.now());
                if !left.is_positive() {
                    return;
                }
                tokio::time::sleep(left.unsigned_abs().min(LONGEST_SLEEP)).await;
            }
        })
    }
}

fn boot_time() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleeping_ends_at_the_time_and_not_before() {
        let timer = SystemTimer::start();
        let until = timer.now() + Duration::from_millis(3);
        timer.sleep_until(until).await;
        assert!(timer.now() >= until);
        timer.sleep_until(Timestamp::MIN).await;
    }
}
