//! The HTTP client for events. Every connection that it opens passes the [`AddressGuard`], with the
//! very address that is then dialled. It follows no redirect, uses no proxy, and reads little.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use greenwave_core::{Clock, Event, RuleSetId, SessionId, Sink};
use greenwave_ledger::Answer;
use greenwave_wire::{camara, v0};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tower::Service;
use url::Url;

use super::Courier;
use super::attempt::Attempt;
use super::guard::{AddressGuard, Denied};
use crate::secrets::Secrets;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a receiver may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the rest of an answer may take, of which nothing depends.
const REST_TIMEOUT: Duration = Duration::from_secs(1);

/// How much of an answer is read, so that its connection can be used again.
const MOST_OF_ANSWER: usize = 64 * 1024;

/// See the module.
pub struct SinkClient {
    secrets: Arc<Secrets>,
    guard: Arc<AddressGuard>,
    clock: Arc<dyn Clock>,
    http: Client<HttpsConnector<GuardedConnector>, Full<Bytes>>,
}

impl SinkClient {
    /// A client that trusts the authorities of the machine, and these.
    pub fn new(
        guard: AddressGuard,
        secrets: Arc<Secrets>,
        clock: Arc<dyn Clock>,
        trusted: Vec<CertificateDer<'static>>,
    ) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        for authority in trusted {
            roots.add(authority).map_err(io::Error::other)?;
        }
        if roots.is_empty() {
            tracing::warn!(
                "no certificate authorities on this machine: events to https URLs will fail; \
                 install the package ca-certificates"
            );
        }
        let guard = Arc::new(guard);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(GuardedConnector(Arc::clone(&guard)));
        let http = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(4)
            .build(connector);
        Ok(Self { secrets, guard, clock, http })
    }

    async fn tell(&self, event: &Event) -> Attempt {
        let request = match request(&self.secrets, event, self.clock.now()) {
            Ok(request) => request,
            Err(note) => return Attempt::Hopeless(note.to_owned()),
        };
        if let Some(address) = literal(request.uri()) {
            // A name may come to mean another address; an address stays what it is.
            if let Err(denied) = self.guard.check(address) {
                return Attempt::Hopeless(denied.to_string());
            }
        }
        match tokio::time::timeout(ANSWER_TIMEOUT, self.http.request(request)).await {
            Ok(Ok(answer)) => {
                let (head, body) = answer.into_parts();
                // Only to leave the connection usable: the receiver has said all that matters.
                let rest = Limited::new(body, MOST_OF_ANSWER).collect();
                let _ = tokio::time::timeout(REST_TIMEOUT, rest).await;
                Attempt::of_answer(head.status, &head.headers)
            }
            Ok(Err(error)) => Attempt::failed(explain(&error)),
            Err(_) => Attempt::failed("the receiver did not answer in time"),
        }
    }
}

impl Courier for SinkClient {
    fn send<'a>(&'a self, event: &'a Event) -> Answer<'a, Attempt> {
        Box::pin(self.tell(event))
    }
}

fn request(
    secrets: &Secrets,
    event: &Event,
    now: Timestamp,
) -> Result<Request<Full<Bytes>>, &'static str> {
    let Some(sink) = &event.sink else { return Err("there is no sink") };
    let url = Url::parse(sink.url.expose()).map_err(|_| "the sink is not a URL")?;
    // The `url` crate has turned every spelling of an address into its plain form.
    let uri: Uri = url[..url::Position::AfterQuery].parse().map_err(|_| "the sink is not a URL")?;
    let (content_type, body) = match event.rules {
        RuleSetId::NokiaV0 => (v0::EVENT_CONTENT_TYPE, v0::event(event)),
        _ => (camara::EVENT_CONTENT_TYPE, camara::event(event)),
    };
    let mut request = Request::post(uri)
        .header(CONTENT_TYPE, content_type)
        .header(USER_AGENT, concat!("greenwave/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| "the sink is not a URL")?;
    if let Some(authorization) = authorization(secrets, event.id.session, sink, now)? {
        request.headers_mut().insert(AUTHORIZATION, authorization);
    }
    Ok(request)
}

fn authorization(
    secrets: &Secrets,
    session: SessionId,
    sink: &Sink,
    now: Timestamp,
) -> Result<Option<HeaderValue>, &'static str> {
    let Some(sealed) = &sink.credential else { return Ok(None) };
    let credential = secrets
        .open_sealed(session, sealed)
        .ok_or("the sink's credential was sealed with another secret")?;
    if credential.expires_at.is_some_and(|expires_at| expires_at <= now) {
        return Err("the sink's credential has expired");
    }
    let token = credential.token.expose_secret();
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| "the sink's credential cannot be sent")?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Says what failed without saying where: a URL may hold secrets.
fn explain(error: &hyper_util::client::legacy::Error) -> String {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<DialError>() {
            return error.to_string();
        }
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return format!("the receiver's TLS failed: {}", explain_tls(error));
        }
        source = error.source();
    }
    "the receiver closed the connection, or does not speak HTTP".to_owned()
}

/// The error's own text may have the receiver's name in it.
fn explain_tls(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(_) => "its certificate is not valid, or for another name",
        rustls::Error::AlertReceived(_) => "it refused the connection",
        rustls::Error::NoCertificatesPresented => "it has no certificate",
        _ => "it does not speak TLS as expected",
    }
}

/// Resolves, checks, dials: in one step, so that nothing can change in between.
#[derive(Clone)]
struct GuardedConnector(Arc<AddressGuard>);

#[derive(Debug, thiserror::Error)]
enum DialError {
    #[error("the receiver's URL has no host")]
    NoHost,
    #[error("the receiver's name does not resolve")]
    Unresolved,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("the receiver cannot be reached: {0}")]
    Unreachable(io::ErrorKind),
}

type Dialling = Pin<Box<dyn Future<Output = Result<TokioIo<TcpStream>, DialError>> + Send>>;

impl Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Dialling;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Dialling {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let dialling = tokio::time::timeout(CONNECT_TIMEOUT, dial(&guard, &uri)).await;
            dialling.unwrap_or(Err(DialError::Unreachable(io::ErrorKind::TimedOut)))
        })
    }
}

async fn dial(guard: &AddressGuard, uri: &Uri) -> Result<TokioIo<TcpStream>, DialError> {
    let mut refused = None;
    for address in resolve(uri).await? {
        if let Err(denied) = guard.check(address) {
            refused = refused.or(Some(DialError::Denied(denied)));
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(TokioIo::new(stream));
            }
            Err(error) => refused = Some(DialError::Unreachable(error.kind())),
        }
    }
    Err(refused.unwrap_or(DialError::Unresolved))
}

async fn resolve(uri: &Uri) -> Result<Vec<SocketAddr>, DialError> {
    if let Some(address) = literal(uri) {
        return Ok(vec![address]);
    }
    let host = uri.host().ok_or(DialError::NoHost)?;
    let found = tokio::net::lookup_host((host, port(uri))).await;
    Ok(found.map_err(|_| DialError::Unresolved)?.collect())
}

/// The address of a URL that has one in place of a name.
fn literal(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some(SocketAddr::new(bare.parse::<IpAddr>().ok()?, port(uri)))
}

fn port(uri: &Uri) -> u16 {
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    uri.port_u16().unwrap_or(default)
}
