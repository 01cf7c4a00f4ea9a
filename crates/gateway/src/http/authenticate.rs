//! Who sends a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use greenwave_core::ApplicationId;
use greenwave_wire::ErrorInfo;
use http::header::AUTHORIZATION;
use http::request::Parts;

use super::Api;
use super::answer::Failure;

/// An application that has shown a valid key: as `Authorization: Bearer`, or as `X-RapidAPI-Key`,
/// which Nokia's clients send. If both are there, the first decides.
pub(super) struct Authenticated(pub(super) ApplicationId);

impl FromRequestParts<Arc<Api>> for Authenticated {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Failure> {
        let key = bearer(parts).or_else(|| header(parts, "x-rapidapi-key"));
        let application = key.and_then(|key| api.keys.authenticate(key));
        Ok(Self(application.ok_or_else(ErrorInfo::unauthenticated)?))
    }
}

/// The token of `Authorization: Bearer …`.
pub(super) fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = header(parts, AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}
