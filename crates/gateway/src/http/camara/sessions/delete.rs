//! `deleteSession`

use std::sync::Arc;

use axum::extract::{Request, State};
use greenwave_wire::camara;
use http::StatusCode;

use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::camara::{Asking, PathId};

pub(in crate::http) async fn delete(
    State(api): State<Arc<Api>>,
    id: PathId,
    request: Request,
) -> Result<StatusCode, Failure> {
    let which = camara::Api::QualityOnDemand;
    let (asking, _) = Asking::of(&api, which, Scope::SessionsDelete, request).await?;
    let id = id.get("sessionId")?;
    let _place = api.places.take()?;
    let deleted = api.engine.delete(asking.asker(), id).await;
    deleted.map_err(|error| asking.failure(&error))?;
    Ok(StatusCode::NO_CONTENT)
}
