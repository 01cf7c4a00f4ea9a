//! Tokens of any kind, for tests: `/greenwave/v1/sandbox/tokens`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use greenwave_wire::ErrorInfo;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Operator, answer, check_text, failure};
use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::body::JsonBody;
use crate::tokens::{LIFE_S, NewToken, device_named};

/// The longest life of a token, before now or after it.
const LONGEST_LIFE_S: i64 = 86_400;

/// A token that is wanted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenForm {
    /// The application's name. It is made if there is none of this name.
    pub application: String,
    /// The one device that it is for: a phone number with a `+`, or name@domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What it is good for: for everything, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// How long it lives: an hour, if nothing is said. One of less than nothing is over already.
    #[serde(default, alias = "expires_in_s", skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<i64>,
}

/// A new token, in the words of RFC 6749.
#[derive(Serialize, Deserialize)]
pub struct IssuedToken {
    /// The token.
    pub access_token: String,
    /// `Bearer`
    pub token_type: String,
    /// How many seconds it lives.
    pub expires_in: i64,
    /// What it is good for.
    pub scope: String,
    /// The id of the application.
    pub client_id: String,
}

pub(in crate::http) async fn issue(
    _: Operator,
    State(api): State<Arc<Api>>,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let form = greenwave_wire::read::<TokenForm>(&body)?;
    check_text("application", &form.application, 1)?;
    let device = device_named(form.device.as_deref())
        .map_err(|wrong| ErrorInfo::invalid_argument("device", wrong))?;
    let scope = read_scopes(form.scopes.as_deref())?;
    let life_s = form.expires_in_s.unwrap_or(LIFE_S);
    if !(-LONGEST_LIFE_S..=LONGEST_LIFE_S).contains(&life_s) {
        let wrong = format!("it is -{LONGEST_LIFE_S} to {LONGEST_LIFE_S}");
        return Err(ErrorInfo::out_of_range("expiresInS", wrong).into());
    }
    let name = form.application;
    let issuing = Arc::clone(&api);
    let make = tokio::spawn(async move { issuing.applications.get_or_make(name).await });
    let made = make.await.map_err(|_| ErrorInfo::internal())?;
    let application = made.map_err(|error| failure(error.into()))?.id;
    let new = NewToken { application, device: device.as_ref(), scope: &scope, life_s };
    let issued = IssuedToken {
        access_token: api.issuer.issue(&new),
        token_type: "Bearer".to_owned(),
        expires_in: life_s,
        scope,
        client_id: application.0.to_string(),
    };
    Ok(answer(StatusCode::CREATED, &issued))
}

fn read_scopes(given: Option<&[String]>) -> Result<String, Failure> {
    let Some(given) = given else { return Ok(Scope::ALL.map(Scope::as_str).join(" ")) };
    if let Some(unknown) = given.iter().find(|name| Scope::parse(name).is_none()) {
        let known = Scope::ALL.map(Scope::as_str).join(", ");
        let wrong = format!("there is no {unknown:?}; there is: {known}");
        return Err(ErrorInfo::invalid_argument("scopes", wrong).into());
    }
    Ok(given.join(" "))
}
