//! The schema `Device`, in and out.

use greenwave_core::device::{
    DeviceIpv4Addr, DeviceIpv6Addr, Imsi, NetworkAccessIdentifier, PhoneNumber,
};
use greenwave_core::{Device, Pii};
use serde::{Deserialize, Serialize};

use super::rules;
use crate::ErrorInfo;
use crate::json::{Object, WholeNumber};

/// A device as a request has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceIn {
    phone_number: Option<String>,
    network_access_identifier: Option<String>,
    ipv4_address: Option<Object<Ipv4In>>,
    ipv6_address: Option<String>,
    /// Some clients add it. It identifies nothing, so it may be anything.
    imsi: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ipv4In {
    public_address: Option<String>,
    private_address: Option<String>,
    public_port: Option<WholeNumber>,
}

impl DeviceIn {
    /// The device, if it is one. `field` is where it stands in the request.
    pub(super) fn read(self, field: &str) -> Result<Device, ErrorInfo> {
        let name = |name: &str| format!("{field}.{name}");
        let phone = match self.phone_number {
            Some(text) => Some(read_phone(&name("phoneNumber"), &text)?),
            None => None,
        };
        let nai = match self.network_access_identifier {
            Some(text) => Some(read_nai(&name("networkAccessIdentifier"), &text)?),
            None => None,
        };
        let ipv4 = match self.ipv4_address {
            Some(Object(ipv4)) => ipv4.read(&name("ipv4Address"))?,
            None => None,
        };
        let ipv6 = match self.ipv6_address {
            Some(text) => Some(
                DeviceIpv6Addr::parse(&text)
                    .map_err(|wrong| ErrorInfo::invalid_argument(&name("ipv6Address"), wrong))?,
            ),
            None => None,
        };
        let imsi = self.imsi.and_then(|imsi| imsi.as_u64()).map(|imsi| Imsi(Pii::new(imsi)));
        Device::new(nai, phone, ipv4, ipv6)
            .map(|device| device.with_imsi(imsi))
            .map_err(|wrong| ErrorInfo::invalid_argument(field, wrong))
    }
}

pub(super) fn read_phone(field: &str, text: &str) -> Result<PhoneNumber, ErrorInfo> {
    PhoneNumber::parse(text, rules().phone_number)
        .map_err(|wrong| ErrorInfo::invalid_argument(field, wrong))
}

pub(super) fn read_nai(field: &str, text: &str) -> Result<NetworkAccessIdentifier, ErrorInfo> {
    NetworkAccessIdentifier::parse(text).map_err(|wrong| ErrorInfo::invalid_argument(field, wrong))
}

impl Ipv4In {
    /// `{}` is what early clients send when there is no address.
    fn read(self, field: &str) -> Result<Option<DeviceIpv4Addr>, ErrorInfo> {
        if self.public_address.is_none()
            && self.private_address.is_none()
            && self.public_port.is_none()
        {
            return Ok(None);
        }
        let address = |name: &str, text: Option<String>| {
            let parse = |text: String| DeviceIpv4Addr::parse_address(&text);
            text.map(parse)
                .transpose()
                .map_err(|wrong| ErrorInfo::invalid_argument(&format!("{field}.{name}"), wrong))
        };
        let public = address("publicAddress", self.public_address)?;
        let private = address("privateAddress", self.private_address)?;
        let port =
            match self.public_port {
                Some(WholeNumber(port)) => Some(rules().port(port).map_err(|wrong| {
                    ErrorInfo::out_of_range(&format!("{field}.publicPort"), wrong)
                })?),
                None => None,
            };
        DeviceIpv4Addr::new(public, private, port)
            .map(Some)
            .map_err(|wrong| ErrorInfo::invalid_argument(field, wrong))
    }
}

/// A device as it was sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    network_access_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4_address: Option<Ipv4Out>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imsi: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ipv4Out {
    public_address: std::net::Ipv4Addr,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_address: Option<std::net::Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_port: Option<u16>,
}

impl<'a> From<&'a Device> for DeviceOut<'a> {
    fn from(device: &'a Device) -> Self {
        Self {
            network_access_identifier: device
                .network_access_identifier()
                .map(NetworkAccessIdentifier::text),
            phone_number: device.phone_number().map(PhoneNumber::text),
            ipv4_address: device.ipv4_address().map(|address| Ipv4Out {
                public_address: address.public_address(),
                private_address: address.private_address(),
                public_port: address.public_port(),
            }),
            ipv6_address: device.ipv6_address().map(DeviceIpv6Addr::text),
            imsi: device.imsi().map(|imsi| *imsi.0.expose()),
        }
    }
}
