//! The sandbox's own issuer of tokens. Its key is in `DIR/issuer.key`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use greenwave_core::device::{NetworkAccessIdentifier, PhoneNumber};
use greenwave_core::{ApplicationId, Device};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::{KeySet, WallClock};
use crate::entropy::{Entropy, sixteen};
use crate::secrets::{to_hex, write_private};

/// How long a token lives, in seconds.
pub const LIFE_S: i64 = 3_600;

/// The path of the token endpoint.
pub const TOKEN_PATH: &str = "/oauth2/v1/token";

/// The claim that names the application: by its id.
pub(super) const CLIENT_CLAIM: &str = "client_id";

/// The claims that name a device, if a token is for one alone.
pub(super) const DEVICE_CLAIMS: [&str; 2] = ["phone_number", "network_access_identifier"];

/// Who issues the sandbox's tokens.
pub struct Issuer {
    url: String,
    key: EncodingKey,
    key_id: String,
    jwks: String,
    clock: WallClock,
    entropy: Arc<dyn Entropy>,
}

/// A token about to be issued.
pub struct NewToken<'a> {
    /// Whose it will be.
    pub application: ApplicationId,
    /// The one device that it is for, if it is for one.
    pub device: Option<&'a Device>,
    /// What it is good for, separated by spaces.
    pub scope: &'a str,
    /// How long it will live. One that is over already is of use in tests.
    pub life_s: i64,
}

/// Why there is no issuer. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The file is not what was written.
    #[error("{} holds no key: remove it, and a new one is made", .0.display())]
    Malformed(PathBuf),
    /// The file system refuses.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key cannot be made.
    #[error("cannot make a key to sign tokens with")]
    NoKey,
}

impl Issuer {
    /// The issuer of this name, with the key in the directory, which is made if there is none.
    /// The directory is this process's alone.
    pub(crate) fn open(
        directory: &Path,
        url: String,
        clock: WallClock,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, IssuerError> {
        let path = directory.join("issuer.key");
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = new_key().ok_or(IssuerError::NoKey)?;
                let io = |source| IssuerError::Io { path: path.clone(), source };
                write_private(&path, &format!("{text}\n")).map_err(io)?;
                tracing::info!("a key to sign tokens with was made: tokens of another are void");
                text
            }
            read => read.map_err(|source| IssuerError::Io { path: path.clone(), source })?,
        };
        let parts = read_key(text.trim()).ok_or(IssuerError::Malformed(path))?;
        let (key, key_id, jwks) = parts;
        Ok(Self { url, key, key_id, jwks, clock, entropy })
    }

    /// Its name, and where its endpoints begin.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its clients get tokens.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        format!("{}{TOKEN_PATH}", self.url)
    }

    /// Its public key, as a JWK set.
    #[must_use]
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The keys that its tokens are checked with.
    pub(super) fn keys(&self) -> KeySet {
        KeySet::parse(self.jwks.as_bytes()).unwrap_or_default()
    }

    /// A token (RFC 9068).
    #[must_use]
    pub fn issue(&self, new: &NewToken<'_>) -> String {
        let now_s = self.clock.now_ms() / 1_000;
        let client = new.application.0.to_string();
        let mut claims = json!({
            "iss": self.url,
            "aud": self.url,
            "sub": client,
            CLIENT_CLAIM: client,
            "scope": new.scope,
            "iat": now_s,
            "exp": now_s.saturating_add(new.life_s),
            "jti": to_hex(&sixteen(&*self.entropy)),
        });
        if let Some(device) = new.device {
            let names = [
                device.phone_number().map(PhoneNumber::text),
                device.network_access_identifier().map(NetworkAccessIdentifier::text),
            ];
            for (claim, name) in DEVICE_CLAIMS.into_iter().zip(names) {
                if let Some(name) = name {
                    claims[claim] = Value::from(name);
                }
            }
        }
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::ES256)
        };
        // The key has been looked at; what could fail would make an empty token, which is none.
        jsonwebtoken::encode(&header, &claims, &self.key).unwrap_or_default()
    }
}

/// A key as it is kept: PKCS#8 in Base64. Signing draws random bits from the system, and so does
/// this.
fn new_key() -> Option<String> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
    let der = pair.to_pkcs8v1().ok()?;
    Some(STANDARD.encode(der.as_ref()))
}

/// The key, its id, and its public half as a JWK set.
fn read_key(text: &str) -> Option<(EncodingKey, String, String)> {
    let key = EncodingKey::from_ec_der(&STANDARD.decode(text).ok()?);
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).ok()?;
    // So that it stays the same for as long as the key does (RFC 7638).
    let id = jwk.thumbprint(ThumbprintHash::SHA256).ok()?;
    jwk.common.key_id = Some(id.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    let jwks = json!({"keys": [jwk]}).to_string();
    Some((key, id, jwks))
}
