//! The sandbox's issuer of tokens: its discovery document, its keys, and its token endpoint. There
//! are no interactive flows: tokens for one device are made by the operator.

mod client;
mod form;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use greenwave_wire::ErrorInfo;
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use serde_json::json;

use super::Api;
use super::answer::{Failure, json as answer};
use super::authenticate::{bearer, header};
use crate::auth::Scope;
use crate::tokens::{SIGNED_WITH, TOKEN_PATH};

/// Its paths.
pub(super) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(super) const JWKS: &str = "/oauth2/v1/jwks";
pub(super) const TOKEN: &str = TOKEN_PATH;
pub(super) const CLIENT_CREDENTIALS: &str = "/oauth2/v1/auth/clientcredentials";

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route(DISCOVERY, get(discovery))
        .route(JWKS, get(jwks))
        .route(TOKEN, post(token::token))
        .route(CLIENT_CREDENTIALS, get(client_credentials))
}

/// OpenID Connect Discovery, as far as there is something (RFC 8414).
async fn discovery(State(api): State<Arc<Api>>) -> Response {
    let issuer = api.issuer.url();
    let algorithms = SIGNED_WITH.map(|algorithm| format!("{algorithm:?}"));
    let document = json!({
        "issuer": issuer,
        "token_endpoint": api.issuer.token_endpoint(),
        "jwks_uri": format!("{issuer}{JWKS}"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported":
            ["private_key_jwt", "client_secret_basic", "client_secret_post"],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "scopes_supported": Scope::ALL.map(Scope::as_str),
        "claims_supported": ["iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"],
    });
    answer(StatusCode::OK, document.to_string())
}

async fn jwks(State(api): State<Arc<Api>>) -> Response {
    answer(StatusCode::OK, api.issuer.jwks().to_owned())
}

/// What Nokia's SDKs ask for before they ask for a token: the id and the secret of the application
/// whose key they have. Here the key is the secret.
async fn client_credentials(
    State(api): State<Arc<Api>>,
    parts: Parts,
) -> Result<Response, Failure> {
    let key = bearer(&parts).or_else(|| header(&parts, "x-rapidapi-key")).unwrap_or_default();
    let application = api.keys.authenticate(key).ok_or_else(ErrorInfo::unauthenticated)?;
    let credentials = json!({"client_id": application.0.to_string(), "client_secret": key});
    Ok(answer(StatusCode::OK, credentials.to_string()))
}

/// An answer of the token endpoint that is no token (RFC 6749, section 5.2).
enum Refusal {
    OAuth {
        status: StatusCode,
        error: &'static str,
        description: String,
    },
    /// What has nothing to do with the protocol.
    Other(Failure),
}

impl Refusal {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self::OAuth { status, error, description: description.into() }
    }

    fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    fn invalid_client(description: impl Into<String>) -> Self {
        let (status, error) = (StatusCode::UNAUTHORIZED, "invalid_client");
        Self::OAuth { status, error, description: description.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, description) = match self {
            Self::OAuth { status, error, description } => (status, error, description),
            Self::Other(failure) => return failure.into_response(),
        };
        // The characters that there may be: the rest is somebody's input.
        let plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        let description: String = description.chars().filter(|&c| plain(c)).take(300).collect();
        let body = json!({"error": error, "error_description": description});
        let mut response = answer(status, body.to_string());
        if status == StatusCode::UNAUTHORIZED {
            let basic = http::HeaderValue::from_static(r#"Basic realm="greenwave""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, basic);
        }
        response
    }
}
