//! Everything that decides who may do what, opened together.

use std::path::Path;
use std::sync::Arc;

use greenwave_ledger::{LedgerError, Registry};
use greenwave_network::Timer;

use super::{Applications, KeyRing};
use crate::entropy::Entropy;
use crate::rates::Misses;
use crate::secrets::Secrets;
use crate::tokens::{Assertions, Issuer, IssuerError, Settings, Tokens};

/// See the module.
pub struct Access {
    /// The applications.
    pub applications: Arc<Applications>,
    /// Application keys.
    pub keys: KeyRing,
    /// Access tokens.
    pub tokens: Tokens,
    /// Who issues the sandbox's own.
    pub issuer: Issuer,
    /// How clients of the issuer prove who they are.
    pub assertions: Assertions,
    /// How often applications may look for what is not theirs.
    pub misses: Misses,
}

/// What it is opened with.
pub struct AccessParts<'a> {
    /// Where everything is kept.
    pub directory: &'a Path,
    /// The URL of the APIs, without a slash at its end.
    pub api_root: String,
    /// The keeper of applications and keys.
    pub registry: Arc<dyn Registry>,
    /// What keys are hashed with.
    pub secrets: Arc<Secrets>,
    /// The time that limits go by.
    pub timer: Arc<dyn Timer>,
    /// Where keys come from.
    pub entropy: Arc<dyn Entropy>,
    /// Whose tokens are taken.
    pub tokens: Settings,
}

/// Why it cannot be opened. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The ledger cannot answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// There is no key to sign tokens with.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// Keys cannot be fetched over TLS.
    #[error("TLS cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

impl Access {
    /// Opens it.
    pub async fn open(parts: AccessParts<'_>) -> Result<Self, AccessError> {
        let AccessParts {
            directory,
            api_root,
            registry,
            secrets,
            timer,
            entropy,
            tokens: settings,
        } = parts;
        let loaded = Applications::load(Arc::clone(&registry), Arc::clone(&timer)).await?;
        let applications = Arc::new(loaded);
        let known = || Arc::clone(&applications);
        let keys = KeyRing::load(registry, known(), secrets, Arc::clone(&entropy)).await?;
        let clock = settings.clock.clone();
        let issuer = Issuer::open(directory, api_root, clock.clone(), entropy)?;
        let tokens = Tokens::new(&issuer, known(), settings)?;
        let assertions = Assertions::new(&issuer, known(), clock);
        Ok(Self { keys, tokens, issuer, assertions, misses: Misses::new(timer), applications })
    }
}
