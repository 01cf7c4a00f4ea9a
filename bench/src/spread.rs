//! What several rounds came to.

use serde::Serialize;

/// The middle, and both ends.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of an even number, the median is the upper of the two in the middle.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self { median: at(values.len() / 2), min: at(0), max: at(values.len().saturating_sub(1)) }
    }

    /// Of what came of the same rounds, one by the other.
    pub(crate) fn of_ratios(above: &[f64], below: &[f64]) -> Self {
        Self::of(above.iter().zip(below).map(|(above, below)| above / below))
    }

    /// The two ends, as a cell of a table.
    pub(crate) fn ends(&self, digits: usize) -> String {
        format!("{:.digits$}..{:.digits$}", self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_middle_and_both_ends() {
        let spread = Spread::of([5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!((spread.median, spread.min, spread.max), (3.0, 1.0, 5.0));
        assert_eq!(spread.ends(1), "1.0..5.0");
    }

    #[test]
    fn a_ratio_is_that_of_the_same_round() {
        let spread = Spread::of_ratios(&[4.0, 9.0, 30.0], &[2.0, 3.0, 3.0]);
        assert_eq!((spread.median, spread.min, spread.max), (3.0, 2.0, 10.0));
    }
}
