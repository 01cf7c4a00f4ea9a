//! Bodies: JSON, not too large, and not for ever.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use greenwave_crashpoint::{Point, reached};
use greenwave_wire::{ErrorInfo, MOST_NESTED, too_deep};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::answer::Failure;
use super::{Api, Limits};

/// The largest body that is read.
const LIMIT_KIB: usize = 64;

/// What bodies may take up while they arrive. One that is sent slowly takes no request's place,
/// and little of this.
#[derive(Debug)]
pub(super) struct BodyRoom {
    kib: Semaphore,
    timeout: Duration,
}

impl BodyRoom {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { kib: Semaphore::new(limits.bodies_kib), timeout: limits.body }
    }
}

/// The body of a request that says it is JSON.
pub(super) struct JsonBody(pub(super) Bytes);

impl FromRequest<Arc<Api>> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            return Err(ErrorInfo::unsupported_media_type().into());
        }
        read_in_time(request.into_body(), api).await.map(Self)
    }
}

/// A body, whatever it is.
pub(super) async fn read_in_time(body: Body, api: &Api) -> Result<Bytes, Failure> {
    let room = &api.body_room;
    match tokio::time::timeout(room.timeout, read(body, room)).await {
        Ok(body) => body,
        Err(_) => Err(ErrorInfo::request_timeout().into()),
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

async fn read(mut body: Body, room: &BodyRoom) -> Result<Bytes, Failure> {
    let mut read = BytesMut::new();
    let mut taken: Option<SemaphorePermit<'_>> = None;
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| ErrorInfo::invalid_body("did not arrive whole: send it again"))?;
        let Ok(data) = frame.into_data() else { continue };
        let fits = data.len().min(LIMIT_KIB * 1024 - read.len());
        let kib = (read.len() + fits).div_ceil(1024);
        let more = kib - taken.as_ref().map_or(0, SemaphorePermit::num_permits);
        let more = room.kib.try_acquire_many(more as u32).map_err(|_| ErrorInfo::busy())?;
        match &mut taken {
            Some(taken) => taken.merge(more),
            None => taken = Some(more),
        }
        read.extend_from_slice(&data[..fits]);
        if data.len() > fits {
            return Err(too_large(&read));
        }
    }
    reached(Point::HttpBodyRead);
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
