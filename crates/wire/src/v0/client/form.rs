//! What a client says: the bodies of requests, and their parts, which come back in answers.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// A device, by the names that the client has for it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceForm {
    /// `name@domain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_access_identifier: Option<String>,
    /// With or without `+`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Its IPv4 address, as the internet sees it, with what tells it from its neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_address: Option<Ipv4Form>,
    /// Its IPv6 address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<String>,
    /// Some clients have it. It identifies nothing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imsi: Option<u64>,
}

/// An IPv4 address of a device.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ipv4Form {
    /// As the internet sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_address: Option<String>,
    /// Behind the network's address translation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_address: Option<String>,
    /// Which of those who share the public address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_port: Option<i64>,
}

/// The application server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerForm {
    /// An IPv4 address or network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_address: Option<String>,
    /// An IPv6 address or network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<String>,
}

/// Ports of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortsForm {
    /// Ranges, both ends included.
    #[serde(default, deserialize_with = "or_null", skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<RangeForm>,
    /// Single ports.
    #[serde(default, deserialize_with = "or_null", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<i64>,
}

/// The ports from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeForm {
    /// The lowest.
    pub from: i64,
    /// The highest.
    pub to: i64,
}

/// Where events go.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookForm {
    /// The receiver's URL.
    pub notification_url: String,
    /// What it wants to be shown. It never comes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_auth_token: Option<String>,
}

/// The body of `POST /sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateForm {
    /// For which device.
    pub device: DeviceForm,
    /// For its traffic with whom.
    pub application_server: ServerForm,
    /// From and to which ports of the device; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_ports: Option<PortsForm>,
    /// From and to which ports of the server; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_server_ports: Option<PortsForm>,
    /// The profile's name.
    pub qos_profile: String,
    /// For how many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<i64>,
    /// Where events go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookForm>,
}

/// The body of `POST /sessions/{id}/extend`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtendForm {
    /// By how many seconds.
    pub requested_additional_duration: i64,
}

/// The body of `POST /retrieve-sessions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RetrieveForm<'a> {
    /// Whose sessions.
    pub device: &'a DeviceForm,
}

/// An empty list may be told as null.
fn or_null<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

// None of these tells a name, an address or a secret to a log.

impl fmt::Debug for DeviceForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceForm(..)")
    }
}

impl fmt::Debug for Ipv4Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ipv4Form(..)")
    }
}

impl fmt::Debug for WebhookForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookForm(..)")
    }
}
