//! `POST /oauth2/v1/token` (RFC 6749, section 4.4)

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::Refusal;
use super::client::authenticate;
use super::form::Form;
use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::json as answer;
use crate::tokens::{LIFE_S, NewToken};

/// How a scope begins that says what for (W3C Data Privacy Vocabulary).
const PURPOSE: &str = "dpv:";

pub(super) async fn token(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Refusal> {
    let grant = form.get("grant_type");
    let grant = grant.ok_or_else(|| Refusal::invalid_request("grant_type is missing"))?;
    let application = authenticate(&api, &headers, &form)?;
    if grant != "client_credentials" {
        let wrong = "grant_type has to be client_credentials: there is no other here";
        return Err(Refusal::new("unsupported_grant_type", wrong));
    }
    let scope = read_scope(form.get("scope").unwrap_or_default())?;
    let new = NewToken { application, device: None, scope: &scope, life_s: LIFE_S };
    let body = json!({
        "access_token": api.issuer.issue(&new),
        "token_type": "Bearer",
        "expires_in": LIFE_S,
        "scope": scope,
    });
    Ok(answer(StatusCode::OK, body.to_string()))
}

/// The scopes that are asked for, of which all must be known, and one may say what for.
fn read_scope(text: &str) -> Result<String, Refusal> {
    let invalid = |wrong: String| Refusal::new("invalid_scope", wrong);
    let (mut purposes, mut scopes) = (0, Vec::new());
    for name in text.split(' ').filter(|name| !name.is_empty()) {
        if let Some(purpose) = name.strip_prefix(PURPOSE) {
            let well_formed =
                !purpose.is_empty() && purpose.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !well_formed {
                return Err(invalid(format!("{name} is no purpose: it is dpv:Name")));
            }
            purposes += 1;
        } else if Scope::parse(name).is_none() {
            return Err(invalid(format!("there is no scope {name}: see {}", super::DISCOVERY)));
        }
        if !scopes.contains(&name) {
            scopes.push(name);
        }
    }
    if purposes > 1 {
        return Err(invalid("there can be one purpose (dpv:) in a request".to_owned()));
    }
    if scopes.len() == purposes {
        return Err(invalid("scope has to say what the token is to be good for".to_owned()));
    }
    Ok(scopes.join(" "))
}
