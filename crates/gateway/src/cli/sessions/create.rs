//! `greenwave sessions create`

use clap::Args;
use serde_json::{Map, Value, json};

use super::device_body;
use crate::cli::{duration, ports};

/// Ask for better quality for one flow of a device
#[derive(Debug, Args)]
pub(super) struct Create {
    /// The device: a name (local@domain) or a phone number
    #[arg(long)]
    device: String,
    /// The application server: an IPv4 or IPv6 address or network
    #[arg(long, value_name = "ADDRESS")]
    server: String,
    /// The QoS profile
    #[arg(long, default_value = "QOS_L")]
    profile: String,
    /// How long: 90s, 5m, 2h. Without it, a day
    #[arg(long, value_name = "TIME", value_parser = duration::parse_seconds)]
    duration: Option<u64>,
    /// The device's ports: 80,443,5000-5010. Without them, all
    #[arg(long, value_name = "PORTS", value_parser = ports::parse)]
    device_ports: Option<Value>,
    /// The server's ports. Without them, all
    #[arg(long, value_name = "PORTS", value_parser = ports::parse)]
    server_ports: Option<Value>,
    /// Where events are to be sent
    #[arg(long, value_name = "URL")]
    notification_url: Option<String>,
    /// What is shown to the receiver of events, as a bearer token
    #[arg(long, value_name = "TOKEN", requires = "notification_url")]
    notification_auth_token: Option<String>,
}

impl Create {
    /// The body of the request.
    pub(super) fn body(&self) -> Value {
        let version = if self.server.contains(':') { "ipv6Address" } else { "ipv4Address" };
        let mut body = json!({
            "device": device_body(&self.device),
            "applicationServer": {version: self.server},
            "qosProfile": self.profile,
        });
        let mut set = |name: &str, value: Option<Value>| {
            if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
                body.insert(name.to_owned(), value);
            }
        };
        set("duration", self.duration.map(Value::from));
        set("devicePorts", self.device_ports.clone());
        set("applicationServerPorts", self.server_ports.clone());
        let webhook = self.notification_url.as_ref().map(|url| {
            let mut webhook = Map::new();
            webhook.insert("notificationUrl".to_owned(), json!(url));
            if let Some(token) = &self.notification_auth_token {
                webhook.insert("notificationAuthToken".to_owned(), json!(token));
            }
            Value::Object(webhook)
        });
        set("webhook", webhook);
        body
    }
}
