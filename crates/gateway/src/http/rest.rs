//! What is left of a body that nobody has wanted to read.
//!
//! A request may be answered before its body is looked at: who does not say who it is learns
//! nothing more. Over HTTP/1.1 the connection can only be used again once the body has been read;
//! else it would be closed, and the client's next request on it be lost.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Version};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

/// How much is read for nothing, and for how long, before the connection is given up.
const MOST: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(1);

/// A body that may be read by two, one after the other.
#[derive(Clone)]
pub(super) struct Rest(Arc<Mutex<Body>>);

impl Rest {
    /// Keeps hold of a request's body, if there is one that could be in the way. One that waits to
    /// be asked for will not be sent.
    pub(super) fn of(request: Request<Body>) -> (Request<Body>, Option<Self>) {
        let waits = request.headers().contains_key(EXPECT);
        if waits || request.version() > Version::HTTP_11 || request.body().is_end_stream() {
            return (request, None);
        }
        let (parts, body) = request.into_parts();
        let rest = Self(Arc::new(Mutex::new(body)));
        (Request::from_parts(parts, Body::new(rest.clone())), Some(rest))
    }

    /// Reads what is left. If that takes too long, the client is told that the connection ends.
    pub(super) async fn read(mut self, headers: &mut http::HeaderMap) {
        if self.is_end_stream() || headers.contains_key(CONNECTION) {
            return;
        }
        let mut read = 0;
        let reading = async {
            while read <= MOST {
                match self.frame().await {
                    Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
                    Some(Err(_)) => return false,
                    None => return true,
                }
            }
            false
        };
        if !tokio::time::timeout(PATIENCE, reading).await.unwrap_or(false) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Rest {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
