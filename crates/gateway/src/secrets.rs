//! The installation's secret, and everything that is made from it: the keyed hashes of application
//! keys and device identifiers, and the sealing of credentials.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use greenwave_core::{IdentifierKey, SealedCredential, SessionId};
use greenwave_crashpoint::{Point, reached};
use greenwave_ledger::{Fingerprint, IdempotencyKey};
use greenwave_wire::SinkCredential;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::entropy::Entropy;

/// Keys for each purpose, derived from the secret in `DIR/secret`.
pub struct Secrets {
    application_keys: hmac::Key,
    identifiers: hmac::Key,
    idempotency_keys: hmac::Key,
    requests: hmac::Key,
    credentials: RandomizedNonceKey,
}

/// Why the secret cannot be had. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is a ledger, but not the secret that it was written with.
    #[error(
        "{} is missing: without it no application key of this ledger is valid. Restore it, or name another directory with --data",
        .0.display()
    )]
    Missing(PathBuf),
    /// The file is not what was written.
    #[error("{} is not 64 hexadecimal digits: restore it from a backup", .0.display())]
    Malformed(PathBuf),
    /// The file system refuses.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Secrets {
    /// Reads `DIR/secret`; makes it in a directory that has no ledger yet.
    pub fn open(directory: &Path, entropy: &dyn Entropy) -> Result<Self, SecretError> {
        let path = directory.join("secret");
        Self::make(directory, &path, entropy)?;
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let master = from_hex(text.trim()).ok_or(SecretError::Malformed(path))?;
                Ok(Self::derive(&master))
            }
            Err(source) => Err(SecretError::Io { path, source }),
        }
    }

    /// The secret itself, as it is kept: for a backup.
    pub(crate) fn read(directory: &Path) -> Result<SecretString, SecretError> {
        let path = directory.join("secret");
        match std::fs::read_to_string(&path) {
            Ok(text) if from_hex(text.trim()).is_some() => Ok(SecretString::from(text.trim())),
            Ok(_) => Err(SecretError::Malformed(path)),
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                Err(SecretError::Missing(path))
            }
            Err(source) => Err(SecretError::Io { path, source }),
        }
    }

    /// Puts the secret of a backup where it belongs.
    pub(crate) fn put(directory: &Path, secret: &SecretString) -> Result<(), SecretError> {
        let path = directory.join("secret");
        let text = format!("{}\n", secret.expose_secret());
        write_private(&path, &text).map_err(|source| SecretError::Io { path, source })
    }

    /// Makes the secret, unless there is one: of two processes that start at once, both use the
    /// one that was there first.
    fn make(directory: &Path, path: &Path, entropy: &dyn Entropy) -> Result<(), SecretError> {
        if path.exists() {
            return Ok(());
        }
        if directory.join("ledger.db").exists() {
            return Err(SecretError::Missing(path.to_owned()));
        }
        let mut master = [0; 32];
        entropy.fill(&mut master);
        let new = path.with_extension(std::process::id().to_string());
        let text = format!("{}\n", to_hex(&master));
        let made = write_private(&new, &text).and_then(|()| match std::fs::hard_link(&new, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => std::fs::remove_file(&new),
        });
        made.map_err(|source| SecretError::Io { path: path.to_owned(), source })
    }

    fn derive(master: &[u8; 32]) -> Self {
        let master = hmac::Key::new(HMAC_SHA256, master);
        let derived = |purpose: &str| hmac::sign(&master, purpose.as_bytes());
        let key = |purpose: &str| hmac::Key::new(HMAC_SHA256, derived(purpose).as_ref());
        #[expect(clippy::expect_used, reason = "an HMAC-SHA256 is as long as an AES-256 key")]
        let credentials =
            RandomizedNonceKey::new(&AES_256_GCM, derived("greenwave sink credentials").as_ref())
                .expect("32 bytes are a key");
        Self {
            application_keys: key("greenwave application keys"),
            identifiers: key("greenwave device identifiers"),
            idempotency_keys: key("greenwave idempotency keys"),
            requests: key("greenwave requests"),
            credentials,
        }
    }

    /// The hash under which an application key is kept.
    #[must_use]
    pub fn hash_application_key(&self, key: &str) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(hmac::sign(&self.application_keys, key.as_bytes()).as_ref());
        hash
    }

    /// The hash under which an identifier of a device is kept. `kind` keeps a number from being
    /// taken for a name of the same text.
    #[must_use]
    pub fn hash_identifier(&self, kind: &str, text: &[u8]) -> IdentifierKey {
        let mut hash = hmac::Context::with_key(&self.identifiers);
        hash.update(kind.as_bytes());
        hash.update(&[0]);
        hash.update(text);
        IdentifierKey(sixteen_of(&hash.sign()))
    }

    /// The hash under which the reply to a request is kept that has named this key.
    #[must_use]
    pub fn hash_idempotency_key(&self, key: &str) -> IdempotencyKey {
        IdempotencyKey(sixteen_of(&hmac::sign(&self.idempotency_keys, key.as_bytes())))
    }

    /// What tells a request from another one: a hash of all that it asks for, in parts.
    #[must_use]
    pub fn fingerprint(&self, asked: &[&[u8]]) -> Fingerprint {
        let mut hash = hmac::Context::with_key(&self.requests);
        for part in asked {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Fingerprint(sixteen_of(&hash.sign()))
    }

    /// Encrypts a sink's credential. It can only be opened for the same session.
    ///
    /// What is encrypted is the token, and on a second line, if it expires, the Unix time in
    /// milliseconds at which it does.
    #[must_use]
    pub fn seal(&self, session: SessionId, credential: &SinkCredential) -> SealedCredential {
        let mut bytes = credential.token.expose_secret().as_bytes().to_vec();
        if let Some(at) = credential.expires_at {
            bytes.extend_from_slice(format!("\n{}", at.as_millisecond()).as_bytes());
        }
        let aad = Aad::from(session.as_bytes());
        #[expect(
            clippy::expect_used,
            reason = "it fails only beyond 64 GiB, or without randomness"
        )]
        let nonce = self
            .credentials
            .seal_in_place_append_tag(aad, &mut bytes)
            .expect("a token can be encrypted");
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut bytes);
        SealedCredential(sealed.into())
    }

    /// Decrypts a sink's credential; `None` if it was sealed with another secret, or for another
    /// session.
    #[must_use]
    pub fn open_sealed(
        &self,
        session: SessionId,
        sealed: &SealedCredential,
    ) -> Option<SinkCredential> {
        let (nonce, bytes) = sealed.0.split_at_checked(aws_lc_rs::aead::NONCE_LEN)?;
        let nonce = aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = bytes.to_vec();
        let aad = Aad::from(session.as_bytes());
        let opened = self.credentials.open_in_place(nonce, aad, &mut bytes).ok()?;
        let opened = std::str::from_utf8(opened).ok()?;
        let (token, expires_at) = match opened.split_once('\n') {
            Some((token, millis)) => {
                (token, Some(Timestamp::from_millisecond(millis.parse().ok()?).ok()?))
            }
            None => (opened, None),
        };
        Some(SinkCredential { token: SecretString::from(token), expires_at })
    }
}

fn sixteen_of(tag: &hmac::Tag) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&tag.as_ref()[..16]);
    bytes
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    let mut file: File = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    reached(Point::FileWritten);
    std::fs::rename(&new, path)?;
    reached(Point::FileRenamed);
    match path.parent() {
        Some(directory) if directory.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    write_hex(bytes, &mut digits);
    digits.into_iter().map(char::from).collect()
}

/// Writes two digits for each byte.
pub(crate) fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, digits) in bytes.iter().zip(digits.chunks_exact_mut(2)) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 15)];
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use greenwave_core::DeviceKey;

    use super::*;
    use crate::entropy::SystemEntropy;

    fn session(number: u8) -> SessionId {
        SessionId::new([number; 16], DeviceKey([0; 16]).bucket())
    }

    #[test]
    fn the_secret_is_made_once_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let entropy = SystemEntropy::default();
        let first = Secrets::open(directory.path(), &entropy).unwrap();
        let again = Secrets::open(directory.path(), &entropy).unwrap();
        assert_eq!(first.hash_application_key("k"), again.hash_application_key("k"));
        let mode = std::fs::metadata(directory.path().join("secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let other = tempfile::tempdir().unwrap();
        let other = Secrets::open(other.path(), &entropy).unwrap();
        assert_ne!(first.hash_application_key("k"), other.hash_application_key("k"));
    }

    #[test]
    fn a_secret_that_is_lost_or_broken_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let entropy = SystemEntropy::default();
        std::fs::write(directory.path().join("ledger.db"), "").unwrap();
        assert!(matches!(Secrets::open(directory.path(), &entropy), Err(SecretError::Missing(_))));
        std::fs::write(directory.path().join("secret"), "0123").unwrap();
        assert!(matches!(
            Secrets::open(directory.path(), &entropy),
            Err(SecretError::Malformed(_))
        ));
    }

    #[test]
    fn a_credential_opens_for_its_own_session_only() {
        let secrets = Secrets::derive(&[7; 32]);
        let token = SecretString::from("my-token");
        let credential = SinkCredential { token, expires_at: Timestamp::from_second(7).ok() };
        let sealed = secrets.seal(session(1), &credential);
        assert!(!sealed.0.windows(8).any(|window| window == b"my-token"));
        let opened = secrets.open_sealed(session(1), &sealed).unwrap();
        assert_eq!(opened.token.expose_secret(), "my-token");
        assert_eq!(opened.expires_at, credential.expires_at);
        assert!(secrets.open_sealed(session(2), &sealed).is_none());
        assert!(Secrets::derive(&[8; 32]).open_sealed(session(1), &sealed).is_none());
        assert!(secrets.open_sealed(session(1), &SealedCredential([1, 2].into())).is_none());
    }

    #[test]
    fn kinds_of_identifiers_are_kept_apart() {
        let secrets = Secrets::derive(&[7; 32]);
        assert_ne!(secrets.hash_identifier("a", b"bc"), secrets.hash_identifier("ab", b"c"));
        assert_eq!(secrets.hash_identifier("a", b"b"), secrets.hash_identifier("a", b"b"));
        let fingerprint = |parts: [&[u8]; 2]| secrets.fingerprint(&parts);
        assert_ne!(fingerprint([b"a", b"bc"]), fingerprint([b"ab", b"c"]));
        assert_eq!(fingerprint([b"a", b"b"]), fingerprint([b"a", b"b"]));
    }
}
