//! The events of a changed status: CloudEvents 1.0, structured.

use greenwave_core::{Event, RuleSetId, SessionId, Subject};

use super::base_path;
use crate::members::Members;
use crate::status::{iso, reason_name, status_name};

/// The content type of an event's body.
pub const EVENT_CONTENT_TYPE: &str = "application/cloudevents+json";

/// What an event is called.
pub(crate) fn event_type(subject: Subject) -> &'static str {
    match subject {
        Subject::Session => "org.camaraproject.quality-on-demand.v1.qos-status-changed",
        Subject::Assignment => "org.camaraproject.qos-provisioning.v0.status-changed",
    }
}

/// An event as JSON. Its source is where the session, or assignment, can be read.
#[must_use]
pub fn event(event: &Event) -> Vec<u8> {
    let mut room = SessionId::room();
    let id = event.id.session.write(&mut room);
    let subject = event.rules.subject();
    let collection = match subject {
        Subject::Session => "sessions",
        Subject::Assignment => "qos-assignments",
    };
    let mut text = Vec::with_capacity(512);
    let mut members = Members::open(&mut text);
    members.text("id", &event.id.to_string());
    members.text("source", &format!("{}/{collection}/{id}", base_path(event.rules)));
    members.text("specversion", "1.0");
    members.text("type", event_type(subject));
    members.text("datacontenttype", "application/json");
    members.text("time", &iso(event.at));
    write_data(members.name("data"), event, id);
    members.close();
    text
}

fn write_data(text: &mut Vec<u8>, event: &Event, id: &str) {
    let status = status_name(event.status);
    let mut data = Members::open(text);
    match event.rules.subject() {
        Subject::Session => {
            data.text("sessionId", id);
            data.text("qosStatus", status);
        }
        Subject::Assignment => {
            data.text("assignmentId", id);
            data.text("status", status);
            // The schema of r3.2 requires it beside `status`, which it means.
            if event.rules == RuleSetId::ProvisioningR32 {
                data.text("qosStatus", status);
            }
        }
    }
    data.text_if_any("statusInfo", event.reason.map(reason_name));
    data.close();
}
