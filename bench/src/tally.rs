//! What came of many requests.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::Failure;

/// The longest time that is told from longer ones: twice what an answer may take.
const LONGEST_US: u64 = 60_000_000;

/// Answers by how long they took, and what was no answer by what it was instead.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    micros: Histogram<u64>,
    bytes: u64,
    errors: BTreeMap<String, u64>,
}

/// How times are spread, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Quantiles {
    /// The median.
    pub(crate) p50_us: u64,
    /// What 90 % were not slower than.
    pub(crate) p90_us: u64,
    /// What 99 % were not slower than.
    pub(crate) p99_us: u64,
    /// What 99.9 % were not slower than.
    pub(crate) p999_us: u64,
    /// The slowest.
    pub(crate) max_us: u64,
}

/// A tally in numbers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    /// How many requests had the answer they should have.
    pub(crate) requests: u64,
    /// How large the bodies of the answers were, together.
    pub(crate) bytes: u64,
    /// How long those took.
    #[serde(flatten)]
    pub(crate) times: Quantiles,
    /// The others, by status or by what happened.
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new() -> Result<Self, Failure> {
        let micros = Histogram::new_with_bounds(1, LONGEST_US, 3);
        let micros = micros.map_err(|error| Failure::new("no histogram", error))?;
        Ok(Self { micros, bytes: 0, errors: BTreeMap::new() })
    }

    /// One more answer.
    pub(crate) fn answered(&mut self, took: Duration, bytes: usize) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST_US);
        self.micros.saturating_record(micros);
        self.bytes += bytes as u64;
    }

    /// One more that is no answer.
    pub(crate) fn failed(&mut self, why: String) {
        *self.errors.entry(why).or_default() += 1;
    }

    /// Takes up what somebody else counted.
    pub(crate) fn add(&mut self, other: &Self) {
        // Both have the same bounds, so it fits.
        let _ = self.micros.add(&other.micros);
        self.bytes += other.bytes;
        for (why, count) in &other.errors {
            *self.errors.entry(why.clone()).or_default() += count;
        }
    }

    /// The numbers.
    pub(crate) fn figures(&self) -> Figures {
        let at = |quantile| self.micros.value_at_quantile(quantile);
        let times = Quantiles {
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: self.micros.max(),
        };
        let (requests, bytes) = (self.micros.len(), self.bytes);
        Figures { requests, bytes, times, errors: self.errors.clone() }
    }
}
