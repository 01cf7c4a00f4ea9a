//! `extendQosSessionDuration`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use greenwave_wire::camara;
use http::StatusCode;

use super::{one, writer};
use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::camara::{Asking, PathId, body};
use crate::http::idempotency::{Named, answer};

pub(in crate::http) async fn extend(
    State(api): State<Arc<Api>>,
    id: PathId,
    request: Request,
) -> Result<Response, Failure> {
    let which = camara::Api::QualityOnDemand;
    let (mut asking, request) = Asking::of(&api, which, Scope::SessionsUpdate, request).await?;
    let Named(name) = asking.named(&api).await?;
    let id = id.get("sessionId")?;
    let body = body(&api, request).await?;
    let rules = asking.rules;
    let by = camara::read_extend(&body, rules)?;
    let _place = api.places.take()?;
    let Some(name) = name else {
        let seen = api.engine.extend(asking.asker(), rules, id, by).await;
        let seen = seen.map_err(|error| asking.failure(&error))?;
        return Ok(one(StatusCode::OK, &seen, rules));
    };
    let asked = asking.fingerprinted(b"extend", &body);
    let asked = [&asked.parts()[..], &[id.as_bytes()]].concat();
    let once = name.once(&api, asking.caller.application, &asked, writer(rules));
    let _alone = api.under_way.begin(&once)?;
    // Apart, so that requests without a name do not carry it along.
    let extending = Box::pin(api.engine.extend_once(asking.asker(), rules, id, by, once));
    let replied = extending.await.map_err(|error| asking.failure(&error))?;
    Ok(answer(StatusCode::OK, &replied))
}
