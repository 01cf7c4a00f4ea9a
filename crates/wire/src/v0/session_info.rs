//! The schema `SessionInfo`, out.

use greenwave_core::{ApplicationServer, Asked, NamedBy, Session, SessionId, View};
use jiff::Timestamp;

use super::Times;
use super::device::write_device;
use crate::members::Members;
use crate::ports::PortsOut;
use crate::server::first_of_each;
use crate::status::{iso, reason_name, status_name};

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
    let scheduled = || started_at.checked_add(view.duration).unwrap_or(Timestamp::MAX);
    let expires_at = view.expires_at.unwrap_or_else(scheduled);
    let mut members = Members::open(text);
    members.text("sessionId", session.id.write(&mut SessionId::room()));
    match asked.named_by {
        NamedBy::Request => write_device(members.name("device"), &asked.device),
        // It has to be there, and what a token has named is not told.
        NamedBy::Token => Members::open(members.name("device")).close(),
    }
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
    let (ipv4_address, ipv6_address) = first_of_each(server);
    let mut members = Members::open(text);
    members.text_if_any("ipv4Address", ipv4_address);
    members.text_if_any("ipv6Address", ipv6_address);
    members.close();
}

fn write_time(members: &mut Members<'_>, name: &'static str, at: Timestamp, times: Times) {
    match times {
        Times::Iso => members.text(name, &iso(at)),
        Times::Epoch => members.value(name, at.as_second()),
    }
}
