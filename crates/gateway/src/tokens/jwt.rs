//! The text of a token: read strictly, and believed in nothing until its signature is.

use std::collections::HashMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::Refused;

/// The longest token that is looked at.
pub(super) const LONGEST: usize = 8 * 1024;

/// Header parameters that name, or bring along, the key to check them with. Who can write a token
/// could choose the key.
const KEYS_OF_THEIR_OWN: [&str; 4] = ["jku", "jwk", "x5u", "x5c"];

/// A token that can be read.
pub(super) struct Jwt<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    pub(super) claims: Claims,
    /// What is signed.
    message: &'a [u8],
    signature: &'a str,
}

/// What a token says of itself.
pub(super) struct Claims(Object);

/// A JSON object in which no name comes twice: what is read first and what is read last must be
/// the same.
struct Object(HashMap<String, Value>);

impl<'a> Jwt<'a> {
    /// Reads a token whose `typ` is one of these, or not said.
    pub(super) fn parse(text: &'a str, types: &[&str]) -> Result<Self, Refused> {
        if text.len() > LONGEST {
            return Err(Refused::TooLong);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(Refused::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(Refused::Malformed)?;
        if claims.contains('.') {
            return Err(Refused::Malformed);
        }
        let Object(header) = decode(header)?;
        if header.contains_key("crit") {
            return Err(Refused::Critical);
        }
        if KEYS_OF_THEIR_OWN.iter().any(|name| header.contains_key(*name)) {
            return Err(Refused::OwnKey);
        }
        match header.get("typ") {
            None => {}
            Some(Value::String(given)) if types.iter().any(|t| t.eq_ignore_ascii_case(given)) => {}
            Some(_) => return Err(Refused::Type),
        }
        let algorithm = header.get("alg").and_then(Value::as_str).ok_or(Refused::Malformed)?;
        let algorithm = algorithm.parse().map_err(|_| Refused::Algorithm)?;
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(Refused::Malformed),
        };
        let claims = Claims(decode(claims)?);
        Ok(Self { algorithm, key_id, claims, message: message.as_bytes(), signature })
    }

    /// What is signed, and the signature.
    pub(super) fn signed(&self) -> (&[u8], &str) {
        (self.message, self.signature)
    }
}

impl Claims {
    /// A text; `None` if it is not said.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Refused> {
        self.text_of(name).map_err(|()| Refused::Claim(name))
    }

    /// The same for a claim whose name is configured.
    pub(super) fn text_of(&self, name: &str) -> Result<Option<&str>, ()> {
        match self.0.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(()),
        }
    }

    /// A moment in milliseconds; `None` if it is not said.
    pub(super) fn moment_ms(&self, name: &'static str) -> Result<Option<i64>, Refused> {
        let Some(value) = self.0.0.get(name) else { return Ok(None) };
        let whole = value.as_i64().and_then(|seconds| seconds.checked_mul(1_000));
        let ms = whole.or_else(|| {
            // So far in the past or future that nobody means it.
            let ms = value.as_f64()? * 1_000.0;
            (value.is_f64() && ms.abs() < 1e16).then_some(ms as i64)
        });
        ms.map(Some).ok_or(Refused::Claim(name))
    }

    /// Whether `aud` names this one, alone or among others.
    pub(super) fn is_for(&self, audience: &str) -> bool {
        match self.0.0.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(many)) => many.iter().any(|one| one == audience),
            _ => false,
        }
    }
}

fn decode(part: &str) -> Result<Object, Refused> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Refused::Malformed)
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;

        impl<'de> Visitor<'de> for Unique {
            type Value = Object;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object in which no name comes twice")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(de::Error::custom("a name comes twice"));
                    }
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Unique)
    }
}
