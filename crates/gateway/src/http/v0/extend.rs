//! `POST /sessions/{id}/extend`

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use greenwave_wire::v0;
use http::{HeaderMap, StatusCode};

use super::{Dialect, SessionPath, one};
use crate::http::Api;
use crate::http::answer::{Failure, detached};
use crate::http::authenticate::Authenticated;
use crate::http::body::JsonBody;

pub(in crate::http) async fn extend(
    State(api): State<Arc<Api>>,
    Extension(dialect): Extension<Dialect>,
    Authenticated(application): Authenticated,
    SessionPath(id): SessionPath,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let by = v0::read_extend(&body)?;
    let place = api.places.take()?;
    let engine = Arc::clone(&api.engine);
    let extend = async move { engine.extend(application, v0::rules(), id, by).await };
    let seen = detached(place, extend, v0::rules()).await?;
    Ok(one(StatusCode::OK, &seen, dialect.times(&headers)))
}
