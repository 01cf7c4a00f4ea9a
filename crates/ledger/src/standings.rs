//! How many sessions have what to do with the network.

use greenwave_core::Standing;

/// A count of sessions for each standing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standings([usize; Standing::ALL.len()]);

impl Standings {
    /// How many sessions have this standing.
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.0[standing as usize]
    }

    /// How many sessions there are.
    #[must_use]
    pub fn all(&self) -> usize {
        self.0.iter().sum()
    }

    pub(crate) fn add(&mut self, standing: Standing) {
        self.0[standing as usize] += 1;
    }

    pub(crate) fn take_away(&mut self, standing: Standing) {
        self.0[standing as usize] -= 1;
    }
}
