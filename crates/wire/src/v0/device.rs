//! The schema `Device`, in and out.

use greenwave_core::device::{
    DeviceIpv4Addr, DeviceIpv6Addr, Imsi, NetworkAccessIdentifier, PhoneNumber,
};
use greenwave_core::{Device, Pii};
use serde::Deserialize;

use super::rules;
use crate::ErrorInfo;
use crate::json::{Object, WholeNumber};
use crate::members::Members;

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

/// Writes a device with what the request said of it, and nothing else.
pub(crate) fn write_device(text: &mut Vec<u8>, device: &Device) {
    let nai = device.network_access_identifier().map(NetworkAccessIdentifier::text);
    let mut members = Members::open(text);
    members.text_if_any("networkAccessIdentifier", nai);
    members.text_if_any("phoneNumber", device.phone_number().map(PhoneNumber::text));
    if let Some(address) = device.ipv4_address() {
        write_ipv4(members.name("ipv4Address"), address);
    }
    members.text_if_any("ipv6Address", device.ipv6_address().map(DeviceIpv6Addr::text));
    members.value_if_any("imsi", device.imsi().map(|imsi| *imsi.0.expose()));
    members.close();
}

pub(crate) fn write_ipv4(text: &mut Vec<u8>, address: &DeviceIpv4Addr) {
    let mut ipv4 = Members::open(text);
    ipv4.value("publicAddress", address.public_address());
    ipv4.value_if_any("privateAddress", address.private_address());
    ipv4.value_if_any("publicPort", address.public_port());
    ipv4.close();
}
