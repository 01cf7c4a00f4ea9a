//! Where the time comes from, for those who are not handed it with each call.

use jiff::Timestamp;

/// Gateway time, in whole milliseconds.
///
/// A ledger decides inside its transaction, some time after it was asked, so it carries a clock
/// instead of taking the time as an argument.
pub trait Clock: Send + Sync {
    /// The gateway time now; never earlier than an answer given before.
    fn now(&self) -> Timestamp;
}

/// `at` without what is finer than a millisecond, rounded down.
///
/// The ledger keeps milliseconds, and rounding *down* a clock can only make an expiry late, never
/// early.
#[must_use]
pub fn whole_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_nanosecond().div_euclid(1_000_000) as i64)
        .unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_down_on_both_sides_of_the_epoch() {
        let at = |nanos: i128| Timestamp::from_nanosecond(nanos).unwrap();
        assert_eq!(whole_millis(at(1_999_999)).as_millisecond(), 1);
        assert_eq!(whole_millis(at(2_000_000)).as_millisecond(), 2);
        assert_eq!(whole_millis(at(-1)).as_millisecond(), -1);
    }
}
