//! Applications, with the keys that they prove who they are with, and how often they may ask:
//! `/greenwave/v1/applications`.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use greenwave_core::ApplicationId;
use greenwave_ledger::{Application, RateLimit, RegistryError};
use greenwave_wire::ErrorInfo;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Operator, answer, failure};
use crate::auth::KeysError;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::body::JsonBody;

/// The most requests that a limit may be about, and the longest time.
const MOST_REQUESTS: u32 = 1_000_000;
const LONGEST_S: u32 = 30 * 86_400;

/// An application, as it is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationInfo {
    /// Its number, which is also what it is called as a client of the token endpoint.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: String,
    /// Its public keys, a JWK set, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// How often it may ask, if that is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimitForm>,
}

/// How often an application may ask.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimitForm {
    /// So many times.
    pub requests: u32,
    /// In so many seconds.
    #[serde(alias = "per_s")]
    pub per_s: u32,
}

impl ApplicationInfo {
    fn of(application: Application) -> Self {
        let limit = |limit: RateLimit| RateLimitForm {
            requests: limit.requests.get(),
            per_s: limit.per_s.get(),
        };
        Self {
            id: application.id.0,
            name: application.name,
            created_at: application.created_at.to_string(),
            jwks: application.jwks.and_then(|jwks| serde_json::from_str(&jwks).ok()),
            rate_limit: application.rate_limit.map(limit),
        }
    }
}

impl RateLimitForm {
    fn read(self) -> Result<RateLimit, Failure> {
        let number = |field: &str, number: u32, most: u32| {
            let fits = NonZeroU32::new(number).filter(|number| number.get() <= most);
            fits.ok_or_else(|| ErrorInfo::out_of_range(field, format!("it is 1 to {most}")))
        };
        let requests = number("requests", self.requests, MOST_REQUESTS)?;
        Ok(RateLimit { requests, per_s: number("perS", self.per_s, LONGEST_S)? })
    }
}

/// The application that a path names.
pub(in crate::http) struct Named(ApplicationId);

impl Named {
    fn read(api: &Api, id: &str) -> Result<Self, Failure> {
        let id = api.applications.with_id(id).ok_or_else(ErrorInfo::unknown_application)?;
        Ok(Self(id))
    }
}

pub(in crate::http) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
) -> Result<Response, Failure> {
    let applications = api.applications.all().await.map_err(|error| failure(error.into()))?;
    let list: Vec<_> = applications.into_iter().map(ApplicationInfo::of).collect();
    Ok(answer(StatusCode::OK, &list))
}

pub(in crate::http) async fn set_jwks(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let Named(id) = Named::read(&api, &id)?;
    let jwks = String::from_utf8(body.to_vec());
    let jwks = jwks.map_err(|_| ErrorInfo::invalid_body("is not UTF-8"))?;
    keep_jwks(api, id, Some(jwks)).await
}

pub(in crate::http) async fn forget_jwks(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let Named(id) = Named::read(&api, &id)?;
    keep_jwks(api, id, None).await
}

async fn keep_jwks(
    api: Arc<Api>,
    id: ApplicationId,
    jwks: Option<String>,
) -> Result<Response, Failure> {
    let keep = tokio::spawn(async move { api.applications.set_keys(id, jwks).await });
    match keep.await.map_err(|_| ErrorInfo::internal())? {
        Ok(application) => Ok(answer(StatusCode::OK, &ApplicationInfo::of(application))),
        Err(KeysError::Invalid(wrong)) => Err(ErrorInfo::invalid_argument("keys", wrong).into()),
        Err(KeysError::Registry(error)) => Err(failure(error)),
    }
}

pub(in crate::http) async fn set_rate_limit(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let Named(id) = Named::read(&api, &id)?;
    let limit = greenwave_wire::read::<RateLimitForm>(&body)?.read()?;
    keep_rate_limit(api, id, Some(limit)).await
}

pub(in crate::http) async fn forget_rate_limit(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let Named(id) = Named::read(&api, &id)?;
    keep_rate_limit(api, id, None).await
}

async fn keep_rate_limit(
    api: Arc<Api>,
    id: ApplicationId,
    limit: Option<RateLimit>,
) -> Result<Response, Failure> {
    let keep = tokio::spawn(async move { api.applications.set_rate_limit(id, limit).await });
    let kept: Result<_, RegistryError> = keep.await.map_err(|_| ErrorInfo::internal())?;
    Ok(answer(StatusCode::OK, &ApplicationInfo::of(kept.map_err(failure)?)))
}

/// As if nobody had asked for anything yet.
pub(in crate::http) async fn reset_limits(_: Operator, State(api): State<Arc<Api>>) -> StatusCode {
    api.applications.rates().forget();
    api.misses.forget();
    StatusCode::NO_CONTENT
}
