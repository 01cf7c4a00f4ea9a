//! Getting the text of a JWK set: from a file, or over HTTP from one URL, redirects not followed.

use std::error::Error;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};

use super::settings::JwksSource;

/// The longest text that is read.
const LONGEST: usize = 1024 * 1024;

type Http = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

/// Where the text comes from, and with what.
pub(super) enum Fetch {
    Url(Uri, Box<Http>),
    File(PathBuf),
}

impl Fetch {
    pub(super) fn new(source: &JwksSource) -> Result<Self, rustls::Error> {
        match source {
            JwksSource::File(path) => Ok(Self::File(path.clone())),
            JwksSource::Url(url) => Ok(Self::Url(url.clone(), Box::new(client(url)?))),
        }
    }

    pub(super) async fn fetch(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Url(url, http) => over_http(http, url).await,
            Self::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_file(&path)).await;
                read.map_err(|error| error.to_string())?
            }
        }
    }
}

impl fmt::Display for Fetch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url, _) => url.fmt(formatter),
            Self::File(path) => path.display().fmt(formatter),
        }
    }
}

/// A client that trusts the authorities of the machine.
fn client(url: &Uri) -> Result<Http, rustls::Error> {
    let mut roots = RootCertStore::empty();
    if url.scheme_str() == Some("https") {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
    // It is used once in minutes: no connection is worth keeping.
    Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
}

async fn over_http(http: &Http, url: &Uri) -> Result<Vec<u8>, String> {
    let answer = http.get(url.clone()).await.map_err(|error| explain(&error))?;
    if answer.status() != StatusCode::OK {
        return Err(format!("the answer was {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), LONGEST).collect().await;
    let body = body.map_err(|_| "the answer broke off, or is longer than 1 MiB".to_owned())?;
    Ok(body.to_bytes().to_vec())
}

/// The whole story: what the client says first is only that it could not.
fn explain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(LONGEST as u64 + 1).read_to_end(&mut text);
    match read.map_err(|error| error.to_string())? {
        length if length > LONGEST => Err("the file is longer than 1 MiB".to_owned()),
        _ => Ok(text),
    }
}
