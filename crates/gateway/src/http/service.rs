//! What answers the requests of a listener.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use tower::Service;

use super::Api;
use super::observe::observe;

/// Routes, and what every request goes through on its way to them.
#[derive(Clone)]
pub struct Routes {
    router: Router,
    observed: Option<Observed>,
}

#[derive(Clone)]
struct Observed {
    api: Arc<Api>,
    /// The paths that there are, by which the log calls them.
    patterns: &'static [&'static str],
}

impl Routes {
    /// Routes of the gateway.
    pub(super) fn observed(
        router: Router,
        api: Arc<Api>,
        patterns: &'static [&'static str],
    ) -> Self {
        Self { router, observed: Some(Observed { api, patterns }) }
    }

    /// Answers a request.
    pub(super) async fn answer(self, request: Request<Body>) -> Response {
        let mut router = self.router;
        match self.observed {
            Some(Observed { api, patterns }) => observe(api, patterns, request, router).await,
            None => match router.call(request).await {
                Ok(response) => response,
            },
        }
    }
}

/// Routes that nothing is done for but to answer: of a tool that has no gateway.
impl From<Router> for Routes {
    fn from(router: Router) -> Self {
        Self { router, observed: None }
    }
}
