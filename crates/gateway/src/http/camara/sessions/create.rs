//! `createSession`

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use greenwave_wire::camara;
use http::StatusCode;

use super::{one, writer};
use crate::auth::Scope;
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::camara::{Asking, body, locate};
use crate::http::idempotency::{Named, answer};

pub(in crate::http) async fn create(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Response, Failure> {
    let scope = Scope::SessionsCreate;
    let (mut asking, request) =
        Asking::of(&api, camara::Api::QualityOnDemand, scope, request).await?;
    let Named(name) = asking.named(&api).await?;
    let body = body(&api, request).await?;
    let rules = asking.rules;
    let asked = camara::read_create(&body, rules, asking.caller.device.as_ref())?;
    let _place = api.places.take()?;
    let (request, credential) = (asked.request, asked.credential);
    let application = asking.caller.application;
    let (mut response, session) = match name {
        None => {
            let seen = api.engine.create(application, rules, request, credential).await;
            let seen = seen.map_err(|error| asking.failure(&error))?;
            (one(StatusCode::CREATED, &seen, rules), seen.session.id)
        }
        Some(name) => {
            let asked = asking.fingerprinted(b"create", &body);
            let once = name.once(&api, application, &asked.parts(), writer(rules));
            let _alone = api.under_way.begin(&once)?;
            // Apart, so that requests without a name do not carry it along.
            let creating = Box::pin(api.engine.create_once(rules, request, credential, once));
            let replied = creating.await.map_err(|error| asking.failure(&error))?;
            (answer(StatusCode::CREATED, &replied), replied.reply.session)
        }
    };
    locate(&mut response, rules, "sessions", session);
    Ok(response)
}
