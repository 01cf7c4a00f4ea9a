//! The schema `SessionInfo`, in.

use jiff::Timestamp;
use serde::Deserialize;

use super::form::{DeviceForm, PortsForm, ServerForm};
use super::time::AnyTime;

/// A session as an answer tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionForm {
    /// Its id.
    pub session_id: String,
    /// The name of its profile.
    pub qos_profile: String,
    /// `REQUESTED`, `AVAILABLE`, `UNAVAILABLE`, or what may come to be.
    pub qos_status: String,
    /// Why it is unavailable.
    pub status_info: Option<String>,
    /// For how many seconds it is.
    pub duration: Option<u64>,
    /// When it began, or was asked for.
    pub started_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Its device, named as in the request.
    pub device: Option<DeviceForm>,
    /// The application server.
    pub application_server: ServerForm,
    /// The device's ports; all if there are none.
    pub device_ports: Option<PortsForm>,
    /// The server's ports; all if there are none.
    pub application_server_ports: Option<PortsForm>,
    /// Where events go.
    pub notification_url: Option<String>,
}

/// Reads the answer to a create, a get or an extension. The error says what is wrong, for people.
pub fn read_session(body: &[u8]) -> Result<SessionForm, String> {
    serde_json::from_slice(body).map(SessionIn::into_form).map_err(|error| error.to_string())
}

/// Reads a list of sessions.
pub fn read_sessions(body: &[u8]) -> Result<Vec<SessionForm>, String> {
    let list: Vec<SessionIn> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    Ok(list.into_iter().map(SessionIn::into_form).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionIn {
    session_id: String,
    qos_profile: String,
    qos_status: String,
    status_info: Option<String>,
    duration: Option<u64>,
    started_at: Option<AnyTime>,
    expires_at: Option<AnyTime>,
    device: Option<DeviceForm>,
    application_server: Option<ServerForm>,
    device_ports: Option<PortsForm>,
    application_server_ports: Option<PortsForm>,
    webhook: Option<WebhookIn>,
    notification_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebhookIn {
    notification_url: Option<String>,
}

impl SessionIn {
    fn into_form(self) -> SessionForm {
        let url = self.webhook.and_then(|webhook| webhook.notification_url);
        SessionForm {
            session_id: self.session_id,
            qos_profile: self.qos_profile,
            qos_status: self.qos_status,
            status_info: self.status_info,
            duration: self.duration,
            started_at: self.started_at.map(|AnyTime(at)| at),
            expires_at: self.expires_at.map(|AnyTime(at)| at),
            device: self.device,
            application_server: self.application_server.unwrap_or_default(),
            device_ports: self.device_ports,
            application_server_ports: self.application_server_ports,
            notification_url: url.or(self.notification_url),
        }
    }
}
