//! What is to go wrong in the simulated network: `/greenwave/v1/sandbox/faults`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use greenwave_network::simulator::faults::FaultId;
use greenwave_wire::ErrorInfo;
use http::StatusCode;

use super::fault_form::{FaultForm, FaultInfo};
use super::{Operator, answer};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::body::JsonBody;

pub(in crate::http) async fn list(_: Operator, State(api): State<Arc<Api>>) -> Response {
    let list: Vec<_> = api.network.faults().list().iter().map(FaultInfo::of).collect();
    answer(StatusCode::OK, &list)
}

pub(in crate::http) async fn add(
    _: Operator,
    State(api): State<Arc<Api>>,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let fault = greenwave_wire::read::<FaultForm>(&body)?.read()?;
    let added = api.network.faults().add(fault).map_err(ErrorInfo::too_many)?;
    Ok(answer(StatusCode::CREATED, &FaultInfo::of(&added)))
}

pub(in crate::http) async fn get(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = read_id(&id)?;
    let found = api.network.faults().list().into_iter().find(|listed| listed.id == id);
    let found = found.ok_or_else(ErrorInfo::unknown_fault)?;
    Ok(answer(StatusCode::OK, &FaultInfo::of(&found)))
}

pub(in crate::http) async fn remove(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    if api.network.faults().remove(read_id(&id)?) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ErrorInfo::unknown_fault().into())
    }
}

pub(in crate::http) async fn clear(_: Operator, State(api): State<Arc<Api>>) -> StatusCode {
    api.network.faults().clear();
    StatusCode::NO_CONTENT
}

/// What is no number is no fault's id.
fn read_id(text: &str) -> Result<FaultId, Failure> {
    text.parse().map(FaultId).map_err(|_| ErrorInfo::unknown_fault().into())
}
