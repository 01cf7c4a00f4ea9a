//! Public keys, each good for one algorithm.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::jwt::Jwt;
use super::{Refused, SIGNED_WITH};

/// The most keys that one owner has use for.
const MOST_KEYS: usize = 100;

/// The shortest RSA modulus, in bytes.
const SHORTEST_MODULUS: usize = 256;

/// The keys of one owner.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    /// By their ids; a key without one has the empty id. An owner may use one id for keys of
    /// several algorithms.
    keys: HashMap<String, Vec<Arc<PublicKey>>>,
}

/// A key, and the one algorithm that it is for: a token does not get to choose.
#[derive(Debug)]
pub(super) struct PublicKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Why a text holds no keys to check signatures with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeys {
    /// It is no JWK set.
    #[error("these are no keys: a JWK set is {{\"keys\": […]}} (RFC 7517)")]
    Malformed,
    /// There are too many.
    #[error("these are more than {MOST_KEYS} keys")]
    TooMany,
    /// A key in it can sign, and is everybody's now.
    #[error("there is a private or a shared key among them: never give that away; make a new one")]
    Private,
    /// Not one of them is of use.
    #[error(
        "there is no key among them that can check signatures here: RSA of 2,048 bits or more, \
         EC on P-256 or P-384, or Ed25519, for use \"sig\""
    )]
    NoneOfUse,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a JWK set (RFC 7517). What is not understood in it is left out.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidKeys> {
        let document: Document =
            serde_json::from_slice(json).map_err(|_| InvalidKeys::Malformed)?;
        if document.keys.len() > MOST_KEYS {
            return Err(InvalidKeys::TooMany);
        }
        let mut set = Self::default();
        for value in document.keys {
            if value.get("d").is_some() || value.get("k").is_some() {
                return Err(InvalidKeys::Private);
            }
            let Ok(jwk) = serde_json::from_value::<Jwk>(value) else { continue };
            if let Some(key) = PublicKey::of(&jwk) {
                let id = jwk.common.key_id.unwrap_or_default();
                set.keys.entry(id).or_default().push(Arc::new(key));
            }
        }
        if set.keys.is_empty() { Err(InvalidKeys::NoneOfUse) } else { Ok(set) }
    }

    /// The key of this id for this algorithm. Without an id it is the only key that there is, or
    /// none.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<PublicKey>> {
        let keys = match id {
            Some(id) => self.keys.get(id)?,
            None if self.keys.len() == 1 => self.keys.values().next()?,
            None => return None,
        };
        let mut fit = keys.iter().filter(|key| key.algorithm == algorithm);
        fit.next().filter(|_| id.is_some() || keys.len() == 1).cloned()
    }
}

impl PublicKey {
    fn of(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let for_signatures =
            common.public_key_use.as_ref().is_none_or(|use_| *use_ == PublicKeyUse::Signature);
        let verifies =
            |operations: &Vec<KeyOperations>| operations.contains(&KeyOperations::Verify);
        if !for_signatures || !common.key_operations.as_ref().is_none_or(verifies) {
            return None;
        }
        let named = match common.key_algorithm {
            None => None,
            Some(algorithm) => Some(signature_algorithm(algorithm)?),
        };
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => one(named, Algorithm::ES256)?,
                EllipticCurve::P384 => one(named, Algorithm::ES384)?,
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                one(named, Algorithm::EdDSA)?
            }
            // Where no algorithm is said, it is the one that every issuer has.
            AlgorithmParameters::RSA(_) => {
                named.filter(is_rsa).or(named.is_none().then_some(Algorithm::RS256))?
            }
            _ => return None,
        };
        let key = DecodingKey::from_jwk(jwk).ok().filter(has_right_size(algorithm))?;
        Some(Self { algorithm, key })
    }

    /// Whether a token was signed with the other half of this key.
    pub(super) fn check(&self, token: &Jwt<'_>) -> Result<(), Refused> {
        let (message, signature) = token.signed();
        match jsonwebtoken::crypto::verify(signature, message, &self.key, self.algorithm) {
            Ok(true) => Ok(()),
            _ => Err(Refused::Signature),
        }
    }
}

/// The algorithm that a key of this kind is for, unless it says that it is for another one.
fn one(named: Option<Algorithm>, only: Algorithm) -> Option<Algorithm> {
    named.is_none_or(|named| named == only).then_some(only)
}

fn is_rsa(algorithm: &Algorithm) -> bool {
    use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
    matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512)
}

fn has_right_size(algorithm: Algorithm) -> impl Fn(&DecodingKey) -> bool {
    use jsonwebtoken::DecodingKeyKind as Kind;
    move |key| match (key.kind(), algorithm) {
        (Kind::RsaModulusExponent { n, .. }, _) => n.len() >= SHORTEST_MODULUS,
        // An uncompressed point: a byte that says so, and both coordinates.
        (Kind::SecretOrDer(point), Algorithm::ES256) => point.len() == 65,
        (Kind::SecretOrDer(point), Algorithm::ES384) => point.len() == 97,
        (Kind::SecretOrDer(key), _) => key.len() == 32,
    }
}

fn signature_algorithm(algorithm: KeyAlgorithm) -> Option<Algorithm> {
    algorithm.to_string().parse().ok().filter(|known| SIGNED_WITH.contains(known))
}
