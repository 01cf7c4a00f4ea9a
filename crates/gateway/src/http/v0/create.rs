//! `POST /sessions`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use greenwave_wire::v0;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use super::{Creating, Manner, one};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::authenticate::Authenticated;
use crate::http::body::JsonBody;
use crate::http::idempotency::{Named, answer};

pub(in crate::http) async fn create(
    State(api): State<Arc<Api>>,
    Authenticated(application, _): Authenticated<Creating>,
    Named(name): Named,
    manner: Manner,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let failure = |error| Failure::of(&error, v0::rules());
    let asked = v0::read_create(&body)?;
    let _place = api.places.take()?;
    let (request, credential) = (asked.request, asked.credential);
    let (mut response, session) = match name {
        None => {
            let seen = api.engine.create(application, v0::rules(), request, credential).await;
            let seen = seen.map_err(failure)?;
            (one(StatusCode::CREATED, &seen, manner), seen.session.id)
        }
        Some(name) => {
            let asked = [b"create".as_slice(), manner.dialect.path().as_bytes(), &body[..]];
            let once = name.once(&api, application, &asked, manner.writer());
            let _alone = api.under_way.begin(&once)?;
            // Apart, so that requests without a name do not carry it along.
            let creating = Box::pin(api.engine.create_once(v0::rules(), request, credential, once));
            let replied = creating.await.map_err(failure)?;
            (answer(StatusCode::CREATED, &replied), replied.reply.session)
        }
    };
    let location = format!("{}/sessions/{session}", manner.dialect.path());
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}
