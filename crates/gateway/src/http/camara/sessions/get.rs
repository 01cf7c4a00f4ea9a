//! `getSession`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use greenwave_core::Subject;
use greenwave_wire::camara;
use http::StatusCode;

use super::one;
use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::camara::{Asking, PathId};

pub(in crate::http) async fn get(
    State(api): State<Arc<Api>>,
    id: PathId,
    request: Request,
) -> Result<Response, Failure> {
    let which = camara::Api::QualityOnDemand;
    let (asking, _) = Asking::of(&api, which, Scope::SessionsRead, request).await?;
    let id = id.get("sessionId")?;
    let _place = api.places.take()?;
    let seen = api.engine.session(asking.asker(), Subject::Session, id).await;
    let seen = seen.map_err(|error| asking.failure(&error))?;
    Ok(one(StatusCode::OK, &seen, asking.rules))
}
