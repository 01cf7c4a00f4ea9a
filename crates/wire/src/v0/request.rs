//! The bodies of requests.

use std::time::Duration;

use greenwave_core::server::ServerAddress;
use greenwave_core::{ApplicationServer, Asked, CreateRequest, Device, NamedBy, ProfileName, Sink};
use secrecy::SecretString;
use serde::Deserialize;

use super::device::DeviceIn;
use super::ports::PortsIn;
use super::rules;
use crate::json::{self, Object, WholeNumber};
use crate::{ErrorInfo, SinkCredential, sink};

/// A request for a session, with the secret that must be sealed before it is kept.
#[derive(Debug)]
pub struct CreateSession {
    /// The request. Its sink has no credential yet.
    pub request: CreateRequest,
    /// What the sink's receiver wants to be shown.
    pub credential: Option<SinkCredential>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateIn {
    device: Option<Object<DeviceIn>>,
    application_server: Option<Object<ServerIn>>,
    device_ports: Option<Object<PortsIn>>,
    application_server_ports: Option<Object<PortsIn>>,
    qos_profile: Option<String>,
    duration: Option<WholeNumber>,
    webhook: Option<Object<WebhookIn>>,
    notification_url: Option<String>,
    notification_auth_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerIn {
    ipv4_address: Option<String>,
    ipv6_address: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebhookIn {
    notification_url: Option<String>,
    notification_auth_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExtendIn {
    requested_additional_duration: Option<WholeNumber>,
}

#[derive(Debug, Deserialize)]
struct RetrieveIn {
    device: Option<Object<DeviceIn>>,
}

/// Reads the body of `POST /sessions`.
pub fn read_create(body: &[u8]) -> Result<CreateSession, ErrorInfo> {
    let body: CreateIn = json::read(body)?;
    let ports = |field, ports: Option<Object<PortsIn>>| {
        ports.map(|Object(ports)| ports.read(field)).transpose()
    };
    let device = read_device(body.device)?;
    let server = read_server(body.application_server)?;
    let device_ports = ports("devicePorts", body.device_ports)?;
    let server_ports = ports("applicationServerPorts", body.application_server_ports)?;
    let profile = read_profile(body.qos_profile)?;
    let top_level = WebhookIn {
        notification_url: body.notification_url,
        notification_auth_token: body.notification_auth_token,
    };
    let (sink, token) = read_webhook(body.webhook, top_level)?;
    let named_by = NamedBy::Request;
    let asked = Asked { device, named_by, server, device_ports, server_ports, profile, sink };
    let duration_s = body.duration.map(|WholeNumber(seconds)| seconds);
    let credential = token.map(|token| SinkCredential { token, expires_at: None });
    Ok(CreateSession { request: CreateRequest { asked, duration_s }, credential })
}

/// Reads the body of `POST /sessions/{id}/extend`: by how much.
pub fn read_extend(body: &[u8]) -> Result<Duration, ErrorInfo> {
    const FIELD: &str = "requestedAdditionalDuration";
    let body: ExtendIn = json::read(body)?;
    let Some(WholeNumber(seconds)) = body.requested_additional_duration else {
        return Err(missing(FIELD, "the seconds by which to extend, 1 to 86399"));
    };
    rules().extension(seconds).map_err(|wrong| ErrorInfo::out_of_range(FIELD, wrong))
}

/// Reads the body of `POST /retrieve-sessions`: whose sessions.
pub fn read_retrieve(body: &[u8]) -> Result<Device, ErrorInfo> {
    let body: RetrieveIn = json::read(body)?;
    read_device(body.device)
}

fn read_device(device: Option<Object<DeviceIn>>) -> Result<Device, ErrorInfo> {
    let missing = || missing("device", "an object with an identifier of the device");
    let Object(device) = device.ok_or_else(missing)?;
    device.read("device")
}

fn read_server(server: Option<Object<ServerIn>>) -> Result<ApplicationServer, ErrorInfo> {
    let wanted = "an object with ipv4Address or ipv6Address";
    let Object(server) = server.ok_or_else(|| missing("applicationServer", wanted))?;
    let v4 = server.ipv4_address.map(|text| ServerAddress::parse_v4(&text)).transpose();
    let v4 = v4.map_err(|e| ErrorInfo::invalid_argument("applicationServer.ipv4Address", e))?;
    let v6 = server.ipv6_address.map(|text| ServerAddress::parse_v6(&text)).transpose();
    let v6 = v6.map_err(|e| ErrorInfo::invalid_argument("applicationServer.ipv6Address", e))?;
    ApplicationServer::new(v4, v6)
        .map_err(|wrong| ErrorInfo::invalid_argument("applicationServer", wrong))
}

fn read_profile(name: Option<String>) -> Result<ProfileName, ErrorInfo> {
    let name = name.ok_or_else(|| missing("qosProfile", "the name of a profile, such as QOS_L"))?;
    ProfileName::parse(&name).map_err(|wrong| ErrorInfo::invalid_argument("qosProfile", wrong))
}

/// A token without a URL has nobody to be shown to.
fn read_webhook(
    webhook: Option<Object<WebhookIn>>,
    top_level: WebhookIn,
) -> Result<(Option<Sink>, Option<SecretString>), ErrorInfo> {
    let (prefix, webhook) = match webhook {
        Some(Object(webhook)) if webhook.notification_url.is_some() => ("webhook.", webhook),
        _ => ("", top_level),
    };
    let Some(url) = webhook.notification_url else { return Ok((None, None)) };
    let sink = sink::read_url(&format!("{prefix}notificationUrl"), &url)?;
    let token = match webhook.notification_auth_token {
        Some(token) => sink::read_token(&format!("{prefix}notificationAuthToken"), &token)?,
        None => None,
    };
    Ok((Some(sink), token))
}

fn missing(field: &str, wanted: &str) -> ErrorInfo {
    ErrorInfo::invalid_argument(field, format!("Expected property is missing: give {wanted}"))
}
