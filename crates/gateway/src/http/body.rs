//! Bodies: JSON, not too large, and not for ever.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use greenwave_wire::{ErrorInfo, MOST_NESTED, too_deep};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;

use super::answer::Failure;

/// The largest body that is read.
const LIMIT_KIB: usize = 64;

/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The body of a request that says it is JSON.
pub(super) struct JsonBody(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(ErrorInfo::unsupported_media_type().into());
        }
        match tokio::time::timeout(TIMEOUT, read(request.into_body())).await {
            Ok(body) => Ok(Self(body?)),
            Err(_) => Err(ErrorInfo::request_timeout().into()),
        }
    }
}

/// `application/json`, or any other type that is JSON inside (`application/…+json`).
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

async fn read(mut body: Body) -> Result<Bytes, Failure> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| ErrorInfo::invalid_body("did not arrive whole: send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        let room = LIMIT_KIB * 1024 - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Err(too_large(&read));
        }
    }
    Ok(read.freeze())
}

/// What is nonsense from its beginning is called that, whatever its length.
fn too_large(beginning: &[u8]) -> Failure {
    if too_deep(beginning) {
        let wrong = format!("is nested more than {MOST_NESTED} levels deep");
        return ErrorInfo::invalid_body(wrong).into();
    }
    ErrorInfo::payload_too_large(LIMIT_KIB).into()
}
