//! Sets of ports, in the one canonical form that they have.

use std::fmt;

use super::PortRange;

/// A set of ports: ranges in rising order, none touching the next.
///
/// Ranges stay ranges, so that 80–443 on both sides of a flow is one range each and not 132,496
/// pairs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortSet {
    ranges: Vec<PortRange>,
}

impl PortSet {
    /// Every port, 0 included.
    #[must_use]
    pub fn all() -> Self {
        Self { ranges: vec![PortRange { from: 0, to: u16::MAX }] }
    }

    /// No port.
    #[must_use]
    pub fn none() -> Self {
        Self { ranges: Vec::new() }
    }

    /// The ranges, in rising order, none touching the next.
    #[must_use]
    pub fn ranges(&self) -> &[PortRange] {
        &self.ranges
    }

    /// Whether no port is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many ports are in it, 0 to 65,536.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.ranges.iter().map(|range| u32::from(range.to - range.from) + 1).sum()
    }

    /// Whether `port` is in it.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        let after = self.ranges.partition_point(|range| range.to < port);
        self.ranges.get(after).is_some_and(|range| range.from <= port)
    }

    /// Whether a port is in both.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.overlaps_with(other).next().is_some()
    }

    /// The ports in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self { ranges: self.overlaps_with(other).collect() }
    }

    /// The ports in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.ranges.iter().chain(&other.ranges).copied().collect()
    }

    /// The ports not in it.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next_free = Some(0);
        for range in &self.ranges {
            if let Some(from) = next_free.filter(|&from| from < range.from) {
                ranges.push(PortRange { from, to: range.from - 1 });
            }
            next_free = range.to.checked_add(1);
        }
        if let Some(from) = next_free {
            ranges.push(PortRange { from, to: u16::MAX });
        }
        Self { ranges }
    }

    /// Whether every port in it is in `other` too.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        !self.intersects(&other.complement())
    }

    /// The common parts of two sets, by walking both once.
    fn overlaps_with<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = PortRange> + 'a {
        let (mut mine, mut theirs) = (0, 0);
        std::iter::from_fn(move || {
            loop {
                let (a, b) = (self.ranges.get(mine)?, other.ranges.get(theirs)?);
                if a.to < b.to {
                    mine += 1;
                } else {
                    theirs += 1;
                }
                let (from, to) = (a.from.max(b.from), a.to.min(b.to));
                if from <= to {
                    return Some(PortRange { from, to });
                }
            }
        })
    }
}

impl FromIterator<PortRange> for PortSet {
    fn from_iter<I: IntoIterator<Item = PortRange>>(ranges: I) -> Self {
        let mut sorted: Vec<PortRange> = ranges.into_iter().collect();
        sorted.sort_unstable();
        let mut joined: Vec<PortRange> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match joined.last_mut() {
                Some(last) if u32::from(range.from) <= u32::from(last.to) + 1 => {
                    last.to = last.to.max(range.to);
                }
                _ => joined.push(range),
            }
        }
        Self { ranges: joined }
    }
}

/// `0,80-443,8080`; `none` for the empty set.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (index, range) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if range.from == range.to {
                write!(f, "{comma}{}", range.from)?;
            } else {
                write!(f, "{comma}{}-{}", range.from, range.to)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same set as 65,536 truths: slow, and too simple to be wrong.
    type Bitmap = Vec<bool>;

    fn bitmap(ranges: &[PortRange]) -> Bitmap {
        let mut bits = vec![false; 65_536];
        for range in ranges {
            bits[usize::from(range.from)..=usize::from(range.to)].fill(true);
        }
        bits
    }

    fn assert_same(set: &PortSet, bits: &Bitmap) {
        assert_eq!(&bitmap(set.ranges()), bits);
        assert_eq!(set.len() as usize, bits.iter().filter(|&&bit| bit).count());
        assert_eq!(set.is_empty(), !bits.contains(&true));
        for pair in set.ranges().windows(2) {
            assert!(u32::from(pair[0].to) + 1 < u32::from(pair[1].from), "{set} is not canonical");
        }
    }

    /// Ranges that often touch, overlap and reach the ends of the port space.
    fn ranges() -> impl Strategy<Value = Vec<PortRange>> {
        let port = prop_oneof![Just(0), Just(u16::MAX), 0..40u16, 65_500..=u16::MAX, any::<u16>()];
        let range =
            (port.clone(), port).prop_map(|(a, b)| PortRange { from: a.min(b), to: a.max(b) });
        prop::collection::vec(range, 0..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn the_algebra_agrees_with_a_bitmap(a in ranges(), b in ranges()) {
            let (bits_a, bits_b) = (bitmap(&a), bitmap(&b));
            let (a, b): (PortSet, PortSet) = (a.into_iter().collect(), b.into_iter().collect());
            let both = |op: fn(bool, bool) -> bool| -> Bitmap {
                bits_a.iter().zip(&bits_b).map(|(&x, &y)| op(x, y)).collect()
            };
            assert_same(&a, &bits_a);
            assert_same(&a.union(&b), &both(|x, y| x || y));
            assert_same(&a.intersection(&b), &both(|x, y| x && y));
            assert_same(&a.complement(), &both(|x, _| !x));
            prop_assert_eq!(a.intersects(&b), both(|x, y| x && y).contains(&true));
            prop_assert_eq!(a.is_subset(&b), !both(|x, y| x && !y).contains(&true));
            for port in [0, 1, 39, 40, 65_499, 65_500, u16::MAX] {
                prop_assert_eq!(a.contains(port), bits_a[usize::from(port)]);
            }
        }

        #[test]
        fn equal_sets_are_equal_values(a in ranges()) {
            let set: PortSet = a.iter().copied().collect();
            let reversed: PortSet = a.iter().rev().copied().collect();
            prop_assert_eq!(&set, &reversed);
            prop_assert_eq!(&set, &set.complement().complement());
        }
    }

    #[test]
    fn the_ends_of_the_space() {
        assert_eq!(PortSet::all().complement(), PortSet::none());
        assert_eq!(PortSet::none().complement(), PortSet::all());
        assert_eq!(PortSet::all().len(), 65_536);
        assert_eq!(PortSet::all().to_string(), "0-65535");
        assert_eq!(PortSet::none().to_string(), "none");
    }
}
