//! Devices that leave the simulated network and come back:
//! `/greenwave/v1/sandbox/network/devices`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use greenwave_core::{DeviceKey, RuleSetId};
use greenwave_network::simulator::attachment::DetachError;
use greenwave_wire::ErrorInfo;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::fault_form::read_device;
use super::{Operator, answer, network};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::body::JsonBody;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceForm {
    /// A name (local@domain) or a phone number.
    device: String,
}

#[derive(Serialize)]
struct Detached {
    /// How many rules went with the device.
    rules: usize,
}

#[derive(Serialize)]
struct Attached {
    /// Whether the device was away.
    attached: bool,
}

pub(in crate::http) async fn detach(
    _: Operator,
    State(api): State<Arc<Api>>,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let device = find(&api, &body).await?;
    // Whether or not anybody waits: half a device cannot leave.
    let leaving = tokio::spawn(async move { api.network.detach(device).await });
    let rules = leaving.await.map_err(|_| ErrorInfo::internal())?.map_err(|error| match error {
        DetachError::TooMany => ErrorInfo::too_many(error).into(),
        DetachError::Rules(error) => network::failure(&error),
    })?;
    Ok(answer(StatusCode::OK, &Detached { rules }))
}

pub(in crate::http) async fn attach(
    _: Operator,
    State(api): State<Arc<Api>>,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let device = find(&api, &body).await?;
    let coming = tokio::spawn(async move { api.network.attach(device).await });
    let attached = coming.await.map_err(|_| ErrorInfo::internal())?;
    Ok(answer(StatusCode::OK, &Attached { attached }))
}

/// The device that a body names, as the sandbox's requests do.
async fn find(api: &Api, body: &[u8]) -> Result<DeviceKey, Failure> {
    let device = read_device(&greenwave_wire::read::<DeviceForm>(body)?.device)?;
    let rules = RuleSetId::NokiaV0.rules();
    api.engine.device(rules, &device).await.map_err(|error| Failure::of(&error, rules))
}
