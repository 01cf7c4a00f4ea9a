//! Whether and when a request is sent again: one pure function.

use std::time::Duration;

/// The first pause; each that follows is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A gateway that wants to be left alone for longer is not waited for.
const LONGEST_WISH: Duration = Duration::from_secs(60);

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody took the connection.
    NotConnected,
    /// The request may have been carried out, or not.
    NoAnswer,
    /// An answer that is no success.
    Refused {
        /// The HTTP status.
        status: u16,
        /// When the gateway wants to be asked again.
        retry_after: Option<Duration>,
    },
}

/// How long to wait before the next try, or `None` if there is to be none.
///
/// `made` tries were made, at least one; `most` may be. `chance` is any number: it spreads the
/// pause by ±25 %, so that clients that failed together do not come back together.
#[must_use]
pub fn pause(outcome: Outcome, made: u32, most: u32, chance: u64) -> Option<Duration> {
    if made >= most {
        return None;
    }
    let doubled = FIRST_PAUSE.saturating_mul(1 << (made.saturating_sub(1)).min(16));
    let base = doubled.min(LONGEST_PAUSE);
    // A millionth is fine enough, and `u32` holds it exactly.
    let share = f64::from(u32::try_from(chance % 1_000_000).unwrap_or(0)) / 1e6;
    let own = base.mul_f64(0.75 + share / 2.0);
    match outcome {
        Outcome::NotConnected | Outcome::NoAnswer => Some(own),
        Outcome::Refused { status, retry_after } => match (status, retry_after) {
            (_, Some(wish)) if wish > LONGEST_WISH => None,
            // Conflicts and quotas stay what they are, unless the gateway says how long they will.
            (409 | 429, Some(wish)) => Some(wish.max(own)),
            (408 | 500 | 502 | 503 | 504, wish) => Some(wish.unwrap_or_default().max(own)),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(status: u16, retry_after_s: Option<u64>) -> Outcome {
        Outcome::Refused { status, retry_after: retry_after_s.map(Duration::from_secs) }
    }

    #[test]
    fn what_can_change_is_tried_again() {
        for status in [408, 500, 502, 503, 504] {
            assert!(pause(refused(status, None), 1, 6, 0).is_some(), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 501] {
            assert_eq!(pause(refused(status, None), 1, 6, 0), None, "{status}");
        }
        assert!(pause(Outcome::NotConnected, 1, 6, 0).is_some());
        assert!(pause(Outcome::NoAnswer, 1, 6, 0).is_some());
    }

    #[test]
    fn a_gateway_that_says_when_is_heard() {
        for status in [409, 429, 503] {
            assert_eq!(pause(refused(status, Some(7)), 1, 6, 0), Some(Duration::from_secs(7)));
            assert_eq!(pause(refused(status, Some(3_600)), 1, 6, 0), None);
        }
        assert_eq!(pause(refused(404, Some(7)), 1, 6, 0), None);
        // Never sooner than without its wish.
        assert_eq!(pause(refused(503, Some(0)), 1, 6, 0), Some(Duration::from_millis(75)));
    }

    #[test]
    fn the_pauses_grow_and_end() {
        let pauses = |most| -> Vec<u128> {
            (1..20)
                .map_while(|made| pause(Outcome::NoAnswer, made, most, 500_000))
                .map(|pause| pause.as_millis())
                .collect()
        };
        assert_eq!(pauses(9), [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert!(pauses(1).is_empty());
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_a_wish_can_be(
            made in 0u32..1_000,
            chance: u64,
            status in 100u16..600,
            wish in proptest::option::of(0u64..100_000),
        ) {
            if let Some(pause) = pause(refused(status, wish), made, u32::MAX, chance) {
                prop_assert!(pause <= LONGEST_WISH);
            }
        }
    }
}
