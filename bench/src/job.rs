//! What is asked of a server: the four requests of a session's life.

use std::sync::Arc;

use bytes::Bytes;
use clap::ValueEnum;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use serde::{Deserialize, Serialize};

use crate::server::Target;

/// Where sessions are.
const SESSIONS: &str = "/qod/v0/sessions";

/// What a device is called, by its number. As wide for every one, so that all answers to a job have
/// one size.
pub(crate) fn device_name(device: u64) -> String {
    format!("d{device:016}@testcsp.net")
}

/// A kind of request, in the order of a session's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Job {
    /// `POST /sessions`
    Create,
    /// `GET /sessions/{id}`
    Get,
    /// `GET /sessions?networkAccessIdentifier=…`: those of one device, which has one
    List,
    /// `DELETE /sessions/{id}`
    Delete,
}

/// A session, and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The device's number. Every session has a device of its own.
    pub(crate) device: u64,
    /// Empty until it is made.
    pub(crate) id: String,
    /// How long it is to last.
    pub(crate) duration_s: u32,
    /// Where its events go, if anywhere.
    pub(crate) sink: Option<Arc<str>>,
}

impl Session {
    /// What the gateway's own greeting shows: a session of an hour, and nothing that is optional.
    pub(crate) fn of_device(device: u64) -> Self {
        Self { device, id: String::new(), duration_s: 3_600, sink: None }
    }
}

impl Job {
    /// All of them, in their order.
    pub(crate) const ALL: [Self; 4] = [Self::Create, Self::Get, Self::List, Self::Delete];

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }

    /// The status of an answer that is as it should be.
    pub(crate) fn success(self) -> StatusCode {
        match self {
            Self::Create => StatusCode::CREATED,
            Self::Get | Self::List => StatusCode::OK,
            Self::Delete => StatusCode::NO_CONTENT,
        }
    }

    /// The request for this session.
    pub(crate) fn request(
        self,
        target: &Target,
        session: &Session,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let Session { device, id, .. } = session;
        let (method, path, body) = match self {
            Self::Create => (Method::POST, SESSIONS.to_owned(), body(session)),
            Self::Get => (Method::GET, format!("{SESSIONS}/{id}"), String::new()),
            Self::List => {
                let name = device_name(*device).replace('@', "%40");
                let query = format!("networkAccessIdentifier={name}");
                (Method::GET, format!("{SESSIONS}?{query}"), String::new())
            }
            Self::Delete => (Method::DELETE, format!("{SESSIONS}/{id}"), String::new()),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &target.host)
            .header(target.credential.0, &target.credential.1);
        if self == Self::Create {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request.body(Full::new(Bytes::from(body)))
    }
}

fn body(session: &Session) -> String {
    let Session { device, duration_s, sink, .. } = session;
    let sink = sink.as_ref().map(|sink| format!(r#","notificationUrl":"{sink}""#));
    let (sink, name) = (sink.unwrap_or_default(), device_name(*device));
    format!(
        r#"{{"device":{{"networkAccessIdentifier":"{name}"}},"applicationServer":{{"ipv4Address":"233.252.0.2"}},"qosProfile":"QOS_L","duration":{duration_s}{sink}}}"#
    )
}
