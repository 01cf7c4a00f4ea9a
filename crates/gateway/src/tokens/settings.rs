//! Whose tokens are taken, and what time it is for them.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use http::Uri;
use jiff::Timestamp;

/// What is configured.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whose tokens are taken beside those of the gateway's own issuer.
    pub external: Option<ExternalIssuer>,
    /// What time it is.
    pub clock: WallClock,
}

/// Another one who issues tokens for this gateway.
#[derive(Clone, Debug)]
pub struct ExternalIssuer {
    /// Its name, which its tokens have in `iss`: a URL, character by character.
    pub issuer: String,
    /// Where its public keys are.
    pub jwks: JwksSource,
    /// The name of this gateway, which its tokens have in `aud`.
    pub audience: String,
    /// The claim that names the application; `client_id`, else `azp`, if it is not said.
    pub client_claim: Option<String>,
    /// The claim that names the device, if a token is for one alone.
    pub device_claim: String,
}

/// The claim that names the device, if nothing else is said.
pub const DEVICE_CLAIM: &str = "phone_number";

/// Where public keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// At an `https` URL, or an `http` one of this machine.
    Url(Uri),
    /// In a file.
    File(PathBuf),
}

/// Why a text does not say where keys are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a URL of keys is https://…, or http://… of this machine: else anybody could change them")]
pub struct InsecureUrl;

impl JwksSource {
    /// A URL if it begins like one, else the path of a file.
    pub fn parse(text: &str) -> Result<Self, InsecureUrl> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let uri: Uri = text.parse().map_err(|_| InsecureUrl)?;
        let host = uri.host().ok_or(InsecureUrl)?;
        match uri.scheme_str() {
            Some("https") => Ok(Self::Url(uri)),
            Some("http") if is_loopback(host) => Ok(Self::Url(uri)),
            _ => Err(InsecureUrl),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The time that issuers go by. It is not that of sessions, which is the gateway's own and may be
/// moved: a token that has run out has run out for everybody.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl WallClock {
    /// A clock that a test can move.
    #[must_use]
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        (self.0)().as_millisecond()
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WallClock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_nothing_that_others_can_change() {
        for good in ["https://example.com/jwks", "http://localhost:1/k", "http://[::1]:1/k"] {
            assert!(matches!(JwksSource::parse(good), Ok(JwksSource::Url(_))), "{good}");
        }
        for bad in
            ["http://example.com/jwks", "http://127.0.0.1.example.com/", "ftp://x/", "https://"]
        {
            assert_eq!(JwksSource::parse(bad), Err(InsecureUrl), "{bad}");
        }
        assert_eq!(JwksSource::parse("keys.json"), Ok(JwksSource::File("keys.json".into())));
    }
}
