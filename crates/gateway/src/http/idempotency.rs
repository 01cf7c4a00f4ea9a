//! Requests that may be made again: the header `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! That nothing is done twice is the ledger's to see to. Here the header is read, the reply is
//! written, and a request whose twin is being worked on is told so at once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use axum::response::Response;
use bytes::Bytes;
use greenwave_core::ApplicationId;
use greenwave_ledger::{IdempotencyKey, Once, WriteReply};
use greenwave_wire::ErrorInfo;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};

use super::Api;
use super::answer::{Failure, json};
use crate::engine::Replied;

const HEADER: &str = "Idempotency-Key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest key.
const LONGEST: usize = 255;

/// How many replies are kept for an application: about one a second, all day long.
const MOST_REPLIES: usize = 100_000;

/// What a request calls itself, if it is one that may be made again.
pub(super) struct Named(pub(super) Option<Name>);

/// The key that a request has named, as its application wrote it.
pub(super) struct Name(String);

impl FromRequestParts<Arc<Api>> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Failure> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let name = read(value.as_bytes()).filter(|_| values.next().is_none());
        let wrong = "has to be one key of 1 to 255 visible ASCII characters, such as a UUID, \
                     either as it is or in quotation marks";
        let name = name.ok_or_else(|| ErrorInfo::invalid_argument(HEADER, wrong))?;
        Ok(Self(Some(Name(name))))
    }
}

/// A bare key, or a string as structured fields have it (RFC 8941, section 3.3.3): both name the
/// same.
fn read(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let key = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted.strip_suffix('"')?)?,
        None => text.to_owned(),
    };
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && (1..=LONGEST).contains(&key.len())).then_some(key)
}

fn unquote(quoted: &str) -> Option<String> {
    let mut key = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => key.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => return None,
            _ => key.push(character),
        }
    }
    Some(key)
}

impl Name {
    /// How the ledger knows a request that asks for this: what is to be done, and with which body.
    pub(super) fn once(
        &self,
        api: &Api,
        application: ApplicationId,
        asked: &[&[u8]],
        write: WriteReply,
    ) -> Once {
        let secrets = &api.engine.parts().secrets;
        Once {
            application,
            key: secrets.hash_idempotency_key(&self.0),
            request: secrets.fingerprint(asked),
            at_most: MOST_REPLIES,
            write,
        }
    }
}

/// The requests with a key that are being worked on: as many, at most, as there are places.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<HashSet<(ApplicationId, IdempotencyKey)>>);

/// Keeps the twins of a request away. It ends when the request is answered or abandoned.
#[derive(Debug)]
pub(super) struct Alone<'a> {
    under_way: &'a UnderWay,
    request: (ApplicationId, IdempotencyKey),
}

impl UnderWay {
    /// Begins a request, unless one with the same key is being worked on.
    pub(super) fn begin(&self, once: &Once) -> Result<Alone<'_>, Failure> {
        let request = (once.application, once.key);
        if self.requests().insert(request) {
            Ok(Alone { under_way: self, request })
        } else {
            Err(ErrorInfo::idempotency_in_progress().into())
        }
    }

    fn requests(&self) -> MutexGuard<'_, HashSet<(ApplicationId, IdempotencyKey)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.under_way.requests().remove(&self.request);
    }
}

/// A reply as an answer: the first time and whenever it is asked for again.
pub(super) fn answer(status: StatusCode, replied: &Replied) -> Response {
    let mut response = json(status, Bytes::copy_from_slice(&replied.reply.text));
    if replied.again {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_quoted() {
        let key = |value: &str| read(value.as_bytes());
        for same in ["8e03978e-40d5", "\"8e03978e-40d5\""] {
            assert_eq!(key(same).as_deref(), Some("8e03978e-40d5"));
        }
        assert_eq!(key(r#""a\"b\\c""#).as_deref(), Some(r#"a"b\c"#));
        assert_eq!(key(r#"a"b\c"#).as_deref(), Some(r#"a"b\c"#));
        assert_eq!(key(&"k".repeat(255)).unwrap().len(), 255);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let longer = "k".repeat(256);
        let quoted = format!("\"{longer}\"");
        for wrong in [
            "",
            "\"",
            "\"\"",
            "a b",
            "\"a b\"",
            "\"a",
            "\"a\"b\"",
            "\"a\\\"",
            "\"a\\b\"",
            "\"a\";p=1",
            "a\tb",
            "ä",
            &longer,
            &quoted,
        ] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(read(&[b'a', 0xff]), None);
    }
}
