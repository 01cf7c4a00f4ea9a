//! HTTP: connections, what every request goes through, and the handlers of each API.

mod admin;
mod answer;
mod authenticate;
mod body;
mod health;
mod observe;
mod routes;
mod server;
mod v0;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::auth::KeyRing;
use crate::engine::Engine;
use crate::entropy::Entropy;

pub use admin::{CreateKey, CreatedKey, KeyInfo};
pub use routes::{admin_routes, public_routes};
pub use server::serve;

/// How many requests may be under way.
const REQUESTS: usize = 4_096;

/// What handlers work with.
pub struct Api {
    engine: Arc<Engine>,
    keys: KeyRing,
    admin_token: SecretString,
    entropy: Arc<dyn Entropy>,
    requests: Semaphore,
    draining: AtomicBool,
}

impl Api {
    /// The API of an engine.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        keys: KeyRing,
        admin_token: SecretString,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            engine,
            keys,
            admin_token,
            entropy,
            requests: Semaphore::new(REQUESTS),
            draining: AtomicBool::new(false),
        }
    }

    /// From now on `/readyz` says that no new requests should come.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// The application keys.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }
}
