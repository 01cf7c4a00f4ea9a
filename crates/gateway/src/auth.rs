//! Who asks: application keys, and which of them are valid.

mod access;
mod applications;
mod key;
mod scope;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use greenwave_core::ApplicationId;
use greenwave_crashpoint::{Point, reached};
use greenwave_ledger::{
    Application, ApplicationKey, KeyId, LIVE_KEYS_PER_APPLICATION, LedgerError, NewKey, Registry,
    RegistryError,
};
use secrecy::{ExposeSecret, SecretString};

use crate::entropy::Entropy;
use crate::secrets::Secrets;

pub use access::{Access, AccessError, AccessParts};
pub use applications::{Applications, KeysError};
pub use key::{KeyClass, generate, is_well_formed};
pub use scope::{Granted, Scope};

/// The applications and their valid keys, in memory, kept in step with the ledger.
pub struct KeyRing {
    secrets: Arc<Secrets>,
    entropy: Arc<dyn Entropy>,
    registry: Arc<dyn Registry>,
    valid: RwLock<HashMap<[u8; 32], Valid>>,
    applications: Arc<Applications>,
}

#[derive(Clone, Copy)]
struct Valid {
    hash: [u8; 32],
    key: KeyId,
    application: ApplicationId,
}

impl KeyRing {
    /// Loads the valid keys.
    pub async fn load(
        registry: Arc<dyn Registry>,
        applications: Arc<Applications>,
        secrets: Arc<Secrets>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, LedgerError> {
        let keys = registry.keys().await?;
        let valid = keys.iter().filter(|key| key.revoked_at.is_none()).map(entry).collect();
        Ok(Self { secrets, entropy, registry, valid: RwLock::new(valid), applications })
    }

    /// The application whose valid key this is. A text that cannot be a key is not even hashed.
    #[must_use]
    pub fn authenticate(&self, key: &str) -> Option<ApplicationId> {
        if !is_well_formed(key) {
            return None;
        }
        let hash = self.secrets.hash_application_key(key);
        let valid = self.valid.read().unwrap_or_else(PoisonError::into_inner);
        // The table finds by a keyed hash, of which nobody can guess a part. Still, what decides
        // is a comparison that takes the same time wherever the two differ.
        let found = valid.get(&hash)?;
        verify_slices_are_equal(&found.hash, &hash).ok().map(|()| found.application)
    }

    /// Makes a key for the application of this name, which is made if there is none. The key is
    /// shown this once.
    pub async fn create(
        &self,
        application: String,
        label: String,
        class: KeyClass,
    ) -> Result<(Application, ApplicationKey, SecretString), RegistryError> {
        let application = self.applications.get_or_make(application).await?;
        let (key, secret) = self.add(&application, label, class, LIVE_KEYS_PER_APPLICATION).await?;
        Ok((application, key, secret))
    }

    /// Makes a key, unless the application has `limit` live keys already.
    pub(crate) async fn add(
        &self,
        application: &Application,
        label: String,
        class: KeyClass,
        limit: usize,
    ) -> Result<(ApplicationKey, SecretString), RegistryError> {
        let secret = generate(class, &*self.entropy);
        let text = secret.expose_secret();
        let new = NewKey {
            application: application.id,
            hash: self.secrets.hash_application_key(text),
            ending: text[text.len() - 4..].to_owned(),
            label,
        };
        let key = self.registry.add_key(new, limit).await?;
        reached(Point::KeysAdded);
        let (hash, valid) = entry(&key);
        self.valid.write().unwrap_or_else(PoisonError::into_inner).insert(hash, valid);
        Ok((key, secret))
    }

    /// Ends the validity of a key, from this moment on.
    pub async fn revoke(&self, key: KeyId) -> Result<ApplicationKey, RegistryError> {
        let revoked = self.registry.revoke_key(key).await?;
        reached(Point::KeysRevoked);
        let mut valid = self.valid.write().unwrap_or_else(PoisonError::into_inner);
        valid.retain(|_, valid| valid.key != key);
        Ok(revoked)
    }

    /// Whose keys they are.
    #[must_use]
    pub fn applications(&self) -> &Applications {
        &self.applications
    }

    /// All keys, revoked ones too.
    pub async fn keys(&self) -> Result<Vec<ApplicationKey>, LedgerError> {
        self.registry.keys().await
    }
}

fn entry(key: &ApplicationKey) -> ([u8; 32], Valid) {
    (key.hash, Valid { hash: key.hash, key: key.id, application: key.application })
}
