//! The event of a changed status.

use greenwave_core::Event;
use serde::Serialize;

use crate::status::{iso, reason_name, status_name};

/// The content type of an event's body.
pub const EVENT_CONTENT_TYPE: &str = "application/cloudevents+json";

/// What an event is called.
pub(crate) const EVENT_TYPE: &str = "org.camaraproject.qod.v0.qos-status-changed";

/// A CloudEvent 1.0 with `data`, and beside it the `event` member that receivers of earlier
/// versions read; there `statusInfo` is always present, because their models require it.
#[must_use]
pub fn event(event: &Event) -> Vec<u8> {
    let session_id = event.id.session.to_string();
    let qos_status = status_name(event.status);
    let reason = event.reason.map(reason_name);
    let time = iso(event.at);
    let body = EventOut {
        id: event.id.to_string(),
        source: format!("/qod/v0/sessions/{session_id}"),
        specversion: "1.0",
        r#type: EVENT_TYPE,
        datacontenttype: "application/json",
        time: &time,
        data: Data { session_id: &session_id, qos_status, status_info: reason },
        event: EarlierEvent {
            event_type: "QOS_STATUS_CHANGED",
            event_time: &time,
            event_detail: Data {
                session_id: &session_id,
                qos_status,
                status_info: Some(reason.unwrap_or("")),
            },
        },
    };
    // Strings can always be written.
    serde_json::to_vec(&body).unwrap_or_default()
}

#[derive(Serialize)]
struct EventOut<'a> {
    id: String,
    source: String,
    specversion: &'static str,
    r#type: &'static str,
    datacontenttype: &'static str,
    time: &'a str,
    data: Data<'a>,
    event: EarlierEvent<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EarlierEvent<'a> {
    event_type: &'static str,
    event_time: &'a str,
    event_detail: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    session_id: &'a str,
    qos_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_info: Option<&'static str>,
}
