//! What a request asked for, as the JSON text of one column. It is the ledger's own form, which
//! people can read, and no API's.

use std::net::Ipv4Addr;

use greenwave_core::device::{
    DeviceIpv4Addr, DeviceIpv6Addr, Imsi, NetworkAccessIdentifier, PhoneNumber,
};
use greenwave_core::rules::PhoneNumberRule;
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationServer, Asked, Device, NamedBy, Pii, PortRange, PortsSpec, ProfileName, Sink,
};
use serde::{Deserialize, Serialize};

use crate::LedgerError;

/// The column's content. Profile and sink have columns of their own.
#[derive(Serialize, Deserialize)]
pub(in crate::sqlite) struct AskedJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    nai: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<Ipv4Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imsi: Option<u64>,
    /// Whether the token said which device it is, and not the request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_token: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    server4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server6: Option<String>,
    /// Single addresses. Without any server it is everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    servers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_ports: Option<PortsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_ports: Option<PortsJson>,
}

#[derive(Serialize, Deserialize)]
struct Ipv4Json {
    public: Ipv4Addr,
    #[serde(skip_serializing_if = "Option::is_none")]
    private: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

#[derive(Serialize, Deserialize)]
struct PortsJson {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<(u16, u16)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ports: Vec<u16>,
}

/// The text of the column.
pub(in crate::sqlite) fn to_json(asked: &Asked) -> Result<String, LedgerError> {
    let device = &asked.device;
    let json = AskedJson {
        nai: device.network_access_identifier().map(|nai| nai.text().to_owned()),
        phone: device.phone_number().map(|phone| phone.text().to_owned()),
        ipv4: device.ipv4_address().map(|address| Ipv4Json {
            public: address.public_address(),
            private: address.private_address(),
            port: address.public_port(),
        }),
        ipv6: device.ipv6_address().map(|address| address.text().to_owned()),
        imsi: device.imsi().map(|imsi| *imsi.0.expose()),
        by_token: asked.named_by == NamedBy::Token,
        server4: asked.server.ipv4_address().map(|address| address.text().to_owned()),
        server6: asked.server.ipv6_address().map(|address| address.text().to_owned()),
        servers: asked.server.addresses().iter().map(|address| address.text().to_owned()).collect(),
        device_ports: asked.device_ports.as_ref().map(ports_to_json),
        server_ports: asked.server_ports.as_ref().map(ports_to_json),
    };
    serde_json::to_string(&json).map_err(|_| CORRUPT)
}

/// Reads the text of the column.
pub(in crate::sqlite) fn from_json(text: &str) -> Result<AskedJson, LedgerError> {
    serde_json::from_str(text).map_err(|_| CORRUPT)
}

const CORRUPT: LedgerError = LedgerError::Corrupt { what: "request" };

impl AskedJson {
    /// The request, together with what has columns of its own. It was valid when it was kept.
    pub(in crate::sqlite) fn into_asked(
        self,
        profile: &str,
        sink: Option<Sink>,
    ) -> Result<Asked, LedgerError> {
        self.restore(profile, sink).ok_or(CORRUPT)
    }

    fn restore(self, profile: &str, sink: Option<Sink>) -> Option<Asked> {
        let nai = restore(self.nai, |text| NetworkAccessIdentifier::parse(text).ok())?;
        // Every rule set's phone numbers are accepted by the widest rule.
        let widest = PhoneNumberRule::PlusOptional;
        let phone = restore(self.phone, |text| PhoneNumber::parse(text, widest).ok())?;
        let ipv4 = match self.ipv4 {
            Some(ipv4) => {
                Some(DeviceIpv4Addr::new(Some(ipv4.public), ipv4.private, ipv4.port).ok()?)
            }
            None => None,
        };
        let ipv6 = restore(self.ipv6, |text| DeviceIpv6Addr::parse(text).ok())?;
        let device = Device::new(nai, phone, ipv4, ipv6).ok()?;
        let server4 = restore(self.server4, |text| ServerAddress::parse_v4(text).ok())?;
        let server6 = restore(self.server6, |text| ServerAddress::parse_v6(text).ok())?;
        let server = match (&server4, &server6, &*self.servers) {
            (None, None, []) => ApplicationServer::everything(),
            (None, None, servers) => {
                let parse = |text: &String| ServerAddress::parse(text).ok();
                let servers = servers.iter().map(parse).collect::<Option<_>>()?;
                ApplicationServer::at_any_of(servers).ok()?
            }
            _ => ApplicationServer::new(server4, server6).ok()?,
        };
        Some(Asked {
            device: device.with_imsi(self.imsi.map(|imsi| Imsi(Pii::new(imsi)))),
            named_by: if self.by_token { NamedBy::Token } else { NamedBy::Request },
            server,
            device_ports: restore(self.device_ports, ports_from_json)?,
            server_ports: restore(self.server_ports, ports_from_json)?,
            profile: ProfileName::parse(profile).ok()?,
            sink,
        })
    }
}

/// `None` if there is something that cannot be read.
fn restore<S: std::borrow::Borrow<B>, B: ?Sized, T>(
    kept: Option<S>,
    parse: impl FnOnce(&B) -> Option<T>,
) -> Option<Option<T>> {
    match kept {
        Some(kept) => parse(kept.borrow()).map(Some),
        None => Some(None),
    }
}

fn ports_to_json(ports: &PortsSpec) -> PortsJson {
    PortsJson {
        ranges: ports.ranges().iter().map(|range| (range.from(), range.to())).collect(),
        ports: ports.ports().to_vec(),
    }
}

fn ports_from_json(json: &PortsJson) -> Option<PortsSpec> {
    let range = |&(from, to): &(u16, u16)| PortRange::new(from, to).ok();
    let ranges = json.ranges.iter().map(range).collect::<Option<_>>()?;
    PortsSpec::new(ranges, json.ports.clone()).ok()
}
