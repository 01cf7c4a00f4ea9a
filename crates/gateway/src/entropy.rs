//! Where random bits come from.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// A source of random bytes, so that a test or a simulation can bring its own.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Random bytes that nobody can guess.
#[derive(Debug, Default)]
pub struct SystemEntropy(SystemRandom);

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // It fails only where the kernel has no random numbers, and then nothing here is safe.
        #[expect(clippy::expect_used, reason = "going on with known bytes would be worse")]
        self.0.fill(bytes).expect("the operating system has random numbers");
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
