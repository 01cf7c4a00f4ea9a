//! The profiles as their operator sees them: `/greenwave/v1/profiles`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use greenwave_core::ProfileName;
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::profile::{operator, read_name};
use http::header::ALLOW;
use http::{HeaderValue, StatusCode};

use super::Operator;
use crate::http::Api;
use crate::http::answer::{Failure, json};
use crate::http::body::JsonBody;
use crate::profiles::{Put, PutError};

pub(in crate::http) async fn list(_: Operator, State(api): State<Arc<Api>>) -> Response {
    let catalogue = api.profiles.catalogue().now();
    json(StatusCode::OK, operator::write_list(&catalogue))
}

pub(in crate::http) async fn get(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    one(&api, StatusCode::OK, &read_name(&name)?)
}

pub(in crate::http) async fn put(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let name = read_name(&name)?;
    let profile = operator::read(&body, name.clone())?;
    let profiles = Arc::clone(&api.profiles);
    let put = tokio::task::spawn_blocking(move || profiles.put(profile)).await;
    let status = match put.map_err(|_| ErrorInfo::internal())?.map_err(failure)? {
        Put::Added => StatusCode::CREATED,
        Put::Replaced => StatusCode::OK,
    };
    one(&api, status, &name)
}

/// Sessions keep the names of their profiles, and have to find them as long as they last.
pub(in crate::http) async fn remove(_: Operator) -> Response {
    let mut response = Failure::from(ErrorInfo::profiles_stay()).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, PUT"));
    response
}

fn one(api: &Api, status: StatusCode, name: &ProfileName) -> Result<Response, Failure> {
    let catalogue = api.profiles.catalogue().now();
    let profile = catalogue.find(name.as_str()).ok_or_else(ErrorInfo::no_such_profile)?;
    Ok(json(status, operator::write(profile)))
}

fn failure(error: PutError) -> Failure {
    match error {
        PutError::Catalogue(wrong) => ErrorInfo::profile_does_not_fit(wrong).into(),
        error @ PutError::Write { .. } => {
            tracing::error!(%error, "a profile cannot be kept");
            ErrorInfo::unavailable().into()
        }
    }
}
