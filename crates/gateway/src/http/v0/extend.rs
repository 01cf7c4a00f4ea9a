//! `POST /sessions/{id}/extend`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use greenwave_wire::v0;
use http::StatusCode;

use super::{Manner, SessionPath, one};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::authenticate::Authenticated;
use crate::http::body::JsonBody;

pub(in crate::http) async fn extend(
    State(api): State<Arc<Api>>,
    Authenticated(application): Authenticated,
    SessionPath(id): SessionPath,
    manner: Manner,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let by = v0::read_extend(&body)?;
    let _place = api.places.take()?;
    let seen = api.engine.extend(application, v0::rules(), id, by).await;
    let seen = seen.map_err(|error| Failure::of(&error, v0::rules()))?;
    Ok(one(StatusCode::OK, &seen, manner))
}
