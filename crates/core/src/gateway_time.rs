//! The gateway's own time: it runs with the boot-time clock and leans towards the wall clock.
//!
//! Sessions are paid by the second, so their time must not jump when somebody sets the wall clock.
//! Gateway time starts at the wall clock's reading and then advances with the boot-time clock
//! (which also runs while the machine sleeps), 500 ppm faster or slower at most, as long as the two
//! differ. A step of the wall clock is reported; it ends nothing early or late.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The fastest that gateway time leans towards the wall clock: 0.5 ms per second.
const MAX_LEAN_PPM: i128 = 500;

/// A change of the wall clock against the boot-time clock that is more than drift.
const STEP: SignedDuration = SignedDuration::from_millis(500);

/// Gateway time, without a clock: the readings of both clocks are arguments.
#[derive(Clone, Copy, Debug)]
pub struct GatewayTime {
    /// A moment at which both are known: gateway time runs straight from here.
    anchor_boot: Duration,
    anchor_time: Timestamp,
    lean_ppm: i128,
    /// Wall clock minus boot-time clock at the last observation, to see a step.
    wall_over_boot: SignedDuration,
}

impl GatewayTime {
    /// Starts at the wall clock's reading.
    #[must_use]
    pub fn start(boot: Duration, wall: Timestamp) -> Self {
        Self {
            anchor_boot: boot,
            anchor_time: wall,
            lean_ppm: 0,
            wall_over_boot: offset(boot, wall),
        }
    }

    /// Gateway time when the boot-time clock reads `boot`. It never goes back as `boot` rises.
    #[must_use]
    pub fn now(&self, boot: Duration) -> Timestamp {
        let elapsed = boot.saturating_sub(self.anchor_boot).as_nanos() as i128;
        let leaned = elapsed + elapsed * self.lean_ppm / 1_000_000;
        Timestamp::from_nanosecond(self.anchor_time.as_nanosecond() + leaned)
            .unwrap_or(Timestamp::MAX)
    }

    /// Looks at both clocks, to be called every few seconds. From here on gateway time leans
    /// towards the wall clock so as to meet it in `until_next`, or as fast as it may.
    ///
    /// The answer is by how much the wall clock was stepped since the last look, if it was.
    pub fn observe(
        &mut self,
        boot: Duration,
        wall: Timestamp,
        until_next: Duration,
    ) -> Option<SignedDuration> {
        let now = self.now(boot);
        let behind = wall.as_nanosecond() - now.as_nanosecond();
        let interval = until_next.as_nanos().max(1) as i128;
        let wanted_ppm = behind.saturating_mul(1_000_000) / interval;
        (self.anchor_boot, self.anchor_time) = (boot, now);
        self.lean_ppm = wanted_ppm.clamp(-MAX_LEAN_PPM, MAX_LEAN_PPM);

        let wall_over_boot = offset(boot, wall);
        let moved = wall_over_boot - self.wall_over_boot;
        self.wall_over_boot = wall_over_boot;
        (moved.abs() >= STEP).then_some(moved)
    }
}

fn offset(boot: Duration, wall: Timestamp) -> SignedDuration {
    let boot = SignedDuration::try_from(boot).unwrap_or(SignedDuration::MAX);
    wall.as_duration().saturating_sub(boot)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOOK_EVERY: Duration = Duration::from_secs(10);

    fn wall(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// Looks every 10 s for `looks` times, at a wall clock that runs true from `wall_at`.
    fn run(time: &mut GatewayTime, from_s: u64, looks: u64, wall_at: i64) -> u32 {
        let mut steps = 0;
        for look in 0..looks {
            let boot = Duration::from_secs(from_s + look * 10);
            let seen = wall(wall_at + (look * 10) as i64);
            steps += u32::from(time.observe(boot, seen, LOOK_EVERY).is_some());
        }
        steps
    }

    #[test]
    fn a_step_of_the_wall_clock_is_reported_once_and_ends_nothing_early() {
        for step in [3_600, -3_600, 315_360_000] {
            let mut time = GatewayTime::start(Duration::from_secs(100), wall(0));
            assert_eq!(run(&mut time, 100, 3, 0), 0);
            let before = time.now(Duration::from_secs(130));
            assert_eq!(run(&mut time, 130, 60, 30 + step), 1, "step of {step} s");
            let elapsed = time.now(Duration::from_secs(730)).duration_since(before);
            let off = (elapsed - SignedDuration::from_secs(600)).abs();
            assert!(off <= SignedDuration::from_millis(301), "600 s came out as {elapsed:?}");
        }
    }

    #[test]
    fn a_small_difference_is_made_up() {
        let mut time = GatewayTime::start(Duration::from_secs(100), wall(0));
        let boot = |seconds: u64| Duration::from_secs(100 + seconds);
        for second in (10..=600).step_by(10) {
            let ahead = wall(second as i64) + Duration::from_millis(100);
            assert_eq!(time.observe(boot(second), ahead, LOOK_EVERY), None);
        }
        let met = time.now(boot(600)).duration_since(wall(600));
        assert_eq!(met.as_millis(), 100);
    }

    #[test]
    fn a_tiny_difference_is_met_by_the_next_look_and_not_overshot() {
        let mut time = GatewayTime::start(Duration::from_secs(100), wall(0));
        let ahead = wall(10) + Duration::from_millis(1);
        assert_eq!(time.observe(Duration::from_secs(110), ahead, LOOK_EVERY), None);
        let met = time.now(Duration::from_secs(120)).duration_since(wall(20));
        assert_eq!(met.as_micros(), 1_000);
    }

    proptest! {
        #[test]
        fn it_never_goes_back_and_never_leans_too_far(
            looks in prop::collection::vec((1..60_000u64, -4_000_000..4_000_000i64), 1..40)
        ) {
            let mut boot = Duration::from_secs(100);
            let mut time = GatewayTime::start(boot, wall(0));
            for (millis, wall_seconds) in looks {
                let before = time.now(boot);
                let elapsed = Duration::from_millis(millis);
                let after = time.now(boot + elapsed);
                let passed = after.duration_since(before).as_nanos();
                let lean = passed - elapsed.as_nanos() as i128;
                prop_assert!(lean.abs() * 1_000_000 <= 501 * elapsed.as_nanos() as i128);
                boot += elapsed;
                time.observe(boot, wall(wall_seconds), LOOK_EVERY);
                prop_assert!(time.now(boot) >= after);
            }
        }
    }
}
