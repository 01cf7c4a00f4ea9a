//! Sessions that the network does not let go of: `/greenwave/v1/orphans`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use greenwave_core::session::Attempts;
use greenwave_core::{Owed, Phase, Refusal, RuleSetId, Session, SessionId, Subject};
use greenwave_wire::ErrorInfo;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Operator, answer};
use crate::engine::EngineError;
use crate::http::Api;
use crate::http::answer::Failure;

/// A session that is over, and that the network was asked many times to release.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrphanInfo {
    /// The session.
    pub session_id: String,
    /// The number of its application.
    pub application: u32,
    /// Its profile.
    pub profile: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// How often the network was asked.
    pub tries: u32,
    /// When it is asked again.
    pub next_try_at: Option<String>,
}

impl OrphanInfo {
    fn of(session: &Session) -> Self {
        let ended_at = match session.phase {
            Phase::Ending(end) | Phase::Ended(end) => Some(end.ended_at.to_string()),
            Phase::Requested | Phase::Available { .. } => None,
        };
        let (tries, next_try_at) = match session.owed {
            Owed::Release(Attempts { made, next_at }) => (made, Some(next_at.to_string())),
            Owed::Nothing | Owed::Provision(_) => (0, None),
        };
        Self {
            session_id: session.id.to_string(),
            application: session.application.0,
            profile: session.asked.profile.as_str().to_owned(),
            ended_at,
            tries,
            next_try_at,
        }
    }
}

pub(in crate::http) async fn list(
    _: Operator,
    State(api): State<Arc<Api>>,
) -> Result<Response, Failure> {
    let orphans = api.engine.orphans().await.map_err(|error| failure(&error))?;
    let list: Vec<OrphanInfo> = orphans.iter().map(OrphanInfo::of).collect();
    Ok(answer(StatusCode::OK, &list))
}

pub(in crate::http) async fn clear(
    _: Operator,
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let session = SessionId::parse(&id).ok_or_else(|| ErrorInfo::unknown(Subject::Session))?;
    let abandon = tokio::spawn(async move { api.engine.abandon(session).await });
    let abandoned = abandon.await.map_err(|_| ErrorInfo::internal())?;
    abandoned.map_err(|error| failure(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn failure(error: &EngineError) -> Failure {
    match error {
        EngineError::Refused(refusal @ (Refusal::NoOrphan | Refusal::Unknown)) => {
            ErrorInfo::of_refusal(refusal, RuleSetId::NokiaV0.rules()).into()
        }
        error => {
            tracing::error!(%error, "the ledger cannot answer");
            ErrorInfo::unavailable().into()
        }
    }
}
