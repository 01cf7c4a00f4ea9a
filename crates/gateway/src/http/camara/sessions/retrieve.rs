//! `retrieveSessionsByDevice`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use greenwave_wire::camara;
use http::StatusCode;

use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::{Failure, json};
use crate::http::camara::{Asking, body};

pub(in crate::http) async fn retrieve(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Response, Failure> {
    let scope = Scope::SessionsRetrieveByDevice;
    let (asking, request) = Asking::of(&api, camara::Api::QualityOnDemand, scope, request).await?;
    let body = body(&api, request).await?;
    let rules = asking.rules;
    let (device, named_by) = camara::read_retrieve(&body, rules, asking.caller.device.as_ref())?;
    let _place = api.places.take()?;
    let application = asking.caller.application;
    let seen = api.engine.of_device(application, rules, &device, named_by).await;
    let seen = seen.map_err(|error| asking.failure(&error))?;
    let list = seen.iter().map(|seen| (&seen.session, &seen.view));
    Ok(json(StatusCode::OK, camara::session_list(list, rules)))
}
