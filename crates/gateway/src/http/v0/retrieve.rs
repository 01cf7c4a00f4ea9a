//! `POST /retrieve-sessions`

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use greenwave_wire::v0;

use super::{Manner, Retrieving, many, of_device};
use crate::http::Api;
use crate::http::answer::Failure;
use crate::http::authenticate::Authenticated;
use crate::http::body::JsonBody;

pub(in crate::http) async fn retrieve(
    State(api): State<Arc<Api>>,
    Authenticated(application, _): Authenticated<Retrieving>,
    manner: Manner,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let device = v0::read_retrieve(&body)?;
    let _place = api.places.take()?;
    Ok(many(&of_device(&api, application, &device).await?, manner))
}
