//! An HTTP client that knows nothing of the gateway's own types.

use std::fmt::Debug;
use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::document;

/// How long a test waits for something that should happen soon.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A client with a key.
#[derive(Clone)]
pub(crate) struct TestClient {
    http: Client<HttpConnector, Full<Bytes>>,
    pub(crate) root: String,
    headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    /// Null if the body is no JSON.
    pub(crate) json: Value,
}

impl TestClient {
    pub(crate) fn new(root: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { http, root: root.to_owned(), headers: Vec::new() }
    }

    pub(crate) fn with_key(root: &str, key: &str) -> Self {
        Self::new(root).header("X-RapidAPI-Key", key)
    }

    /// The same with another header.
    pub(crate) fn header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The key that it has.
    pub(crate) fn key(&self) -> &str {
        let key = self.headers.iter().find(|(name, _)| name == "X-RapidAPI-Key");
        &key.expect("a key").1
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let Body(body) = body.into();
        self.header("content-type", "application/json").send(Method::POST, path, &body).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        self.try_send(method, path, body).await.unwrap()
    }

    /// An answer, or why there is none.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<Answer, String> {
        let mut request =
            Request::builder().method(method.clone()).uri(format!("{}{path}", self.root));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let answer = self.http.request(request).await.map_err(|error| format!("{error:?}"))?;
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        let answer = Answer { status: head.status.as_u16(), headers: head.headers, bytes, json };
        document::check(&method, &self.documented(path), &answer);
        Ok(answer)
    }

    /// Where it is said how this client is answered: one that has this header as the twin's are.
    fn documented(&self, path: &str) -> String {
        match self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-fern-language")) {
            true => path.replace("/qod/v0/", "/qod/v0-epoch/"),
            false => path.to_owned(),
        }
    }

    /// Asks again and again until the answer is as wanted: the state is looked at, no time is
    /// guessed.
    pub(crate) async fn get_until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let asking = async {
            loop {
                let answer = self.get(path).await;
                if wanted(&answer) {
                    return answer;
                }
            }
        };
        within(SOON, path, asking).await
    }
}

/// Waits for something that should come soon.
pub(crate) async fn within<T>(
    limit: Duration,
    what: impl Debug,
    work: impl Future<Output = T>,
) -> T {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => panic!("{what:?} did not come in time"),
    }
}

/// Looks again and again until it is so. Whoever makes it so gets to run in between.
pub(crate) async fn eventually(what: &str, so: impl Fn() -> bool) {
    let looking = async {
        while !so() {
            poll_fn(|context| {
                context.waker().wake_by_ref();
                std::task::Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        }
    };
    within(SOON, what, looking).await;
}

/// The body of a request: JSON, or bytes that may be anything.
pub(crate) struct Body(String);

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Value> for Body {
    fn from(json: Value) -> Self {
        Self(json.to_string())
    }
}

impl Answer {
    pub(crate) fn id(&self) -> String {
        self.json["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {self:?}")).to_owned()
    }

    pub(crate) fn is_status(&self, status: &str) -> bool {
        self.json["qosStatus"] == status
    }

    /// Panics unless it is an error of this status and code, in the form that CAMARA gives it.
    pub(crate) fn assert_error(&self, status: u16, code: &str) -> &str {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        let members = self.json.as_object().unwrap_or_else(|| panic!("no object: {self:?}"));
        assert_eq!(members.keys().collect::<Vec<_>>(), ["code", "message", "status"]);
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["code"], code, "{self:?}");
        let message = self.json["message"].as_str().unwrap();
        assert!(message.split(' ').count() > 3, "no message: {message}");
        message
    }

    pub(crate) fn assert_ok(&self) -> &Self {
        let status = StatusCode::from_u16(self.status).unwrap();
        assert!(status.is_success(), "{self:?}");
        self
    }
}
