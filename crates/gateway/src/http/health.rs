//! Whether the gateway lives and serves.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::Response;
use greenwave_wire::ErrorInfo;
use http::StatusCode;

use super::Api;
use super::answer::{Failure, json};

/// It lives. Nothing else is looked at.
pub(super) async fn healthz() -> Response {
    json(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// It serves: requests are answered, and it is not about to stop.
pub(super) async fn readyz(State(api): State<Arc<Api>>) -> Result<Response, Failure> {
    if api.draining.load(Ordering::Relaxed) {
        return Err(ErrorInfo::unavailable().into());
    }
    Ok(json(StatusCode::OK, r#"{"status":"ready"}"#))
}
