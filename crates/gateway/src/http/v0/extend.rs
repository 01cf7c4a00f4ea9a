//! `POST /sessions/{id}/extend`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use greenwave_wire::v0;
use http::StatusCode;

use super::{Extending, Manner, SessionPath, one};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::authenticate::Authenticated;
use crate::http::body::JsonBody;
use crate::http::idempotency::{Named, answer};

pub(in crate::http) async fn extend(
    State(api): State<Arc<Api>>,
    Authenticated(application, _): Authenticated<Extending>,
    Named(name): Named,
    SessionPath(id): SessionPath,
    manner: Manner,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let failure = |error| api.misses.failure(application, &error, v0::rules());
    let by = v0::read_extend(&body)?;
    let _place = api.places.take()?;
    let Some(name) = name else {
        let seen = api.engine.extend(application.into(), v0::rules(), id, by).await;
        return Ok(one(StatusCode::OK, &seen.map_err(failure)?, manner));
    };
    let path = manner.dialect.path().as_bytes();
    let asked = [b"extend".as_slice(), path, id.as_bytes(), &body[..]];
    let once = name.once(&api, application, &asked, manner.writer());
    let _alone = api.under_way.begin(&once)?;
    // Apart, so that requests without a name do not carry it along.
    let extending = Box::pin(api.engine.extend_once(application.into(), v0::rules(), id, by, once));
    Ok(answer(StatusCode::OK, &extending.await.map_err(failure)?))
}
