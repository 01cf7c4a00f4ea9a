//! `GET /sessions/{id}`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use greenwave_core::Subject;
use greenwave_wire::v0;
use http::StatusCode;

use super::{Manner, Reading, SessionPath, one};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::authenticate::Authenticated;

pub(in crate::http) async fn get(
    State(api): State<Arc<Api>>,
    Authenticated(application, _): Authenticated<Reading>,
    SessionPath(id): SessionPath,
    manner: Manner,
) -> Result<Response, Failure> {
    let _place = api.places.take()?;
    let seen = api.engine.session(application.into(), Subject::Session, id).await;
    let seen = seen.map_err(|error| api.misses.failure(application, &error, v0::rules()))?;
    Ok(one(StatusCode::OK, &seen, manner))
}
