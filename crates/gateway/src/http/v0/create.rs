//! `POST /sessions`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use greenwave_wire::v0;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use super::{Manner, one};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::authenticate::Authenticated;
use crate::http::body::JsonBody;

pub(in crate::http) async fn create(
    State(api): State<Arc<Api>>,
    Authenticated(application): Authenticated,
    manner: Manner,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let asked = v0::read_create(&body)?;
    let _place = api.places.take()?;
    let (request, token) = (asked.request, asked.notification_auth_token);
    let seen = api.engine.create(application, v0::rules(), request, token).await;
    let seen = seen.map_err(|error| Failure::of(&error, v0::rules()))?;

    let mut response = one(StatusCode::CREATED, &seen, manner);
    let location = format!("{}/sessions/{}", manner.dialect.path(), seen.session.id);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}
