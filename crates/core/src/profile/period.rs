//! Durations in the units that CAMARA writes them in (schemas `Duration` and `TimeUnitEnum`).

use std::time::Duration;

use super::named::named;

named! {
    /// A unit of time.
    pub enum TimeUnit {
        /// 86,400 seconds.
        Days = "Days",
        /// 3,600 seconds.
        Hours = "Hours",
        /// 60 seconds.
        Minutes = "Minutes",
        /// Seconds.
        Seconds = "Seconds",
        /// Thousandths of a second.
        Milliseconds = "Milliseconds",
        /// Millionths of a second.
        Microseconds = "Microseconds",
        /// Billionths of a second.
        Nanoseconds = "Nanoseconds",
    }
}

/// The largest value that CAMARA's `Duration` can have, in whatever unit: it is an `int32`.
pub const LARGEST_PERIOD: u32 = i32::MAX.unsigned_abs();

impl TimeUnit {
    const fn nanoseconds(self) -> u128 {
        match self {
            Self::Days => 86_400 * Self::Seconds.nanoseconds(),
            Self::Hours => 3_600 * Self::Seconds.nanoseconds(),
            Self::Minutes => 60 * Self::Seconds.nanoseconds(),
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }

    /// So many of it, which is 1 to [`LARGEST_PERIOD`].
    #[must_use]
    pub fn times(self, value: u64) -> Option<Duration> {
        let value =
            u32::try_from(value).ok().filter(|value| (1..=LARGEST_PERIOD).contains(value))?;
        let nanoseconds = u128::from(value) * self.nanoseconds();
        // The whole seconds of so many days are far from what 64 bits hold.
        let seconds = (nanoseconds / Self::Seconds.nanoseconds()) as u64;
        Some(Duration::new(seconds, (nanoseconds % Self::Seconds.nanoseconds()) as u32))
    }

    /// A duration as CAMARA can write it, as a whole number of a unit: in the largest that it is a
    /// whole number of; if that number is too large, rounded down in the smallest that will do,
    /// which loses less than a millionth. Every duration that [`Self::times`] makes is written as
    /// it is. None at all cannot be written.
    #[must_use]
    pub fn of(duration: Duration) -> Option<(u32, Self)> {
        let nanoseconds = duration.as_nanos();
        let whole = |unit: &Self| nanoseconds.is_multiple_of(unit.nanoseconds());
        let value = |unit: &Self| u32::try_from(nanoseconds / unit.nanoseconds()).ok();
        let writable = |unit: Self| {
            value(&unit).filter(|value| (1..=LARGEST_PERIOD).contains(value)).map(|v| (v, unit))
        };
        let units = Self::ALL.iter().copied();
        let exact = units.clone().filter(whole).find_map(writable);
        let longest = (!duration.is_zero()).then_some((LARGEST_PERIOD, Self::Days));
        exact.or_else(|| units.rev().find_map(writable)).or(longest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_written_in_the_largest_unit_in_which_they_are_whole() {
        for (seconds, written) in [
            (1, (1, TimeUnit::Seconds)),
            (90, (90, TimeUnit::Seconds)),
            (120, (2, TimeUnit::Minutes)),
            (86_400, (1, TimeUnit::Days)),
            (90_000, (25, TimeUnit::Hours)),
        ] {
            assert_eq!(TimeUnit::of(Duration::from_secs(seconds)), Some(written));
        }
        let budget = Duration::from_millis(50);
        assert_eq!(TimeUnit::of(budget), Some((50, TimeUnit::Milliseconds)));
    }

    #[test]
    fn what_cannot_be_written() {
        assert_eq!(TimeUnit::of(Duration::ZERO), None);
        assert_eq!(TimeUnit::of(Duration::MAX), Some((LARGEST_PERIOD, TimeUnit::Days)));
        // 3 s and a nanosecond have no unit: the nanosecond is lost.
        let odd = Duration::new(3, 1);
        assert_eq!(TimeUnit::of(odd), Some((3_000_000, TimeUnit::Microseconds)));
        for value in [0, u64::from(LARGEST_PERIOD) + 1, u64::MAX] {
            assert_eq!(TimeUnit::Days.times(value), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_as_it_is(
            value in prop_oneof![1..100_000_u64, 1..=u64::from(LARGEST_PERIOD)],
            unit in prop::sample::select(TimeUnit::ALL),
        ) {
            let duration = unit.times(value).unwrap();
            let (value, unit) = TimeUnit::of(duration).unwrap();
            prop_assert_eq!(unit.times(value.into()), Some(duration));
        }

        #[test]
        fn anything_else_is_written_with_hardly_a_loss(
            seconds in 0..u64::from(LARGEST_PERIOD) * 86_400,
            nanoseconds in 0..1_000_000_000_u32,
        ) {
            let duration = Duration::new(seconds, nanoseconds);
            prop_assume!(!duration.is_zero());
            let (value, unit) = TimeUnit::of(duration).unwrap();
            let read = unit.times(value.into()).unwrap();
            let lost = duration.checked_sub(read).unwrap();
            prop_assert!(lost.as_nanos() <= duration.as_nanos() / 1_000_000);
        }
    }
}
