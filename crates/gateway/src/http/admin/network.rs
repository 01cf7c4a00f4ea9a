//! What is in the simulated network, and what happens to it without the gateway's doing:
//! `/greenwave/v1/sandbox/network`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use greenwave_core::{DeviceKey, SessionId};
use greenwave_network::simulator::disturbance::PlantError;
use greenwave_network::simulator::rules::{Owner, Rule};
use greenwave_wire::ErrorInfo;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Operator, answer};
use crate::entropy;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::body::JsonBody;

/// How many rules are shown at most. All of them are in the network's file.
const MOST_SHOWN: usize = 10_000;

/// Whose a rule is.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OwnerName {
    Gateway,
    Other,
}

/// A rule to plant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlantRule {
    owner: OwnerName,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleInfo {
    owner: OwnerName,
    session_id: String,
    cell: String,
    profile: String,
    flow: String,
}

#[derive(Serialize)]
struct Rules {
    total: usize,
    rules: Vec<RuleInfo>,
}

#[derive(Serialize)]
struct Forgotten {
    rules: usize,
}

pub(in crate::http) async fn rules(
    _: Operator,
    State(api): State<Arc<Api>>,
) -> Result<Response, Failure> {
    let reading = tokio::task::spawn_blocking(move || api.network.rules());
    let rules =
        reading.await.map_err(|_| ErrorInfo::internal())?.map_err(|error| failure(&error))?;
    let total = rules.len();
    let shown = rules.into_iter().take(MOST_SHOWN).map(|(owner, rule)| info(owner, rule));
    Ok(answer(StatusCode::OK, &Rules { total, rules: shown.collect() }))
}

pub(in crate::http) async fn plant(
    _: Operator,
    State(api): State<Arc<Api>>,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let PlantRule { owner } = greenwave_wire::read(&body)?;
    let owner = match owner {
        OwnerName::Gateway => Owner::Gateway,
        OwnerName::Other => Owner::Other,
    };
    let device = DeviceKey(entropy::sixteen(&*api.entropy));
    let session = SessionId::new(entropy::sixteen(&*api.entropy), device.bucket());
    let planted = api.network.plant(owner, session).map_err(|error| match error {
        PlantError::Write(error) => failure(&error),
        PlantError::Full | PlantError::Asked => ErrorInfo::too_many(error).into(),
    })?;
    Ok(answer(StatusCode::CREATED, &info(owner, planted)))
}

pub(in crate::http) async fn forget(
    _: Operator,
    State(api): State<Arc<Api>>,
) -> Result<Response, Failure> {
    let rules = api.network.forget().map_err(|error| failure(&error))?;
    Ok(answer(StatusCode::OK, &Forgotten { rules }))
}

pub(in crate::http) async fn end(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let session = SessionId::parse(&id).ok_or_else(ErrorInfo::unknown_rule)?;
    if api.network.end(session).await.map_err(|error| failure(&error))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ErrorInfo::unknown_rule().into())
    }
}

fn info(owner: Owner, rule: Rule) -> RuleInfo {
    RuleInfo {
        owner: match owner {
            Owner::Gateway => OwnerName::Gateway,
            Owner::Other => OwnerName::Other,
        },
        session_id: rule.session.to_string(),
        cell: rule.cell.to_string(),
        profile: rule.profile,
        flow: rule.flow,
    }
}

pub(super) fn failure(error: &std::io::Error) -> Failure {
    tracing::error!(%error, "the simulated network cannot use its file of rules");
    ErrorInfo::unavailable().into()
}
