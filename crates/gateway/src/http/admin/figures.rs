//! `/metrics`: what has happened, in figures, in the text form of OpenMetrics.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use super::Operator;
use super::orphans::failure;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::metrics;

pub(in crate::http) async fn metrics(
    _: Operator,
    State(api): State<Arc<Api>>,
) -> Result<Response, Failure> {
    let text = api.engine.metrics().await.map_err(|error| failure(&error))?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}
