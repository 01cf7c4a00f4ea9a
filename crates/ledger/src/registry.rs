//! Applications and their keys. They are kept beside the sessions: no command touches both.

use std::num::NonZeroU32;

use greenwave_core::ApplicationId;
use jiff::Timestamp;

use crate::{Answer, LedgerError};

/// How many keys of an application may be live at once: one in use, and one to change over to.
pub const LIVE_KEYS_PER_APPLICATION: usize = 2;

/// An application: the tenant that owns keys and sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// What people call it; no two have the same.
    pub name: String,
    /// Since when it is known.
    pub created_at: Timestamp,
    /// The public keys with which it proves who it is, as a JWK set (RFC 7517).
    pub jwks: Option<String>,
    /// How often it may ask for something, if that is limited.
    pub rate_limit: Option<RateLimit>,
}

/// How often an application may ask for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// So many times.
    pub requests: NonZeroU32,
    /// In so many seconds.
    pub per_s: NonZeroU32,
}

/// The number of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

/// An application's key, as far as it is kept: its hash, never the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationKey {
    /// Its number.
    pub id: KeyId,
    /// Whose key it is.
    pub application: ApplicationId,
    /// The keyed hash of the key.
    pub hash: [u8; 32],
    /// The last characters of the key, by which people tell keys apart.
    pub ending: String,
    /// What it was made for.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ceased to be valid, if it has.
    pub revoked_at: Option<Timestamp>,
}

/// A key about to be kept.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Whose key it is.
    pub application: ApplicationId,
    /// The keyed hash of the key.
    pub hash: [u8; 32],
    /// The last characters of the key.
    pub ending: String,
    /// What it is for.
    pub label: String,
}

/// Why an application or a key was not kept, or not found.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RegistryError {
    /// The application has as many live keys as it may.
    #[error(
        "the application has {LIVE_KEYS_PER_APPLICATION} live keys already: revoke one of them first"
    )]
    TooManyKeys,
    /// There is no live key of this number.
    #[error("there is no live key with this id")]
    UnknownKey,
    /// There is no application of this id.
    #[error("there is no application with this id")]
    UnknownApplication,
    /// The ledger cannot answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The keeper of applications and keys.
pub trait Registry: Send + Sync {
    /// All applications, in the order in which they were made.
    fn applications(&self) -> Answer<'_, Result<Vec<Application>, LedgerError>>;

    /// The application of this name, made if there is none.
    fn application(&self, name: String) -> Answer<'_, Result<Application, LedgerError>>;

    /// Keeps the public keys of an application, or forgets them.
    fn set_jwks(
        &self,
        id: ApplicationId,
        jwks: Option<String>,
    ) -> Answer<'_, Result<Application, RegistryError>>;

    /// Keeps how often an application may ask for something, or that this is not limited.
    fn set_rate_limit(
        &self,
        id: ApplicationId,
        limit: Option<RateLimit>,
    ) -> Answer<'_, Result<Application, RegistryError>>;

    /// All keys, revoked ones too, in the order in which they were made.
    fn keys(&self) -> Answer<'_, Result<Vec<ApplicationKey>, LedgerError>>;

    /// Keeps a key, unless its application has `limit` live keys already.
    fn add_key(
        &self,
        key: NewKey,
        limit: usize,
    ) -> Answer<'_, Result<ApplicationKey, RegistryError>>;

    /// Ends the validity of a key.
    fn revoke_key(&self, id: KeyId) -> Answer<'_, Result<ApplicationKey, RegistryError>>;
}
