//! A receiver of events, real HTTP on a real port.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::client::{SOON, eventually, within};

/// What a receiver was sent.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Received {
    pub(crate) fn status(&self) -> (String, String) {
        let data = &self.json["data"];
        let text = |member: &str| data[member].as_str().unwrap_or("").to_owned();
        (text("qosStatus"), text("statusInfo"))
    }
}

/// Answers as it is told, and 204 when it is told nothing.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    received: Vec<Received>,
    answers: VecDeque<(u16, Vec<(&'static str, String)>)>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        tokio::spawn(accept(listener, None, Arc::clone(&state)));
        Self { address, scheme: "http", state }
    }

    /// One that speaks https, and the authority that its certificate is from.
    pub(crate) async fn start_tls() -> (Self, CertificateDer<'static>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let tls = Some(TlsAcceptor::from(Arc::new(tls)));
        tokio::spawn(accept(listener, tls, Arc::clone(&state)));
        (Self { address, scheme: "https", state }, certificate)
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}/events", self.scheme, self.address)
    }

    /// The next answer, after those that were set before.
    pub(crate) fn answer(&self, status: u16, headers: &[(&'static str, &str)]) {
        let headers = headers.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        self.state.lock().unwrap().answers.push_back((status, headers));
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// Waits until this many have come in all.
    pub(crate) async fn until(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} events");
        within(SOON, what, eventually("events", || self.received().len() >= count)).await;
        let received = self.received();
        let statuses: Vec<_> = received.iter().map(Received::status).collect();
        assert_eq!(received.len(), count, "{statuses:?}");
        received
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (state, tls) = (Arc::clone(&state), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(stream, state).await,
                // Whoever does not like the certificate comes no further.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, state).await;
                    }
                }
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    state: Arc<Mutex<State>>,
) {
    let service = service_fn(move |request| answer(request, Arc::clone(&state)));
    let connection = hyper::server::conn::http1::Builder::new();
    // A client may go at any time.
    let _ = connection.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let json = serde_json::from_slice(&bytes).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let mut state = state.lock().unwrap();
    state.received.push(Received { path, headers: head.headers, json });
    let (status, headers) = state.answers.pop_front().unwrap_or((204, Vec::new()));
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::default()).unwrap())
}
