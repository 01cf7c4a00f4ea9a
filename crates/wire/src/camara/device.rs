//! The schemas `Device` and `DeviceResponse`.

use greenwave_core::device::{
    DeviceIpv4Addr, DeviceIpv6Addr, IdentifierKind, Imsi, NetworkAccessIdentifier, PhoneNumber,
};
use greenwave_core::rules::{DeviceShown, NullMembers};
use greenwave_core::{Device, NamedBy, Pii, RuleSet};

use super::fields::Fields;
use crate::ErrorInfo;
use crate::members::Members;

/// The device that a request is for, and what said so: the token that it came with, or else its
/// own member `device`, which must not be there as well.
pub(super) fn read_device(
    body: &mut Fields,
    of_token: Option<&Device>,
) -> Result<Result<(Device, NamedBy), ErrorInfo>, ErrorInfo> {
    let given = given_device(body)?;
    Ok(match (given, of_token) {
        (Some(_), Some(_)) => Err(ErrorInfo::unnecessary_identifier()),
        (None, Some(device)) => Ok((device.clone(), NamedBy::Token)),
        (Some(device), None) => Ok((device, NamedBy::Request)),
        (None, None) => Err(ErrorInfo::missing_identifier()),
    })
}

/// The member `device`, if it is there.
pub(super) fn given_device(body: &mut Fields) -> Result<Option<Device>, ErrorInfo> {
    body.object("device")?.map(read).transpose()
}

pub(super) fn read(mut device: Fields) -> Result<Device, ErrorInfo> {
    let rules = device.rules();
    let phone = match device.text("phoneNumber")? {
        Some(text) => Some(
            PhoneNumber::parse(&text, rules.phone_number)
                .map_err(|e| ErrorInfo::invalid_argument(&device.name("phoneNumber"), e))?,
        ),
        None => None,
    };
    const NAI: &str = "networkAccessIdentifier";
    let nai = match device.text(NAI)? {
        Some(text) => Some(
            NetworkAccessIdentifier::parse(&text)
                .map_err(|e| ErrorInfo::invalid_argument(&device.name(NAI), e))?,
        ),
        None => None,
    };
    let ipv4 = match device.object("ipv4Address")? {
        Some(ipv4) => read_ipv4(ipv4)?,
        None => None,
    };
    let ipv6 = match device.text("ipv6Address")? {
        Some(text) => Some(
            DeviceIpv6Addr::parse(&text)
                .map_err(|e| ErrorInfo::invalid_argument(&device.name("ipv6Address"), e))?,
        ),
        None => None,
    };
    let imsi = match rules.device_shown {
        DeviceShown::Whole => device.any("imsi").and_then(|imsi| imsi.as_u64()),
        DeviceShown::OneIdentifier => None,
    };
    let path = device.path().to_owned();
    device.done()?;
    Device::new(nai, phone, ipv4, ipv6)
        .map(|device| device.with_imsi(imsi.map(|imsi| Imsi(Pii::new(imsi)))))
        .map_err(|wrong| ErrorInfo::invalid_argument(&path, wrong))
}

fn read_ipv4(mut address: Fields) -> Result<Option<DeviceIpv4Addr>, ErrorInfo> {
    // What early clients send when there is no address.
    if address.is_empty() && address.rules().null_members == NullMembers::Absent {
        return Ok(None);
    }
    let public = read_address(&mut address, "publicAddress")?;
    let private = read_address(&mut address, "privateAddress")?;
    let port = match address.whole("publicPort")? {
        Some(port) => Some(
            address
                .rules()
                .port(port)
                .map_err(|e| ErrorInfo::out_of_range(&address.name("publicPort"), e))?,
        ),
        None => None,
    };
    let path = address.path().to_owned();
    address.done()?;
    DeviceIpv4Addr::new(public, private, port)
        .map(Some)
        .map_err(|wrong| ErrorInfo::invalid_argument(&path, wrong))
}

fn read_address(
    address: &mut Fields,
    member: &str,
) -> Result<Option<std::net::Ipv4Addr>, ErrorInfo> {
    let Some(text) = address.text(member)? else { return Ok(None) };
    DeviceIpv4Addr::parse_address(&text)
        .map(Some)
        .map_err(|wrong| ErrorInfo::invalid_argument(&address.name(member), wrong))
}

/// Writes the member `device` as a client of these rules is shown it: the one identifier that
/// counts, as it was sent; to Nokia's clients all that were. What a token has named is not shown.
pub(super) fn write_device(
    members: &mut Members<'_>,
    device: &Device,
    named_by: NamedBy,
    rules: &RuleSet,
) {
    if named_by == NamedBy::Token {
        return;
    }
    if rules.device_shown == DeviceShown::Whole {
        return crate::v0::write_device(members.name("device"), device);
    }
    let counts = |kind: &&IdentifierKind| device.kinds().any(|given| given == **kind);
    let Some(kind) = rules.deciding_identifiers.iter().find(counts) else { return };
    let mut shown = Members::open(members.name("device"));
    match kind {
        IdentifierKind::NetworkAccessIdentifier => {
            let nai = device.network_access_identifier().map(NetworkAccessIdentifier::text);
            shown.text_if_any("networkAccessIdentifier", nai);
        }
        IdentifierKind::PhoneNumber => {
            shown.text_if_any("phoneNumber", device.phone_number().map(PhoneNumber::text));
        }
        IdentifierKind::Ipv4Address => {
            if let Some(address) = device.ipv4_address() {
                crate::v0::write_ipv4(shown.name("ipv4Address"), address);
            }
        }
        IdentifierKind::Ipv6Address => {
            shown.text_if_any("ipv6Address", device.ipv6_address().map(DeviceIpv6Addr::text));
        }
    }
    shown.close();
}
