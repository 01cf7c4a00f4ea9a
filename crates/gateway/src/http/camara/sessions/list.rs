//! A page of all sessions, which Nokia's clients can ask for, and CAMARA's definitions do not know.

use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use greenwave_core::RuleSetId;
use greenwave_ledger::Page;
use greenwave_wire::v0::read_page;
use greenwave_wire::{ErrorInfo, camara};
use http::header::{ALLOW, LINK};
use http::{HeaderValue, StatusCode};

use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::{Failure, json};
use crate::http::camara::Asking;
use crate::http::v0::list::next_page;

pub(in crate::http) async fn list(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Failure> {
    let which = camara::Api::QualityOnDemand;
    let (asking, _) = Asking::of(&api, which, Scope::SessionsRead, request).await?;
    let rules = asking.rules;
    if rules.id != RuleSetId::NokiaV1 {
        let mut refused = Failure::from(ErrorInfo::method_not_allowed("GET")).into_response();
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Ok(refused);
    }
    let (page, per_page) = read_page(query.as_deref().unwrap_or_default())?;
    let _place = api.places.take()?;
    let wanted = Page { index: page - 1, size: per_page };
    let listed = api.engine.sessions(asking.caller.application, wanted).await;
    let listed = listed.map_err(|error| asking.failure(&error))?;
    let list = listed.sessions.iter().map(|seen| (&seen.session, &seen.view));
    let mut response = json(StatusCode::OK, camara::session_list(list, rules));
    if listed.more {
        let next = next_page(camara::base_path(rules.id), page, per_page);
        response.headers_mut().extend(next.map(|next| (LINK, next)));
    }
    Ok(response)
}
