//! What an application key looks like: `gw_test_`, 32 random characters, and 6 that check them, so
//! that a mistyped key is recognised without a look into any table, and a leaked one by scanners.

use secrecy::SecretString;

use crate::entropy::Entropy;

/// Which networks a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyClass {
    /// `gw_test_…`: simulated ones.
    Test,
}

const RANDOM: usize = 32;
const CHECK: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl KeyClass {
    fn prefix(self) -> &'static str {
        match self {
            Self::Test => "gw_test_",
        }
    }
}

/// Draws a key.
#[must_use]
pub fn generate(class: KeyClass, entropy: &dyn Entropy) -> SecretString {
    let mut key = class.prefix().to_owned();
    let mut drawn = 0;
    while drawn < RANDOM {
        let mut bytes = [0; RANDOM];
        entropy.fill(&mut bytes);
        // 248 is the largest multiple of 62 in a byte; beyond it some characters would be likelier.
        for byte in bytes.into_iter().filter(|&byte| byte < 248).take(RANDOM - drawn) {
            key.push(char::from(ALPHABET[usize::from(byte % 62)]));
            drawn += 1;
        }
    }
    key.push_str(&check(&key));
    SecretString::from(key)
}

/// Whether a text can be a key at all.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let prefix = KeyClass::Test.prefix();
    let Some((body, given)) = text.split_at_checked(prefix.len() + RANDOM) else { return false };
    body.starts_with(prefix)
        && body[prefix.len()..].bytes().all(|byte| byte.is_ascii_alphanumeric())
        && given == check(body)
}

/// The CRC-32 of what stands before it, in six characters.
fn check(body: &str) -> String {
    let mut crc = crc32fast::hash(body.as_bytes()) as usize;
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[crc % 62];
        crc /= 62;
    }
    digits.map(char::from).iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn keys_are_well_formed_and_differ() {
        let draw = || generate(KeyClass::Test, &SystemEntropy::default());
        let (one, other) = (draw(), draw());
        assert!(is_well_formed(one.expose_secret()));
        assert_eq!(one.expose_secret().len(), 46);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }

    #[test]
    fn a_mistyped_key_is_recognised() {
        let key = generate(KeyClass::Test, &SystemEntropy::default());
        let key = key.expose_secret();
        for at in 0..key.len() {
            let mut typed = key.as_bytes().to_vec();
            typed[at] = if typed[at] == b'x' { b'y' } else { b'x' };
            assert!(!is_well_formed(std::str::from_utf8(&typed).unwrap()), "changed at {at}");
        }
        assert!(!is_well_formed(&key[..key.len() - 1]));
        assert!(!is_well_formed(&format!("{key}0")));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            prop_assert!(!is_well_formed(&text));
            let _ = is_well_formed(&format!("gw_test_{text}"));
        }
    }
}
