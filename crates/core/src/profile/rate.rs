//! Rates, and the units that CAMARA writes them in (schemas `Rate` and `RateUnitEnum`).

use super::named::named;

/// Bits per second, at most 1,024 Tbit/s: more than that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BitRate(u64);

named! {
    /// A unit of rates. Each is a thousand of the one before it.
    pub enum RateUnit {
        /// Bits per second.
        Bps = "bps",
        /// Thousands of bits per second.
        Kbps = "kbps",
        /// Millions of bits per second.
        Mbps = "Mbps",
        /// Billions of bits per second.
        Gbps = "Gbps",
        /// Millions of millions of bits per second.
        Tbps = "Tbps",
    }
}

impl RateUnit {
    /// How many bits per second one of it is.
    #[must_use]
    pub const fn bps(self) -> u64 {
        match self {
            Self::Bps => 1,
            Self::Kbps => 1_000,
            Self::Mbps => 1_000_000,
            Self::Gbps => 1_000_000_000,
            Self::Tbps => 1_000_000_000_000,
        }
    }
}

impl BitRate {
    /// The largest value that CAMARA's `Rate` can have, in whatever unit.
    pub const LARGEST_VALUE: u64 = 1_024;

    const MOST_BPS: u64 = Self::LARGEST_VALUE * RateUnit::Tbps.bps();

    /// So many of a unit; `None` if that is more than 1,024 Tbit/s.
    #[must_use]
    pub fn of(value: u64, unit: RateUnit) -> Option<Self> {
        value.checked_mul(unit.bps()).filter(|&bps| bps <= Self::MOST_BPS).map(Self)
    }

    /// Thousands of bits per second.
    #[must_use]
    pub const fn from_kbps(kbps: u32) -> Self {
        Self(kbps as u64 * RateUnit::Kbps.bps())
    }

    /// Millions of bits per second, at most 1,024 million of them.
    #[must_use]
    pub const fn from_mbps(mbps: u32) -> Self {
        let bps = mbps as u64 * RateUnit::Mbps.bps();
        Self(if bps > Self::MOST_BPS { Self::MOST_BPS } else { bps })
    }

    /// Bits per second.
    #[must_use]
    pub const fn bps(self) -> u64 {
        self.0
    }

    /// The same rate in the largest unit that has a whole number of it.
    #[must_use]
    pub fn exactly(self) -> (u64, RateUnit) {
        let whole = |unit: &&RateUnit| self.0 >= unit.bps() && self.0.is_multiple_of(unit.bps());
        let unit = RateUnit::ALL.iter().rev().find(whole).copied().unwrap_or(RateUnit::Bps);
        (self.0 / unit.bps(), unit)
    }

    /// The rate as CAMARA can write it, as a whole number from 0 to 1,024 of a unit: as it is, if
    /// there is a unit for that; else rounded down in the smallest unit that will do, so that
    /// nobody is promised more than there is. 1,500 Mbit/s become 1 Gbit/s. Less than half is
    /// lost, and less than a tenth from 10 of that unit on.
    #[must_use]
    pub fn as_camara_writes_it(self) -> (u64, RateUnit) {
        let exact = self.exactly();
        if exact.0 <= Self::LARGEST_VALUE {
            return exact;
        }
        let fits = |unit: &&RateUnit| self.0 / unit.bps() <= Self::LARGEST_VALUE;
        let unit = RateUnit::ALL.iter().find(fits).copied().unwrap_or(RateUnit::Tbps);
        (self.0 / unit.bps(), unit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(bps: u64) -> (u64, RateUnit) {
        BitRate::of(bps, RateUnit::Bps).unwrap().as_camara_writes_it()
    }

    #[test]
    fn rates_are_written_in_the_largest_unit_in_which_they_are_whole() {
        assert_eq!(written(0), (0, RateUnit::Bps));
        assert_eq!(written(500_000), (500, RateUnit::Kbps));
        assert_eq!(written(20_000_000), (20, RateUnit::Mbps));
        assert_eq!(written(1_024_000_000), (1_024, RateUnit::Mbps));
        assert_eq!(written(1_000_000_000_000), (1, RateUnit::Tbps));
    }

    #[test]
    fn what_cannot_be_written_is_rounded_down_as_little_as_can_be() {
        assert_eq!(written(1_500_000_000), (1, RateUnit::Gbps));
        assert_eq!(written(2_500_000), (2, RateUnit::Mbps));
        assert_eq!(written(999_999_999), (999, RateUnit::Mbps));
        assert_eq!(written(1_025), (1, RateUnit::Kbps));
    }

    #[test]
    fn the_operators_form_keeps_every_rate() {
        let rate = BitRate::of(1_500, RateUnit::Mbps).unwrap();
        assert_eq!(rate.exactly(), (1_500, RateUnit::Mbps));
        assert_eq!(BitRate::of(1_025, RateUnit::Tbps), None);
        assert_eq!(BitRate::of(u64::MAX, RateUnit::Tbps), None);
        assert_eq!(BitRate::from_mbps(u32::MAX).bps(), 1_024_000_000_000_000);
    }

    #[test]
    fn units_are_found_by_their_names() {
        for &unit in RateUnit::ALL {
            assert_eq!(RateUnit::parse(unit.name()), Some(unit));
        }
        assert_eq!(RateUnit::parse("mbps"), None);
        assert_eq!(RateUnit::names(), "bps, kbps, Mbps, Gbps, Tbps");
    }

    fn any_rate() -> impl Strategy<Value = BitRate> {
        let value = prop_oneof![0..2_100_u64, any::<u64>()];
        let unit = prop::sample::select(RateUnit::ALL);
        (value, unit).prop_filter_map("too much", |(value, unit)| BitRate::of(value, unit))
    }

    proptest! {
        #[test]
        fn the_exact_form_is_read_back_as_it_was(rate in any_rate()) {
            let (value, unit) = rate.exactly();
            prop_assert_eq!(BitRate::of(value, unit), Some(rate));
        }

        #[test]
        fn camaras_form_never_promises_more_and_loses_less_than_half(rate in any_rate()) {
            let (value, unit) = rate.as_camara_writes_it();
            prop_assert!(value <= BitRate::LARGEST_VALUE);
            let read = BitRate::of(value, unit).unwrap();
            prop_assert!(read <= rate && rate.bps() - read.bps() <= rate.bps() / 2);
            // Whoever reads it and writes it again changes nothing more.
            prop_assert_eq!(read.as_camara_writes_it(), (value, unit));
        }
    }
}
