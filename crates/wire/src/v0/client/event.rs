//! The event of a changed status, in.

use jiff::Timestamp;
use serde::Deserialize;

use super::time::AnyTime;

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventForm {
    /// The same at each try to deliver it. Gateways of old give none.
    pub id: Option<String>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// Of which session.
    pub session_id: String,
    /// The new status.
    pub qos_status: String,
    /// Why the session is unavailable.
    pub status_info: Option<String>,
}

/// Reads an event of either form: a CloudEvent with `data`, or the earlier `event.eventDetail`. The
/// error says what is wrong, for people.
pub fn read_event(body: &[u8]) -> Result<EventForm, String> {
    let event: EventIn = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let earlier = event.event;
    let earlier_time = earlier.as_ref().and_then(|earlier| earlier.event_time);
    let detail = event.data.or(earlier.and_then(|earlier| earlier.event_detail));
    let Some(detail) = detail else {
        return Err("it has neither data nor event.eventDetail".to_owned());
    };
    Ok(EventForm {
        id: event.id,
        time: event.time.or(earlier_time).map(|AnyTime(at)| at),
        session_id: detail.session_id,
        qos_status: detail.qos_status,
        status_info: detail.status_info.filter(|info| !info.is_empty()),
    })
}

#[derive(Deserialize)]
struct EventIn {
    id: Option<String>,
    time: Option<AnyTime>,
    data: Option<Detail>,
    event: Option<EarlierEvent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EarlierEvent {
    event_time: Option<AnyTime>,
    event_detail: Option<Detail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    session_id: String,
    qos_status: String,
    status_info: Option<String>,
}
