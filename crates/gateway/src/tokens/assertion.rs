//! How a client proves who it is to the issuer: with a JWT that it signs itself (RFC 7523, OpenID
//! Connect's `private_key_jwt`), short-lived and good for once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use greenwave_core::ApplicationId;

use super::jwt::{Claims, Jwt};
use super::{Issuer, LEEWAY_MS, Refused, WallClock, lifetime};
use crate::auth::Applications;

/// The longest life of an assertion, and how far ahead it may end.
const LONGEST_LIFE_MS: i64 = 300_000;

/// The longest `jti`.
const LONGEST_ID: usize = 256;

/// How many assertions of one client are remembered at a time: as many as live.
const MOST_OF_ONE: usize = 10_000;

/// What an assertion calls itself, if it does.
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// Checks assertions, and remembers them for as long as they live.
pub struct Assertions {
    /// The token endpoint.
    audience: String,
    applications: Arc<Applications>,
    clock: WallClock,
    used: Mutex<HashMap<ApplicationId, Used>>,
}

/// Until when each assertion is remembered, by the hash of its id.
type Used = HashMap<[u8; 32], i64>;

/// Why an assertion is not taken. Whoever sent it is told: it is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionRefused {
    /// It is wrong as any token can be.
    #[error(transparent)]
    Token(#[from] Refused),
    /// It is about nobody, or about somebody else.
    #[error("iss and sub must both be the client_id")]
    Client,
    /// There are no keys to check it with.
    #[error("no public keys are registered for this client")]
    NoKeys,
    /// It lives too long.
    #[error("exp must be at most 300 s ahead and at most 300 s after iat, which must be there")]
    TooLong,
    /// It has no name, or too long a one.
    #[error("jti must be there, and have at most 256 characters")]
    NoId,
    /// It was used before.
    #[error("this jti was used before: make a new assertion for each request")]
    Replayed,
    /// There are too many that live.
    #[error("this client has used 10000 assertions in the last minutes: keep tokens for longer")]
    TooMany,
}

impl Assertions {
    pub(crate) fn new(issuer: &Issuer, applications: Arc<Applications>, clock: WallClock) -> Self {
        Self { audience: issuer.token_endpoint(), applications, clock, used: Mutex::default() }
    }

    /// The application that has signed this, which it does for once.
    pub fn check(&self, assertion: &str) -> Result<ApplicationId, AssertionRefused> {
        let now_ms = self.clock.now_ms();
        let jwt = Jwt::parse(assertion, &TYPES)?;
        let claims = &jwt.claims;
        let client = claims.text("sub")?.filter(|_| claims.text("iss") == claims.text("sub"));
        let client = client.and_then(|id| self.applications.with_id(id));
        let client = client.ok_or(AssertionRefused::Client)?;
        let keys = self.applications.keys_of(client).ok_or(AssertionRefused::NoKeys)?;
        let key = keys.find(jwt.key_id.as_deref(), jwt.algorithm);
        key.ok_or(Refused::Key)?.check(&jwt)?;
        if !claims.is_for(&self.audience) {
            return Err(Refused::Audience.into());
        }
        let until_ms = life(claims, now_ms)?;
        let id = claims.text("jti")?.filter(|id| (1..=LONGEST_ID).contains(&id.len()));
        self.use_up(client, id.ok_or(AssertionRefused::NoId)?, until_ms, now_ms)?;
        Ok(client)
    }

    fn use_up(
        &self,
        client: ApplicationId,
        id: &str,
        until_ms: i64,
        now_ms: i64,
    ) -> Result<(), AssertionRefused> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, id.as_bytes()).as_ref());
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let used = used.entry(client).or_default();
        if used.get(&hash).is_some_and(|&until| now_ms < until) {
            return Err(AssertionRefused::Replayed);
        }
        if used.len() >= MOST_OF_ONE {
            used.retain(|_, until| now_ms < *until);
        }
        if used.len() >= MOST_OF_ONE {
            return Err(AssertionRefused::TooMany);
        }
        used.insert(hash, until_ms);
        Ok(())
    }
}

/// Until when an assertion is taken, if it is taken now.
fn life(claims: &Claims, now_ms: i64) -> Result<i64, AssertionRefused> {
    let until_ms = lifetime(claims, now_ms)?;
    let exp_ms = claims.moment_ms("exp")?.ok_or(Refused::Expired)?;
    let iat_ms = claims.moment_ms("iat")?.ok_or(AssertionRefused::TooLong)?;
    let ahead = |ms: i64| ms.saturating_sub(now_ms);
    if ahead(exp_ms) > LONGEST_LIFE_MS || exp_ms.saturating_sub(iat_ms) > LONGEST_LIFE_MS {
        return Err(AssertionRefused::TooLong);
    }
    if ahead(iat_ms) > LEEWAY_MS { Err(Refused::NotYet.into()) } else { Ok(until_ms) }
}
