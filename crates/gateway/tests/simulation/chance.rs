//! All chance of a world, from its seed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenwave::entropy::Entropy;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};

/// A source of chance that everybody in a world shares.
#[derive(Clone)]
pub(crate) struct Chance(Arc<Mutex<SmallRng>>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))))
    }

    /// Whether something happens that happens so often in a hundred times.
    pub(crate) fn percent(&self, percent: u32) -> bool {
        self.below(100) < u64::from(percent)
    }

    pub(crate) fn below(&self, end: u64) -> u64 {
        self.0.lock().unwrap().random_range(0..end)
    }

    pub(crate) fn millis(&self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.0.lock().unwrap().random_range(range))
    }

    pub(crate) fn pick<T: Copy>(&self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

impl Entropy for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}
