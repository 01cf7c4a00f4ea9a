//! Who calls one of CAMARA's APIs, and what it may.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use greenwave_core::{ApplicationId, Device};
use http::request::Parts;

use super::Api;
use super::answer::Failure;
use super::authenticate::{Authenticated, bearer};
use crate::auth::Scope;

/// An application that has shown a valid credential.
pub(super) struct Caller {
    pub(super) application: ApplicationId,
    /// The device that its token names.
    pub(super) device: Option<Device>,
    pub(super) credential: Credential,
}

/// How it has shown who it is. If both are there, the bearer token decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    RapidApiKey,
    Bearer,
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Failure> {
        let Authenticated(application) = Authenticated::from_request_parts(parts, api).await?;
        let credential =
            if bearer(parts).is_some() { Credential::Bearer } else { Credential::RapidApiKey };
        Ok(Self { application, device: None, credential })
    }
}

impl Caller {
    pub(super) fn check(&self, _: Scope) -> Result<(), Failure> {
        Ok(())
    }
}
