//! How a device is named, and shown.

use greenwave_core::RuleSetId;
use greenwave_core::rules::PhoneNumberRule;
use utoipa::openapi::{ObjectBuilder, Ref};

use super::keyword::{Members, Optional, Required, any_of_sets, formatted, object, text, whole};
use super::{Named, Schemas};

const IDENTIFIERS: [&str; 4] =
    ["phoneNumber", "networkAccessIdentifier", "ipv4Address", "ipv6Address"];

impl Schemas {
    pub(super) fn of_devices(&self) -> Named {
        vec![
            self.named("Device", self.device()),
            self.named("DeviceResponse", self.device_response()),
            self.named("DeviceIpv4Addr", self.asked(self.ipv4(self.rules.lowest_port))),
            self.named("DeviceIpv4AddrResponse", self.ipv4(0)),
        ]
    }

    fn device(&self) -> ObjectBuilder {
        let device = self.members_of_device(self.rules.phone_number, self.at("DeviceIpv4Addr"));
        self.asked(
            device.description(Some("A device, by one identifier or several of the same device.")),
        )
    }

    /// Nokia's clients are shown all that they have sent, the others what says which device it is.
    fn device_response(&self) -> ObjectBuilder {
        // What was made by another version of the API is shown as it was asked for there.
        let of_all = PhoneNumberRule::PlusOptional;
        let device = self.members_of_device(of_all, self.at("DeviceIpv4AddrResponse"));
        if self.is_v0() {
            let says =
                "The device, as the request named it; empty if an access token has named it.";
            return device.extensions(None).description(Some(says));
        }
        if self.is_nokias() {
            return device.description(Some("The device, as the request named it."));
        }
        let device = device.max_properties(Some(1));
        device.description(Some(
            "The device, by the one identifier of the request that says which one it is. It is \
             absent if an access token has named the device.",
        ))
    }

    fn members_of_device(&self, rule: PhoneNumberRule, ipv4: Ref) -> ObjectBuilder {
        let ipv6 = "Any address of the device's /64, without a mask.";
        let device = object("")
            .member("phoneNumber", Optional, phone_number(rule))
            .member("networkAccessIdentifier", Optional, network_access_identifier())
            .member("ipv4Address", Optional, ipv4)
            .member("ipv6Address", Optional, formatted(ipv6, "ipv6"));
        let device = match self.is_nokias() {
            true => device.member("imsi", Optional, whole("Comes back as it was.", 0, None)),
            false => device,
        };
        let sets: Vec<&[&str]> = IDENTIFIERS.iter().map(std::slice::from_ref).collect();
        device.extensions(Some(any_of_sets(&sets)))
    }

    fn ipv4(&self, lowest_port: u16) -> ObjectBuilder {
        let (public, private) = ("publicAddress", "privateAddress");
        let address = |text| formatted(text, "ipv4");
        let seen = "What the internet sees: one address of many devices.";
        let own = "What the network has given the device; without NAT, the public address.";
        let port = "What the internet sees of this device alone.";
        object("An IPv4 address with what tells the devices behind it apart.")
            .member(public, Required, address(seen))
            .member(private, Optional, address(own))
            .member("publicPort", Optional, whole(port, lowest_port.into(), Some(65_535)))
            .extensions(Some(any_of_sets(&[&[private], &["publicPort"]])))
    }

    pub(super) fn is_nokias(&self) -> bool {
        matches!(self.rules.id, RuleSetId::NokiaV0 | RuleSetId::NokiaV1)
    }
}

pub(super) fn phone_number(rule: PhoneNumberRule) -> ObjectBuilder {
    match rule {
        PhoneNumberRule::PlusOptional => text("A phone number, with or without a leading plus.")
            .pattern(Some(r"^\+?[0-9]{5,15}$")),
        PhoneNumberRule::E164 => text("A phone number as in E.164, with its plus.")
            .pattern(Some(r"^\+[1-9][0-9]{4,14}$")),
    }
}

pub(super) fn network_access_identifier() -> ObjectBuilder {
    let name =
        "A name of the device in its network, such as device@testcsp.net: at most 253 bytes.";
    text(name).max_length(Some(253)).pattern(Some(format!("^{NO_SPACE}+@{NO_SPACE}+$")))
}

/// Neither `@` nor space nor a control character. `\s` is not the same to every engine.
const NO_SPACE: &str =
    concat!(r"[^@\x00-\x20\x7f-\xa0", r"\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]");
