//! The schema `SessionInfo`, out.

use greenwave_core::server::ServerAddress;
use greenwave_core::{Asked, EndReason, QosStatus, Session, SessionId, View};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Serialize, Serializer};

use super::Times;
use super::device::DeviceOut;
use super::ports::PortsOut;

/// A session as JSON.
#[must_use]
pub fn session_info(session: &Session, view: &View, times: Times) -> Vec<u8> {
    to_json(&SessionInfo::new(session, view, times))
}

/// Sessions as a JSON array.
#[must_use]
pub fn session_list<'a>(
    sessions: impl Iterator<Item = (&'a Session, &'a View)>,
    times: Times,
) -> Vec<u8> {
    let list: Vec<_> =
        sessions.map(|(session, view)| SessionInfo::new(session, view, times)).collect();
    to_json(&list)
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::with_capacity(TYPICAL);
    // Strings and numbers can always be written.
    let _ = serde_json::to_writer(&mut json, value);
    json
}

/// As long as most answers are, so that they are not moved while they are written.
const TYPICAL: usize = 640;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionInfo<'a> {
    session_id: Id,
    device: DeviceOut<'a>,
    application_server: ServerOut<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_ports: Option<PortsOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_server_ports: Option<PortsOut<'a>>,
    qos_profile: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<WebhookOut<'a>>,
    duration: u64,
    started_at: Time,
    expires_at: Time,
    qos_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_info: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServerOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6_address: Option<&'a str>,
}

/// The token is a secret of the application, and is not shown again.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookOut<'a> {
    notification_url: &'a str,
}

impl<'a> SessionInfo<'a> {
    /// Both times are required here, also before there are any: a session that is requested is
    /// shown as if it began when it was asked for.
    fn new(session: &'a Session, view: &View, times: Times) -> Self {
        let asked: &Asked = &session.asked;
        let started_at = view.started_at.unwrap_or(session.created_at);
        let expires_at = view.expires_at.unwrap_or(started_at + view.duration);
        Self {
            session_id: Id(session.id),
            device: DeviceOut::from(&asked.device),
            application_server: ServerOut {
                ipv4_address: asked.server.ipv4_address().map(ServerAddress::text),
                ipv6_address: asked.server.ipv6_address().map(ServerAddress::text),
            },
            device_ports: asked.device_ports.as_ref().map(PortsOut::from),
            application_server_ports: asked.server_ports.as_ref().map(PortsOut::from),
            qos_profile: asked.profile.as_str(),
            webhook: asked
                .sink
                .as_ref()
                .map(|sink| WebhookOut { notification_url: sink.url.expose() }),
            duration: view.duration.as_secs(),
            started_at: Time { at: started_at, times },
            expires_at: Time { at: expires_at, times },
            qos_status: status_name(view.status),
            status_info: view.reason.map(reason_name),
        }
    }
}

struct Id(SessionId);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.write(&mut SessionId::room()))
    }
}

struct Time {
    at: Timestamp,
    times: Times,
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.times {
            Times::Iso => to.serialize_str(&iso(self.at)),
            Times::Epoch => to.serialize_i64(self.at.as_second()),
        }
    }
}

/// Always three digits after the second: some clients can read three or six, and no others.
pub(super) fn iso(at: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    let mut text = String::with_capacity("2026-11-22T16:27:45.123Z".len());
    // Writing to a string cannot fail.
    let _ = PRINTER.print_timestamp(&at, &mut text);
    text
}

pub(super) fn status_name(status: QosStatus) -> &'static str {
    match status {
        QosStatus::Requested => "REQUESTED",
        QosStatus::Available => "AVAILABLE",
        QosStatus::Unavailable => "UNAVAILABLE",
    }
}

pub(super) fn reason_name(reason: EndReason) -> &'static str {
    match reason {
        EndReason::DurationExpired => "DURATION_EXPIRED",
        EndReason::NetworkTerminated => "NETWORK_TERMINATED",
        EndReason::DeleteRequested => "DELETE_REQUESTED",
    }
}
