//! The handlers of `/qod/v0` and its twin: a file for each verb, each a recipe.

pub(super) mod create;
pub(super) mod delete;
pub(super) mod extend;
pub(super) mod get;
pub(super) mod list;
pub(super) mod retrieve;

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::response::Response;
use greenwave_core::{ApplicationId, Device, NamedBy, SessionId, Subject};
use greenwave_ledger::{Seen, WriteReply};
use greenwave_wire::ErrorInfo;
use greenwave_wire::v0::{self, Times};
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use super::Api;
use super::answer::{Failure, json};
use super::authenticate::Operation;
use crate::auth::Scope;
use crate::engine::EngineError;

/// What can be done here.
pub(super) struct Creating;
pub(super) struct Reading;
pub(super) struct Extending;
pub(super) struct Deleting;
pub(super) struct Retrieving;

impl Operation for Creating {
    const SCOPE: Scope = Scope::SessionsCreate;
}

impl Operation for Reading {
    const SCOPE: Scope = Scope::SessionsRead;
}

impl Operation for Extending {
    const SCOPE: Scope = Scope::SessionsUpdate;
}

impl Operation for Deleting {
    const SCOPE: Scope = Scope::SessionsDelete;
}

impl Operation for Retrieving {
    const SCOPE: Scope = Scope::SessionsRetrieveByDevice;
}

/// Which of the two the path says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `/qod/v0`
    V0,
    /// `/qod/v0-epoch`
    V0Epoch,
}

/// How the one who asks is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    dialect: Dialect,
    times: Times,
}

impl Manner {
    /// Writes a reply as [`one`] writes an answer.
    fn writer(self) -> WriteReply {
        Arc::new(move |session, view| v0::session_info(session, view, self.times))
    }
}

impl FromRequestParts<Arc<Api>> for Manner {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Infallible> {
        let dialect = Dialect::of(parts.uri.path());
        Ok(Self { dialect, times: dialect.times(&parts.headers) })
    }
}

impl Dialect {
    /// Of a path that begins like one of them.
    fn of(path: &str) -> Self {
        if path.starts_with(Self::V0Epoch.path()) { Self::V0Epoch } else { Self::V0 }
    }

    /// Where its paths begin.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::V0 => "/qod/v0",
            Self::V0Epoch => "/qod/v0-epoch",
        }
    }

    /// How times are written: as the path says, but in seconds for the generated clients of 10.0,
    /// which can be told by a header.
    fn times(self, headers: &HeaderMap) -> Times {
        match self {
            Self::V0 if !headers.contains_key("x-fern-language") => Times::Iso,
            Self::V0 | Self::V0Epoch => Times::Epoch,
        }
    }
}

/// The id in the path. One that is none names no session, just as one that was never given out.
pub(super) struct SessionPath(SessionId);

impl FromRequestParts<Arc<Api>> for SessionPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Failure> {
        let id = Path::<String>::from_request_parts(parts, api).await.ok();
        let id = id.and_then(|Path(id)| SessionId::parse(&id));
        Ok(Self(id.ok_or_else(|| ErrorInfo::unknown(Subject::Session))?))
    }
}

fn one(status: StatusCode, seen: &Seen, manner: Manner) -> Response {
    json(status, v0::session_info(&seen.session, &seen.view, manner.times))
}

fn many(seen: &[Seen], manner: Manner) -> Response {
    let list = seen.iter().map(|seen| (&seen.session, &seen.view));
    json(StatusCode::OK, v0::session_list(list, manner.times))
}

/// What an application has for a device. A device that is not known has nothing.
async fn of_device(
    api: &Api,
    application: ApplicationId,
    device: &Device,
) -> Result<Vec<Seen>, Failure> {
    let seen = api.engine.of_device(application, v0::rules(), device, NamedBy::Request).await;
    match seen {
        Err(EngineError::UnknownDevice(_) | EngineError::NotServed) => Ok(Vec::new()),
        seen => seen.map_err(|error| Failure::of(&error, v0::rules())),
    }
}
