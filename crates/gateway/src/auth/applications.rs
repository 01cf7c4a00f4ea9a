//! The applications that there are: in the ledger, and in memory for every request.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use greenwave_core::ApplicationId;
use greenwave_ledger::{Application, LedgerError, RateLimit, Registry, RegistryError};
use greenwave_network::Timer;
use tokio::sync::Mutex;

use crate::rates::Rates;
use crate::tokens::{InvalidKeys, KeySet};

/// All applications. There is no way for one to go, or to get another name.
pub struct Applications {
    registry: Arc<dyn Registry>,
    known: RwLock<Known>,
    /// Held from a change in the ledger until it is in memory, so that two of them are in the same
    /// order in both.
    changing: Mutex<()>,
    rates: Rates,
}

#[derive(Default)]
struct Known {
    ids: HashMap<String, ApplicationId>,
    /// Public keys, of those who have some.
    keys: HashMap<ApplicationId, Option<Arc<KeySet>>>,
}

/// Why an application's public keys are not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// They are of no use.
    #[error(transparent)]
    Invalid(#[from] InvalidKeys),
    /// There is no such application, or the ledger cannot answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Applications {
    /// Loads them.
    pub async fn load(
        registry: Arc<dyn Registry>,
        timer: Arc<dyn Timer>,
    ) -> Result<Self, LedgerError> {
        let all = registry.applications().await?;
        let mut known = Known::default();
        let rates = Rates::new(timer);
        for application in &all {
            known.note(application);
            rates.set(application.id, application.rate_limit);
        }
        Ok(Self { registry, known: RwLock::new(known), changing: Mutex::new(()), rates })
    }

    /// All of them, in the order in which they were made.
    pub async fn all(&self) -> Result<Vec<Application>, LedgerError> {
        self.registry.applications().await
    }

    /// The application of this name, which is made if there is none.
    pub async fn get_or_make(&self, name: String) -> Result<Application, LedgerError> {
        let _alone = self.changing.lock().await;
        let application = self.registry.application(name).await?;
        self.note(&application);
        Ok(application)
    }

    /// The application of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<ApplicationId> {
        self.read(|known| known.ids.get(name).copied())
    }

    /// The application whose id this text is.
    #[must_use]
    pub fn with_id(&self, text: &str) -> Option<ApplicationId> {
        let id = ApplicationId(text.parse().ok()?);
        // As it is given out, not with a plus or zeros before it.
        self.read(|known| known.keys.contains_key(&id) && id.0.to_string() == text).then_some(id)
    }

    /// The public keys of an application, if it has any.
    #[must_use]
    pub fn keys_of(&self, id: ApplicationId) -> Option<Arc<KeySet>> {
        self.read(|known| known.keys.get(&id)?.clone())
    }

    /// How often each may ask.
    #[must_use]
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Has an application prove who it is with these keys, a JWK set, from now on, or with none.
    pub async fn set_keys(
        &self,
        id: ApplicationId,
        jwks: Option<String>,
    ) -> Result<Application, KeysError> {
        if let Some(jwks) = &jwks {
            KeySet::parse(jwks.as_bytes())?;
        }
        let _alone = self.changing.lock().await;
        let application = self.registry.set_jwks(id, jwks).await?;
        self.note(&application);
        Ok(application)
    }

    /// Lets an application ask so often from now on, or as often as it likes.
    pub async fn set_rate_limit(
        &self,
        id: ApplicationId,
        limit: Option<RateLimit>,
    ) -> Result<Application, RegistryError> {
        let _alone = self.changing.lock().await;
        let application = self.registry.set_rate_limit(id, limit).await?;
        self.rates.set(id, limit);
        Ok(application)
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, application: &Application) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).note(application);
    }
}

impl Known {
    fn note(&mut self, application: &Application) {
        let keys = application.jwks.as_ref();
        // They were looked at before they were kept.
        let keys = keys.and_then(|jwks| KeySet::parse(jwks.as_bytes()).ok()).map(Arc::new);
        self.ids.insert(application.name.clone(), application.id);
        self.keys.insert(application.id, keys);
    }
}
