//! Talking to a gateway.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LINK};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::DataDirectory;
use super::output::Failure;
use crate::sandbox::{self, SandboxFile};

const TIMEOUT: Duration = Duration::from_secs(30);

/// The largest answer that is read: a page of sessions is far smaller.
const LIMIT: usize = 16 * 1024 * 1024;

/// A gateway and what opens it.
pub(super) struct ApiClient {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    root: String,
    token: String,
    /// The command that starts this gateway.
    start: String,
    /// Whether it speaks for the one who runs the gateway.
    operator: bool,
}

/// An answer that is a success.
pub(super) struct Answer {
    /// The body; null if there is none.
    pub(super) body: Value,
    /// Whether the list goes on on another page.
    pub(super) more: bool,
}

/// Reads `sandbox.json`, which says where the gateway of a directory is.
pub(super) fn read_sandbox(directory: &DataDirectory) -> Result<SandboxFile, Failure> {
    let path = sandbox::file_path(&directory.data);
    let text = std::fs::read_to_string(&path).map_err(|_| {
        let (data, path) = (directory.data.display(), path.display());
        Failure::new(format!("there is no gateway in {data}: {path} is missing"))
            .hint(directory.start())
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(format!("{} cannot be read: {error}", path.display()))
            .hint(format!("{}, which writes it anew", directory.start()))
    })
}

/// Reads an answer.
pub(super) fn read<T: DeserializeOwned>(body: Value) -> Result<T, Failure> {
    serde_json::from_value(body)
        .map_err(|error| Failure::new(format!("the gateway's answer cannot be read: {error}")))
}

impl ApiClient {
    /// A client of the admin API of the gateway in a directory.
    pub(super) fn operator(directory: &DataDirectory) -> Result<Self, Failure> {
        let file = read_sandbox(directory)?;
        let path = sandbox::admin_token_path(&directory.data);
        let token = std::fs::read_to_string(&path)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
        let client = Self::new(&file.admin_url, token.trim(), directory.start())?;
        Ok(Self { operator: true, ..client })
    }

    /// What it shows to be let in.
    pub(super) fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// A client of the gateway at `root`, with a key or token.
    pub(super) fn new(root: &str, token: &str, start: String) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        if root.starts_with("https:") {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(format!("TLS cannot be used: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        let http = Client::builder(TokioExecutor::new()).build(connector);
        let root = root.trim_end_matches('/').to_owned();
        Ok(Self { http, root, token: token.to_owned(), start, operator: false })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.call(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.root))
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| Failure::new(format!("{} is not the URL of a gateway", self.root)))?;
        let exchange = tokio::time::timeout(TIMEOUT, self.http.request(request)).await;
        let answer = exchange
            .map_err(|_| Failure::new(format!("the gateway at {} does not answer", self.root)))?
            .map_err(|_| {
                Failure::new(format!("cannot reach a gateway at {}", self.root))
                    .hint(format!("{}, in another terminal", self.start))
            })?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, LIMIT).collect().await;
        let body = body.map_err(|_| Failure::new("the gateway's answer broke off"))?.to_bytes();
        let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&body) };
        let body = body
            .map_err(|_| Failure::new(format!("what answers at {} is not a gateway", self.root)))?;
        if head.status.is_success() {
            return Ok(Answer { body, more: head.headers.contains_key(LINK) });
        }
        Err(self.refused(head.status, &body))
    }

    /// What a gateway says when it refuses, and what helps.
    fn refused(&self, status: StatusCode, body: &Value) -> Failure {
        let message = body["message"].as_str().unwrap_or("the gateway refused without saying why");
        let failure = Failure::new(message).code(body["code"].as_str().unwrap_or(status.as_str()));
        match status {
            StatusCode::UNAUTHORIZED if self.operator => {
                failure.hint(format!("{}: another gateway seems to have its port", self.start))
            }
            StatusCode::UNAUTHORIZED => failure
                .hint("greenwave keys create for a new key, which --key or GREENWAVE_KEY takes"),
            StatusCode::NOT_FOUND => {
                failure.hint("greenwave sessions list, which shows what there is")
            }
            _ => failure,
        }
    }
}
