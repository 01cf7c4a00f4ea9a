//! What a client does with its connection: how many requests it has begun, and how many of them it
//! has abandoned.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use tokio::sync::Notify;

use super::Routes;

/// See the module.
#[derive(Debug)]
pub(super) struct Activity {
    /// It may run over: it is only asked whether it has changed, and whether it is zero.
    begun: AtomicU32,
    abandoned: AtomicU32,
    most_abandoned: u32,
    too_many: Notify,
}

impl Activity {
    pub(super) fn new(most_abandoned: u32) -> Arc<Self> {
        Arc::new(Self {
            begun: AtomicU32::new(0),
            abandoned: AtomicU32::new(0),
            most_abandoned,
            too_many: Notify::new(),
        })
    }

    /// How many requests have begun.
    pub(super) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Comes when more requests were abandoned than a client may that means well.
    pub(super) async fn too_many_abandoned(&self) {
        self.too_many.notified().await;
    }

    fn abandon(&self) {
        let abandoned = self.abandoned.fetch_add(1, Ordering::Relaxed) + 1;
        if abandoned >= self.most_abandoned {
            self.too_many.notify_one();
        }
    }

    /// The routes, watched.
    pub(super) fn watch(
        self: Arc<Self>,
        routes: Routes,
    ) -> impl Service<
        Request<Incoming>,
        Response = Response,
        Error = Infallible,
        Future: Future<Output = Result<Response, Infallible>> + Send + 'static,
    > {
        service_fn(move |request| {
            self.begun.fetch_add(1, Ordering::Relaxed);
            let pending = Pending { activity: Arc::clone(&self), answered: false };
            // A body that breaks off is answered, and still nobody is there to read it.
            let activity = Arc::clone(&self);
            let answer = routes.clone().answer(request.map(|body: Incoming| {
                Body::new(body.map_err(move |error| {
                    activity.abandon();
                    error
                }))
            }));
            async move {
                let answer = answer.await;
                pending.answered();
                Ok(answer)
            }
        })
    }
}

/// A request that has no answer yet. If it is dropped without one, its client has abandoned it.
struct Pending {
    activity: Arc<Activity>,
    answered: bool,
}

impl Pending {
    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.answered {
            self.activity.abandon();
        }
    }
}
