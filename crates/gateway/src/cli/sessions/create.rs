//! `greenwave sessions create`

use std::net::IpAddr;

use clap::Args;
use serde_json::{Map, Value, json};

use super::device;
use crate::cli::{duration, ports};

/// Ask for better quality for one flow of a device
#[derive(Debug, Args)]
pub(super) struct Create {
    /// The device: a name (local@domain), a phone number, an IPv6 address, or an IPv4 address with
    /// its port (203.0.113.7:5060) or its private address (203.0.113.7/10.0.0.4)
    #[arg(long, value_parser = device::parse)]
    device: Value,
    /// The application server: an IPv4 or IPv6 address or network
    #[arg(long, value_name = "ADDRESS", value_parser = server)]
    server: Value,
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
        let mut body = json!({
            "device": self.device,
            "applicationServer": self.server,
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

fn server(text: &str) -> Result<Value, String> {
    let address = text.split('/').next().unwrap_or_default();
    match address.parse() {
        Ok(IpAddr::V4(_)) => Ok(json!({"ipv4Address": text})),
        Ok(IpAddr::V6(_)) => Ok(json!({"ipv6Address": text})),
        Err(_) => Err("an address or network is needed, such as 203.0.113.5 or 203.0.113.0/24; \
                       the network knows no names"
            .to_owned()),
    }
}
