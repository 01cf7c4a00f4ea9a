//! `retrieveQoSProfiles`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use greenwave_core::QosProfile;
use greenwave_wire::camara;
use greenwave_wire::camara::profile;
use http::StatusCode;

use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::{Failure, json};
use crate::http::camara::{Asking, body};

pub(in crate::http) async fn retrieve(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Response, Failure> {
    let which = camara::Api::QosProfiles;
    let (asking, request) = Asking::of(&api, which, Scope::ProfilesRead, request).await?;
    let body = body(&api, request).await?;
    let rules = asking.rules;
    let filter = profile::read_filter(&body, rules, asking.caller.device.as_ref())?;
    let _place = api.places.take()?;
    let device = filter.device.as_ref().map(|(device, named_by)| (device, *named_by));
    let is_wanted = |profile: &QosProfile| {
        filter.name.as_ref().is_none_or(|name| *name == profile.name)
            && filter.status.is_none_or(|status| status == profile.status)
    };
    let profiles = api.engine.profiles(device, rules, is_wanted).await;
    let profiles = profiles.map_err(|error| asking.failure(&error))?;
    Ok(json(StatusCode::OK, profile::write_list(&profiles)))
}
