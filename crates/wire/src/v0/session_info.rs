//! The schema `SessionInfo`, out.

use greenwave_core::server::ServerAddress;
use greenwave_core::{ApplicationServer, Asked, EndReason, QosStatus, Session, SessionId, View};
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use super::Times;
use super::device::write_device;
use super::ports::PortsOut;
use crate::members::Members;

/// As long as most answers are, so that they are not moved while they are written.
const TYPICAL: usize = 640;

/// A session as JSON.
#[must_use]
pub fn session_info(session: &Session, view: &View, times: Times) -> Vec<u8> {
    let mut text = Vec::with_capacity(TYPICAL);
    write_session(&mut text, session, view, times);
    text
}

/// Sessions as a JSON array.
#[must_use]
pub fn session_list<'a>(
    sessions: impl Iterator<Item = (&'a Session, &'a View)>,
    times: Times,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(TYPICAL);
    text.push(b'[');
    for (at, (session, view)) in sessions.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        write_session(&mut text, session, view, times);
    }
    text.push(b']');
    text
}

/// Both times are required here, also before there are any: a session that is requested is shown as
/// if it began when it was asked for. The token of a sink is a secret of the application, and is
/// not shown again.
fn write_session(text: &mut Vec<u8>, session: &Session, view: &View, times: Times) {
    let asked: &Asked = &session.asked;
    let started_at = view.started_at.unwrap_or(session.created_at);
    let expires_at = view.expires_at.unwrap_or(started_at + view.duration);
    let mut members = Members::open(text);
    members.text("sessionId", session.id.write(&mut SessionId::room()));
    write_device(members.name("device"), &asked.device);
    write_server(members.name("applicationServer"), &asked.server);
    members.value_if_any("devicePorts", asked.device_ports.as_ref().map(PortsOut::from));
    members.value_if_any("applicationServerPorts", asked.server_ports.as_ref().map(PortsOut::from));
    members.text("qosProfile", asked.profile.as_str());
    if let Some(sink) = &asked.sink {
        let mut webhook = Members::open(members.name("webhook"));
        webhook.text("notificationUrl", sink.url.expose());
        webhook.close();
    }
    members.value("duration", view.duration.as_secs());
    write_time(&mut members, "startedAt", started_at, times);
    write_time(&mut members, "expiresAt", expires_at, times);
    members.text("qosStatus", status_name(view.status));
    members.text_if_any("statusInfo", view.reason.map(reason_name));
    members.close();
}

fn write_server(text: &mut Vec<u8>, server: &ApplicationServer) {
    let mut members = Members::open(text);
    members.text_if_any("ipv4Address", server.ipv4_address().map(ServerAddress::text));
    members.text_if_any("ipv6Address", server.ipv6_address().map(ServerAddress::text));
    members.close();
}

fn write_time(members: &mut Members<'_>, name: &'static str, at: Timestamp, times: Times) {
    match times {
        Times::Iso => members.text(name, &iso(at)),
        Times::Epoch => members.value(name, at.as_second()),
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
