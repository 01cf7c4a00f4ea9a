//! When something that failed is tried again: pure schedules, kept as data by whoever owes.

use std::time::Duration;

/// How long a call to the network may take before it counts as failed.
pub const NETWORK_CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// For how long after its creation a session is asked for again.
pub const PROVISION_TRIED_FOR: Duration = Duration::from_secs(30);

/// How long after its creation a session is given up, if the network has not answered for good.
pub const PROVISION_GIVEN_UP_AFTER: Duration = Duration::from_secs(60);

/// How often the network may fail to honour again a session that it has lost. An assignment is
/// asked for until the network refuses it.
pub const RESTORE_TRIES: u32 = 5;

/// The longest that a network can ask to be left alone: what it owes is not forgotten meanwhile.
pub const LONGEST_NETWORK_WISH: Duration = Duration::from_secs(60);

/// After how many failed tries a release counts as an orphan: a quarter of an hour, with the pauses
/// of [`network_pause`].
pub const RELEASE_ORPHANED_AFTER: u32 = 20;

/// How often an event is tried before it is dead.
pub const DELIVERY_TRIES: u32 = 8;

/// The longest pause that a receiver's `Retry-After` can ask for.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(86_400);

const LONGEST_NETWORK_PAUSE: Duration = Duration::from_secs(60);

const ORPHAN_PAUSE: Duration = Duration::from_secs(900);

/// The pauses between the eight tries to deliver an event: 5 s, 30 s, 5 min, 30 min, 2 h, 5 h and
/// 10 h.
const DELIVERY_PAUSES_S: [u64; DELIVERY_TRIES as usize - 1] =
    [5, 30, 300, 1_800, 7_200, 18_000, 36_000];

/// The pause before the network is asked again, after `made` tries: 1 s, 2 s, 4 s … 60 s, and
/// 15 min for an orphan.
#[must_use]
pub fn network_pause(made: u32) -> Duration {
    if made >= RELEASE_ORPHANED_AFTER {
        return ORPHAN_PAUSE;
    }
    let seconds = 1u64.checked_shl(made.saturating_sub(1)).unwrap_or(u64::MAX);
    Duration::from_secs(seconds).min(LONGEST_NETWORK_PAUSE)
}

/// The pause before the network is asked again for a device that has left it, after `made` tries:
/// a minute, and later 15. Whoever comes back is told of; this is for news that is missed.
#[must_use]
pub fn away_pause(made: u32) -> Duration {
    network_pause(made).max(LONGEST_NETWORK_PAUSE)
}

/// The pause before an event is tried again after `made` tries, or `None` when it is dead.
///
/// `jitter` is any number: it spreads the pause by ±20 %, so that what failed together does not
/// come back together.
#[must_use]
pub fn delivery_pause(made: u32, jitter: u32) -> Option<Duration> {
    let seconds = *DELIVERY_PAUSES_S.get(made.checked_sub(1)? as usize)?;
    let base = Duration::from_secs(seconds);
    let spread = f64::from(jitter) / f64::from(u32::MAX);
    Some(base.mul_f64(0.8 + 0.4 * spread))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_network_is_asked_ever_more_slowly() {
        let pauses: Vec<u64> = (1..=9).map(|made| network_pause(made).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(network_pause(0).as_secs(), 1);
        assert_eq!(network_pause(RELEASE_ORPHANED_AFTER - 1).as_secs(), 60);
        assert_eq!(network_pause(u32::MAX).as_secs(), 900);
    }

    #[test]
    fn a_device_that_is_away_is_asked_for_slowly_from_the_first_try_on() {
        let pauses: Vec<u64> = [0, 1, 19, 20].map(|made| away_pause(made).as_secs()).into();
        assert_eq!(pauses, [60, 60, 60, 900]);
    }

    #[test]
    fn an_event_is_tried_eight_times() {
        assert_eq!((1..).take_while(|&made| delivery_pause(made, 0).is_some()).count(), 7);
        assert_eq!(delivery_pause(0, 0), None);
    }

    proptest! {
        #[test]
        fn jitter_stays_within_a_fifth(made in 1..DELIVERY_TRIES, jitter: u32) {
            let base = DELIVERY_PAUSES_S[made as usize - 1] as f64;
            let pause = delivery_pause(made, jitter).unwrap().as_secs_f64();
            prop_assert!((base * 0.8 - 1e-3..=base * 1.2 + 1e-3).contains(&pause));
        }
    }
}
