//! Where random bits come from.

use std::sync::{Mutex, PoisonError};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// A source of random bytes, so that a test or a simulation can bring its own.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// How many bytes are drawn at a time: every draw begins with a generator of its own being seeded.
const STOCK: usize = 1_024;

/// Random bytes that nobody can guess.
#[derive(Default)]
pub struct SystemEntropy {
    system: SystemRandom,
    /// What was drawn and not yet given out. What is given out is not kept.
    stock: Mutex<Vec<u8>>,
}

impl SystemEntropy {
    fn draw(&self, bytes: &mut [u8]) {
        // It fails only where the kernel has no random numbers, and then nothing here is safe.
        #[expect(clippy::expect_used, reason = "going on with known bytes would be worse")]
        self.system.fill(bytes).expect("the operating system has random numbers");
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > 16 {
            // Keys and secrets: few, and never in stock.
            return self.draw(bytes);
        }
        let mut stock = self.stock.lock().unwrap_or_else(PoisonError::into_inner);
        if stock.len() < bytes.len() {
            stock.resize(STOCK, 0);
            self.draw(&mut stock);
        }
        let left = stock.len() - bytes.len();
        bytes.copy_from_slice(&stock[left..]);
        stock[left..].fill(0);
        stock.truncate(left);
    }
}

/// Sixteen random bytes.
pub(crate) fn sixteen(entropy: &dyn Entropy) -> [u8; 16] {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    bytes
}

/// A random number.
pub(crate) fn number(entropy: &dyn Entropy) -> u64 {
    let mut bytes = [0; 8];
    entropy.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_is_given_out_twice_and_nothing_of_it_is_kept() {
        let entropy = SystemEntropy::default();
        let drawn: HashSet<[u8; 16]> = (0..1_000).map(|_| sixteen(&entropy)).collect();
        assert_eq!(drawn.len(), 1_000);
        let last = sixteen(&entropy);
        let stock = entropy.stock.lock().unwrap();
        let (left, capacity) = (stock.len(), stock.capacity());
        assert!(left <= STOCK && capacity <= 2 * STOCK);
        assert!(!stock.windows(16).any(|bytes| bytes == last));
    }
}
