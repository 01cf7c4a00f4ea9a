//! `getQosAssignmentByDevice`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use greenwave_core::{QosStatus, Subject};
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::{self, Shown};
use http::StatusCode;

use super::one;
use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::camara::{Asking, body};

/// The one that is in force. Without one, the latest of those that are over and can still be read.
pub(in crate::http) async fn retrieve(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Response, Failure> {
    let scope = Scope::AssignmentsReadByDevice;
    let (asking, request) = Asking::of(&api, camara::Api::QosProvisioning, scope, request).await?;
    let body = body(&api, request).await?;
    let rules = asking.rules;
    let (device, named_by) = camara::read_retrieve(&body, rules, asking.caller.device.as_ref())?;
    let _place = api.places.take()?;
    let application = asking.caller.application;
    let seen = api.engine.of_device(application, rules, &device, named_by).await;
    let seen = seen.map_err(|error| asking.failure(&error))?;
    let in_force = seen.iter().find(|seen| seen.view.status != QosStatus::Unavailable);
    if let Some(found) = in_force {
        return Ok(one(StatusCode::OK, found, rules, Shown::AsItIs));
    }
    let assigned = api.engine.assigned(rules, &device, named_by).await;
    if assigned.map_err(|error| asking.failure(&error))?.is_some() {
        return Err(ErrorInfo::foreign(Subject::Assignment).into());
    }
    let latest = seen.last().ok_or_else(ErrorInfo::no_assignment)?;
    Ok(one(StatusCode::OK, latest, rules, Shown::AsItIs))
}
