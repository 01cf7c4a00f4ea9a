//! `DELETE /sessions/{id}`

use std::sync::Arc;

use axum::extract::State;
use greenwave_wire::v0;
use http::StatusCode;

use super::{Deleting, SessionPath};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::authenticate::Authenticated;

pub(in crate::http) async fn delete(
    State(api): State<Arc<Api>>,
    Authenticated(application, _): Authenticated<Deleting>,
    SessionPath(id): SessionPath,
) -> Result<StatusCode, Failure> {
    let _place = api.places.take()?;
    let deleted = api.engine.delete(application.into(), id).await;
    deleted.map_err(|error| api.misses.failure(application, &error, v0::rules()))?;
    Ok(StatusCode::NO_CONTENT)
}
