//! HTTP: connections, what every request goes through, and the handlers of each API.

mod activity;
mod admin;
mod allowance;
mod answer;
mod authenticate;
mod body;
mod caller;
mod camara;
mod connection;
mod docs;
mod health;
mod idempotency;
mod limits;
mod misses;
mod oauth;
mod observe;
mod openapi;
mod place;
mod rest;
mod routes;
mod server;
mod service;
mod v0;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use greenwave_network::Simulator;
use secrecy::SecretString;

use crate::auth::{Access, Applications, KeyRing};
use crate::engine::Engine;
use crate::entropy::Entropy;
use crate::profiles::Profiles;
use crate::rates::Misses;
use crate::tokens::{Assertions, Issuer, Tokens};

use self::body::BodyRoom;
use self::idempotency::UnderWay;
use self::place::Places;

pub use admin::{
    ApplicationInfo, CreateKey, CreatedKey, FaultForm, FaultInfo, IssuedToken, KeyInfo, KindName,
    OperationName, OrphanInfo, RateLimitForm, TokenForm,
};
pub use limits::Limits;
pub use openapi::documents;
pub use routes::{admin_routes, public_routes};
pub use server::serve;
pub use service::Routes;

/// What handlers work with.
pub struct Api {
    engine: Arc<Engine>,
    applications: Arc<Applications>,
    keys: KeyRing,
    tokens: Tokens,
    issuer: Issuer,
    assertions: Assertions,
    misses: Misses,
    admin_token: SecretString,
    profiles: Arc<Profiles>,
    /// The network that the sandbox plays with.
    network: Arc<Simulator>,
    entropy: Arc<dyn Entropy>,
    places: Places,
    under_way: UnderWay,
    body_room: BodyRoom,
    /// How many answers said that something cannot be served now.
    unavailable: AtomicU64,
    draining: AtomicBool,
}

impl Api {
    /// The API of an engine.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        access: Access,
        admin_token: SecretString,
        profiles: Arc<Profiles>,
        network: Arc<Simulator>,
        entropy: Arc<dyn Entropy>,
        limits: &Limits,
    ) -> Self {
        let Access { applications, keys, tokens, issuer, assertions, misses } = access;
        Self {
            engine,
            applications,
            keys,
            tokens,
            issuer,
            assertions,
            misses,
            admin_token,
            profiles,
            network,
            entropy,
            places: Places::new(limits.requests),
            under_way: UnderWay::default(),
            body_room: BodyRoom::new(limits),
            unavailable: AtomicU64::new(0),
            draining: AtomicBool::new(false),
        }
    }

    /// From now on `/readyz` says that no new requests should come, and every answer over HTTP/1
    /// that it is the last one on its connection.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// The application keys.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }
}
