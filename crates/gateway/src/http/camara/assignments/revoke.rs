//! `revokeQosAssignment`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use greenwave_wire::camara::{self, Shown};
use http::StatusCode;

use super::one;
use crate::auth::Scope;
use crate::engine::Revoked;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::camara::{Asking, PathId};

pub(in crate::http) async fn revoke(
    State(api): State<Arc<Api>>,
    id: PathId,
    request: Request,
) -> Result<Response, Failure> {
    let which = camara::Api::QosProvisioning;
    let (asking, _) = Asking::of(&api, which, Scope::AssignmentsDelete, request).await?;
    let id = id.get("assignmentId")?;
    let _place = api.places.take()?;
    let revoked = api.engine.revoke(asking.asker(), id).await;
    Ok(match revoked.map_err(|error| asking.failure(&error))? {
        Revoked::Done => StatusCode::NO_CONTENT.into_response(),
        Revoked::UnderWay(seen) => {
            one(StatusCode::ACCEPTED, &seen, asking.rules, Shown::BeingRevoked)
        }
    })
}
