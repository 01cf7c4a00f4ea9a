//! Requests and answers as plain data: what is sent, whoever sends it and however often.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, LINK, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Uri};

use crate::Error;

const API: &str = "/qod/v0";

/// Of the API. What is behind it is one session.
const SESSIONS: &str = "/sessions";

/// The ends of URLs that are not the gateway's root but one of its APIs. Nokia's SDKs are given
/// such, and whoever comes from there may give them to us.
const API_ENDS: [&str; 4] = ["/qod/v0-epoch", "/qod/v0", "/quality-on-demand/v1", "/"];

/// A request to a gateway. It can be sent again: whatever it asks for is done once.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    /// Behind the root, with the query.
    pub(crate) path: String,
    pub(crate) body: Option<Bytes>,
    /// Under which the gateway knows this request again, if it changes something.
    pub(crate) idempotency_key: Option<String>,
    /// Under which the gateway's log has it.
    pub(crate) correlator: String,
    /// How long the answer is waited for, if not for as long as the executor does.
    pub(crate) longest: Option<Duration>,
}

impl fmt::Debug for Request {
    /// Neither the query nor the body: names of devices and secrets may be there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "Request({} {path})", self.method)
    }
}

impl Request {
    pub(crate) fn get(path: String, correlator: &str) -> Self {
        let (path, correlator) = (format!("{API}{path}"), correlator.to_owned());
        Self {
            method: Method::GET,
            path,
            body: None,
            idempotency_key: None,
            correlator,
            longest: None,
        }
    }

    pub(crate) fn delete(path: &str, correlator: &str) -> Self {
        Self { method: Method::DELETE, ..Self::get(path.to_owned(), correlator) }
    }

    /// Of the API itself.
    pub(crate) fn post(path: &str, body: Vec<u8>, correlator: &str) -> Self {
        Self::post_at(format!("{API}{path}"), body, correlator)
    }

    /// Of any API.
    pub(crate) fn post_at(path: String, body: Vec<u8>, correlator: &str) -> Self {
        let correlator = correlator.to_owned();
        let body = Some(Bytes::from(body));
        let method = Method::POST;
        Self { method, path, body, idempotency_key: None, correlator, longest: None }
    }

    /// The same, done once however often it is sent.
    pub(crate) fn once(self, key: &str) -> Self {
        Self { idempotency_key: Some(key.to_owned()), ..self }
    }

    /// The same, with an answer that is waited for no longer than this.
    pub(crate) fn within(self, longest: Option<Duration>) -> Self {
        Self { longest, ..self }
    }

    /// Whether it is about one session.
    pub(crate) fn is_of_session(&self) -> bool {
        let behind = self.path.strip_prefix(API).and_then(|path| path.strip_prefix(SESSIONS));
        behind.is_some_and(|id| id.starts_with('/'))
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, with the query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The body; empty if there is none.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// The value of `Idempotency-Key`.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// How long its answer is to be waited for, by an executor whose tries take `timeout`.
    #[must_use]
    pub fn timeout(&self, timeout: Duration) -> Duration {
        self.longest.map_or(timeout, |longest| longest.min(timeout))
    }
}

/// An answer of a gateway, whatever it says.
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) correlator: Option<String>,
    /// Whether the list goes on on another page.
    pub(crate) more: bool,
    pub(crate) body: Bytes,
}

impl Response {
    /// What matters of an answer.
    #[must_use]
    pub fn new(status: u16, headers: &HeaderMap, body: Bytes) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            status,
            // The other form, a date, is not for programs that mean seconds.
            retry_after: text(RETRY_AFTER.as_str())
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(Duration::from_secs),
            correlator: text("x-correlator").map(str::to_owned),
            more: text(LINK.as_str()).is_some_and(|link| link.contains("rel=\"next\"")),
            body,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// Nobody took the connection, so nothing was done.
    NotConnected(String),
    /// The connection broke, or what came was no HTTP.
    Broken(String),
    /// It took too long.
    TimedOut,
    /// A signal came while it was waited for.
    Interrupted,
}

/// Where a gateway is, and what opens it.
#[derive(Clone)]
pub struct Endpoint {
    /// Scheme and authority, and perhaps a path, without a slash at its end.
    root: String,
    host: String,
    port: u16,
    tls: bool,
    key: HeaderValue,
}

impl fmt::Debug for Endpoint {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.root)
    }
}

impl Endpoint {
    /// The gateway at this URL, with this key.
    pub fn new(url: &str, key: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::Invalid(format!(
                "base_url: {url:?} is not the URL of a gateway: one is such as http://127.0.0.1:9091"
            ))
        };
        let mut root = url.trim();
        for end in API_ENDS {
            root = root.trim_end_matches('/');
            root = root.strip_suffix(end).unwrap_or(root);
        }
        let uri: Uri = root.parse().map_err(|_| wrong())?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if uri.query().is_some() || uri.authority().is_some_and(|a| a.as_str().contains('@')) {
            return Err(wrong());
        }
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let key = key.trim();
        let bad_key = || {
            Error::Invalid(
                "token: the application key is printable ASCII, as `greenwave up` prints it".into(),
            )
        };
        if key.is_empty() {
            return Err(bad_key());
        }
        let mut key = HeaderValue::from_str(key).map_err(|_| bad_key())?;
        key.set_sensitive(true);
        Ok(Self { root: root.to_owned(), host, port, tls, key })
    }

    /// The URL of the gateway, without a slash at its end.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.tls
    }

    /// What goes over the wire. `absolute`: with the whole URL, for executors that choose the
    /// connection by it, or with the path alone and a `Host`.
    pub(crate) fn address<B>(
        &self,
        request: &Request,
        body: B,
        absolute: bool,
    ) -> Result<http::Request<B>, Error> {
        let uri: Uri = format!("{}{}", self.root, request.path)
            .parse()
            .map_err(|_| Error::Invalid(format!("{:?} cannot be part of a URL", request.path)))?;
        let mut built = http::Request::builder().method(request.method.clone());
        if absolute {
            built = built.uri(uri);
        } else {
            let host = uri.authority().map_or("", |authority| authority.as_str());
            built = built.header(http::header::HOST, host);
            built = built.uri(uri.path_and_query().map_or("/", |path| path.as_str()));
        }
        built = built
            .header("x-rapidapi-key", &self.key)
            .header(USER_AGENT, concat!("greenwave-sdk/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json")
            .header("x-correlator", &request.correlator);
        if request.body.is_some() {
            built = built.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = &request.idempotency_key {
            built = built.header("idempotency-key", key);
        }
        built.body(body).map_err(|error| Error::Invalid(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(url: &str) -> Option<String> {
        Endpoint::new(url, "key").ok().map(|endpoint| endpoint.root)
    }

    #[test]
    fn the_root_is_found_in_what_people_give() {
        for url in [
            "http://127.0.0.1:9091",
            "http://127.0.0.1:9091/",
            "http://127.0.0.1:9091/qod/v0",
            "http://127.0.0.1:9091/qod/v0/",
            "http://127.0.0.1:9091/qod/v0-epoch",
            " http://127.0.0.1:9091/quality-on-demand/v1 ",
        ] {
            assert_eq!(root(url).as_deref(), Some("http://127.0.0.1:9091"), "{url}");
        }
        assert_eq!(root("https://h/gateway/").as_deref(), Some("https://h/gateway"));
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in ["", "127.0.0.1:9091", "ftp://h", "http://", "http://u:p@h", "http://h?x=y"] {
            assert_eq!(root(url), None, "{url}");
        }
    }

    #[test]
    fn host_and_port_are_those_of_the_url() {
        let endpoint = Endpoint::new("http://[::1]:9091", "key").unwrap();
        assert_eq!((endpoint.host(), endpoint.port()), ("::1", 9091));
        let endpoint = Endpoint::new("https://example.com", "key").unwrap();
        assert_eq!(
            (endpoint.host(), endpoint.port(), endpoint.is_tls()),
            ("example.com", 443, true)
        );
    }

    #[test]
    fn neither_key_nor_body_is_shown() {
        let endpoint = Endpoint::new("http://h", "gw_test_secret").unwrap();
        let request = Request::post("/sessions", b"secret".to_vec(), "c");
        let sent = endpoint.address(&request, (), true).unwrap();
        let shown = format!("{endpoint:?} {request:?} {:?}", sent.headers());
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_key_is_something_that_a_header_can_hold() {
        assert!(Endpoint::new("http://h", " ").is_err());
        assert!(Endpoint::new("http://h", "a\nb").is_err());
    }
}
