//! `getQosProfile`

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara;
use greenwave_wire::camara::profile;
use http::StatusCode;

use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::{Failure, json};
use crate::http::camara::Asking;

pub(in crate::http) async fn get(
    State(api): State<Arc<Api>>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let which = camara::Api::QosProfiles;
    let (asking, _) = Asking::of(&api, which, Scope::ProfilesRead, request).await?;
    // What cannot be read is no name either.
    let name = profile::read_name(&name.map(|Path(name)| name).unwrap_or_default())?;
    let _place = api.places.take()?;
    let of_token = asking.caller.device.as_ref();
    let found = api.engine.profile(name.as_str(), of_token, asking.rules).await;
    let found = found.map_err(|error| asking.failure(&error))?;
    let found = found.ok_or_else(ErrorInfo::unknown_profile)?;
    Ok(json(StatusCode::OK, profile::write(&found)))
}
