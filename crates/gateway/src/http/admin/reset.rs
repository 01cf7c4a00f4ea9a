//! A sandbox as if nobody had ever used it: `/greenwave/v1/sandbox/reset`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::{Operator, answer, orphans};
use crate::http::Api;
use crate::http::answer::Failure;

#[derive(Serialize)]
struct Forgotten {
    sessions: usize,
}

/// Forgets all sessions and assignments, whoever's they are, how much was asked for, and all
/// faults, and attaches all devices. Keys, profiles and names of devices stay.
pub(in crate::http) async fn reset(
    _: Operator,
    State(api): State<Arc<Api>>,
) -> Result<Response, Failure> {
    api.network.faults().clear();
    api.applications.rates().forget();
    api.misses.forget();
    let sessions = api.engine.forget_all().await.map_err(|error| orphans::failure(&error))?;
    api.network.attach_all().await;
    Ok(answer(StatusCode::OK, &Forgotten { sessions }))
}
