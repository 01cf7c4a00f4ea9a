//! Our own API, for the one who runs the gateway: applications and keys, profiles, orphans,
//! figures, and what the sandbox's network is to do.

pub(super) mod applications;
pub(super) mod devices;
mod fault_form;
pub(super) mod faults;
pub(super) mod figures;
pub(super) mod network;
pub(super) mod orphans;
pub(super) mod profiles;
pub(super) mod reset;
pub(super) mod tokens;

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, State};
use axum::response::Response;
use greenwave_ledger::{Application, ApplicationKey, KeyId, RegistryError};
use greenwave_wire::ErrorInfo;
use http::StatusCode;
use http::request::Parts;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::Api;
use super::answer::{Failure, json};
use super::authenticate::bearer;
use super::body::JsonBody;
use crate::auth::KeyClass;

pub use applications::{ApplicationInfo, RateLimitForm};
pub use fault_form::{FaultForm, FaultInfo, KindName, OperationName};
pub use orphans::OrphanInfo;
pub use tokens::{IssuedToken, TokenForm};

/// What a new key is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// The application's name. It is made if there is none of this name.
    pub application: String,
    /// What the key is for, in a few words.
    #[serde(default)]
    pub label: String,
}

/// A key as far as it can be shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyInfo {
    /// Its number.
    pub id: u32,
    /// Whose key it is.
    pub application: String,
    /// Its last characters.
    pub ending: String,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub created_at: String,
    /// When it ceased to be valid, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// A new key, shown this once.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreatedKey {
    /// The key.
    pub key: String,
    /// What will be shown of it from now on.
    #[serde(flatten)]
    pub info: KeyInfo,
}

/// Whoever has read the token in the gateway's directory.
pub(super) struct Operator;

impl FromRequestParts<Arc<Api>> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Failure> {
        let right = api.admin_token.expose_secret().as_bytes();
        let given = bearer(parts).unwrap_or_default().as_bytes();
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(given, right);
        same.map(|()| Self).map_err(|_| ErrorInfo::unauthenticated_operator().into())
    }
}

pub(super) async fn list_keys(
    _: Operator,
    State(api): State<Arc<Api>>,
) -> Result<Response, Failure> {
    let keys = api.keys.keys().await.map_err(|error| failure(error.into()))?;
    let applications = api.applications.all().await.map_err(|error| failure(error.into()))?;
    let list: Vec<_> = keys.into_iter().map(|key| info(key, &applications)).collect();
    Ok(answer(StatusCode::OK, &list))
}

pub(super) async fn create_key(
    _: Operator,
    State(api): State<Arc<Api>>,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let wanted: CreateKey = serde_json::from_slice(&body)
        .map_err(|error| ErrorInfo::invalid_body(format!("is not as it should be: {error}")))?;
    check_text("application", &wanted.application, 1)?;
    check_text("label", &wanted.label, 0)?;
    let create = tokio::spawn(async move {
        api.keys.create(wanted.application, wanted.label, KeyClass::Test).await
    });
    let created = create.await.map_err(|_| ErrorInfo::internal())?;
    let (application, key, secret) = created.map_err(failure)?;
    let created =
        CreatedKey { key: secret.expose_secret().to_owned(), info: info(key, &[application]) };
    Ok(answer(StatusCode::CREATED, &created))
}

pub(super) async fn revoke_key(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let id = id.parse().map(KeyId).map_err(|_| failure(RegistryError::UnknownKey))?;
    let revoke = tokio::spawn(async move { api.keys.revoke(id).await });
    let revoked = revoke.await.map_err(|_| ErrorInfo::internal())?;
    revoked.map_err(failure)?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_text(field: &str, text: &str, shortest: usize) -> Result<(), Failure> {
    let allowed =
        (shortest..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if allowed {
        return Ok(());
    }
    let wrong = format!("{shortest} to 100 characters, none of them a control character");
    Err(ErrorInfo::invalid_argument(field, wrong).into())
}

fn info(key: ApplicationKey, applications: &[Application]) -> KeyInfo {
    let name = applications
        .iter()
        .find(|application| application.id == key.application)
        .map(|application| application.name.clone());
    KeyInfo {
        id: key.id.0,
        application: name.unwrap_or_default(),
        ending: key.ending,
        label: key.label,
        created_at: key.created_at.to_string(),
        revoked_at: key.revoked_at.map(|at| at.to_string()),
    }
}

fn failure(error: RegistryError) -> Failure {
    match error {
        RegistryError::TooManyKeys => ErrorInfo::too_many_keys(&error).into(),
        RegistryError::UnknownKey => ErrorInfo::unknown_key(&error).into(),
        RegistryError::UnknownApplication => ErrorInfo::unknown_application().into(),
        RegistryError::Ledger(error) => {
            tracing::error!(%error, "the ledger cannot answer");
            ErrorInfo::unavailable().into()
        }
    }
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    // Strings and numbers can always be written.
    json(status, serde_json::to_vec(body).unwrap_or_default())
}
