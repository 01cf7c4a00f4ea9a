//! The executor for async programs.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::operation::{Event, Executor, Operation, Step};
use crate::request::{Endpoint, NoAnswer, Request, Response};
use crate::{Error, LARGEST_ANSWER, tls};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is kept that nobody uses: less than a gateway keeps it.
const IDLE: Duration = Duration::from_secs(10);

const MOST_IDLE: usize = 64;

type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Carries operations out on tokio: each call is a future, for a runtime that has its I/O and time
/// drivers enabled.
#[derive(Clone)]
pub struct Tokio {
    http: Http,
    endpoint: Arc<Endpoint>,
    timeout: Duration,
}

impl fmt::Debug for Tokio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokio({})", self.endpoint.root())
    }
}

impl Executor for Tokio {
    type Answer<T: Send + 'static> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

    fn new(endpoint: Endpoint, timeout: Duration) -> Result<Self, Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::config(endpoint.is_tls())?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MOST_IDLE)
            .build(connector);
        Ok(Self { http, endpoint: Arc::new(endpoint), timeout })
    }

    fn root(&self) -> &str {
        self.endpoint.root()
    }

    fn run<O: Operation + 'static>(&self, operation: O) -> Self::Answer<O::Output> {
        let executor = self.clone();
        Box::pin(async move { executor.carry_out(operation).await })
    }
}

impl Tokio {
    async fn carry_out<O: Operation>(&self, mut operation: O) -> Result<O::Output, Error> {
        let began = Instant::now();
        let mut event = Event::Begin;
        loop {
            event = match operation.step(event, began.elapsed()) {
                Step::Done(result) => return result,
                Step::Pause(pause) => {
                    tokio::time::sleep(pause).await;
                    Event::Waited
                }
                Step::Send(request) => self.send(&request).await?,
            };
        }
    }

    async fn send(&self, request: &Request) -> Result<Event, Error> {
        let body = Full::new(request.body.clone().unwrap_or_default());
        let timeout = request.timeout(self.timeout);
        let request = self.endpoint.address(request, body, true)?;
        let answer = tokio::time::timeout(timeout, self.exchange(request)).await;
        Ok(match answer {
            Ok(Ok(response)) => Event::Answered(response),
            Ok(Err(why)) => Event::Unanswered(why),
            Err(_) => Event::Unanswered(NoAnswer::TimedOut),
        })
    }

    async fn exchange(&self, request: http::Request<Full<Bytes>>) -> Result<Response, NoAnswer> {
        let answer = self.http.request(request).await.map_err(|error| {
            let reason = innermost(&error);
            if error.is_connect() {
                NoAnswer::NotConnected(reason)
            } else {
                NoAnswer::Broken(reason)
            }
        })?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| NoAnswer::Broken(innermost(&*error)))?;
        Ok(Response::new(head.status.as_u16(), &head.headers, body.to_bytes()))
    }
}

/// What really happened, below all the layers that pass it on.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
