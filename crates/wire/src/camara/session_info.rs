//! The schema `SessionInfo`, out.

use greenwave_core::{RuleSet, Session, SessionId, View};

use super::device::write_device;
use super::server::write_server;
use crate::members::Members;
use crate::ports::PortsOut;
use crate::status::{iso, reason_name, status_name};

/// As long as most answers are, so that they are not moved while they are written.
const TYPICAL: usize = 640;

/// A session as JSON, for a client of these rules.
#[must_use]
pub fn session_info(session: &Session, view: &View, rules: &RuleSet) -> Vec<u8> {
    let mut text = Vec::with_capacity(TYPICAL);
    write_session(&mut text, session, view, rules);
    text
}

/// Sessions as a JSON array.
#[must_use]
pub fn session_list<'a>(
    sessions: impl Iterator<Item = (&'a Session, &'a View)>,
    rules: &RuleSet,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(TYPICAL);
    text.push(b'[');
    for (at, (session, view)) in sessions.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        write_session(&mut text, session, view, rules);
    }
    text.push(b']');
    text
}

/// There are times only once there is something to tell: of a session that is requested, neither.
/// The credential of a sink is a secret of the application, and is not shown again.
fn write_session(text: &mut Vec<u8>, session: &Session, view: &View, rules: &RuleSet) {
    let asked = &*session.asked;
    let mut members = Members::open(text);
    members.text("sessionId", session.id.write(&mut SessionId::room()));
    write_device(&mut members, &asked.device, asked.named_by, rules);
    write_server(members.name("applicationServer"), &asked.server, rules);
    members.value_if_any("devicePorts", asked.device_ports.as_ref().map(PortsOut::from));
    members.value_if_any("applicationServerPorts", asked.server_ports.as_ref().map(PortsOut::from));
    members.text("qosProfile", asked.profile.as_str());
    members.text_if_any("sink", asked.sink.as_ref().map(|sink| &**sink.url.expose()));
    members.value("duration", view.duration.as_secs());
    members.text_if_any("startedAt", view.started_at.map(iso).as_deref());
    members.text_if_any("expiresAt", view.expires_at.map(iso).as_deref());
    members.text("qosStatus", status_name(view.status));
    members.text_if_any("statusInfo", view.reason.map(reason_name));
    members.close();
}
