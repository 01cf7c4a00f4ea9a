//! Who sends a request.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use greenwave_core::ApplicationId;
use greenwave_wire::ErrorInfo;
use http::header::AUTHORIZATION;
use http::request::Parts;

use super::Api;
use super::allowance::Counter;
use super::answer::Failure;
use super::caller::Credential;
use crate::auth::Scope;
use crate::tokens;

/// An operation of `/qod/v0`, which has no scopes of its own: a token needs the one that it needs
/// for the same at CAMARA's APIs, or a token for little would be one for everything.
pub(super) trait Operation {
    /// The scope.
    const SCOPE: Scope;
}

/// An application that has shown a valid key, or a token for this operation on any device.
pub(super) struct Authenticated<O>(pub(super) ApplicationId, pub(super) PhantomData<O>);

impl<O: Operation> FromRequestParts<Arc<Api>> for Authenticated<O> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Failure> {
        let shown = Shown::in_request(parts, api).await?;
        if let Some(token) = &shown.token {
            if token.device.is_some() {
                return Err(ErrorInfo::token_of_device().into());
            }
            if !token.granted.has(O::SCOPE) {
                return Err(ErrorInfo::missing_scope(O::SCOPE.as_str()).into());
            }
        }
        shown.counter(parts, api).count()?;
        Ok(Self(shown.application, PhantomData))
    }
}

/// What a request shows, and that it is valid: an application key or an access token as
/// `Authorization: Bearer`, or an application key as `X-RapidAPI-Key`, which Nokia's clients send.
/// If both are there, the first decides.
pub(super) struct Shown {
    pub(super) application: ApplicationId,
    /// `None` if it is an application key.
    pub(super) token: Option<Arc<tokens::Bearer>>,
    pub(super) credential: Credential,
}

impl Shown {
    /// Whatever is wrong, the answer is the same.
    pub(super) async fn in_request(parts: &Parts, api: &Api) -> Result<Self, Failure> {
        let shown = match bearer(parts) {
            Some(text) => Self::bearer(text, api).await,
            None => header(parts, "x-rapidapi-key")
                .and_then(|key| Self::key(key, Credential::RapidApiKey, api)),
        };
        shown.ok_or_else(|| ErrorInfo::unauthenticated().into())
    }

    /// What counts the requests of the application, if they are limited.
    pub(super) fn counter(&self, parts: &Parts, api: &Api) -> Counter {
        Counter::new(api.applications.rates().meter(self.application), parts)
    }

    fn key(key: &str, credential: Credential, api: &Api) -> Option<Self> {
        let application = api.keys.authenticate(key)?;
        Some(Self { application, token: None, credential })
    }

    async fn bearer(text: &str, api: &Api) -> Option<Self> {
        let credential = Credential::Bearer;
        if let Some(shown) = Self::key(text, credential, api) {
            return Some(shown);
        }
        match api.tokens.check(text).await {
            Ok(token) => {
                Some(Self { application: token.application, token: Some(token), credential })
            }
            Err(reason) => {
                tracing::debug!(%reason, "a token is refused");
                None
            }
        }
    }
}

/// The token of `Authorization: Bearer …`.
pub(super) fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = header(parts, AUTHORIZATION.as_str())?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

pub(super) fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}
