//! `DELETE /sessions/{id}`

use std::sync::Arc;

use axum::extract::State;
use greenwave_wire::v0;
use http::StatusCode;

use super::SessionPath;
use crate::http::Api;
use crate::http::answer::{Failure, detached};
use crate::http::authenticate::Authenticated;

pub(in crate::http) async fn delete(
    State(api): State<Arc<Api>>,
    Authenticated(application): Authenticated,
    SessionPath(id): SessionPath,
) -> Result<StatusCode, Failure> {
    let place = api.places.take()?;
    let engine = Arc::clone(&api.engine);
    let delete = async move { engine.delete(application, id).await };
    detached(place, delete, v0::rules()).await?;
    Ok(StatusCode::NO_CONTENT)
}
