//! Who sends a request to the CAMARA APIs, for which device, and what it may do.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use greenwave_core::{ApplicationId, Device};
use greenwave_wire::ErrorInfo;
use http::request::Parts;

use super::Api;
use super::allowance::Counter;
use super::answer::Failure;
use super::authenticate::Shown;
use crate::auth::{Granted, Scope};

/// Whoever has shown a valid key or token. A handler lets nothing happen before [`Self::check`].
pub(super) struct Caller {
    /// The application that asks.
    pub(super) application: ApplicationId,
    /// The one device that a three-legged token is for.
    pub(super) device: Option<Device>,
    /// What it may do.
    granted: Granted,
    counter: Counter,
    /// What it has shown.
    pub(super) credential: Credential,
}

/// What a caller has shown, which decides whose rules hold where Nokia's and CAMARA's differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// `X-RapidAPI-Key`
    RapidApiKey,
    /// `Authorization: Bearer`. If both are there, this one decides.
    Bearer,
}

impl Caller {
    /// Refuses whoever does not have the scope of the operation, and whoever asks too often. It is
    /// called once, and before anything is looked up.
    pub(super) fn check(&self, scope: Scope) -> Result<(), Failure> {
        if !self.granted.has(scope) {
            return Err(ErrorInfo::missing_scope(scope.as_str()).into());
        }
        self.counter.count()
    }
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Failure> {
        let shown = Shown::in_request(parts, api).await?;
        let counter = shown.counter(parts, api);
        let Shown { application, token, credential } = shown;
        let (device, granted) = match token {
            None => (None, Granted::ALL),
            Some(bearer) => (bearer.device.clone(), bearer.granted),
        };
        Ok(Self { application, device, granted, counter, credential })
    }
}
