//! The directory of the sandbox: everybody's test devices, and no others.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use greenwave_core::device::{
    DeviceIpv4Addr, DeviceIpv6Addr, IdentifierKind, NetworkAccessIdentifier, PhoneNumber,
};
use greenwave_core::{Device, DeviceNames, IdentifierKey, RuleSet};
use greenwave_network::Answer;
use ipnet::IpNet;

use super::{Directory, DirectoryError, Found, Service, UnknownDevice};
use crate::secrets::Secrets;

const DOMAIN: &str = "testcsp.net";
const PHONE_PREFIXES: [&str; 3] = ["3670", "3672", "9999999"];
const KNOWN: &str = "the sandbox knows names at testcsp.net, phone numbers from +3670, +3672 and \
                     +9999999, and by address alone 233.252.0.0/24, the documentation networks \
                     192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 and 2001:db8::/32, and private \
                     IPv4 networks";
const NETWORKS: [&str; 9] = [
    "233.252.0.0/24",
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "2001:db8::/32",
];

/// Numbers of devices that show what becomes of the less fortunate. Behind 9999999 comes the status
/// that CAMARA's QoS Profiles answers with.
const NOT_OFFERED: &str = "9999999422";
const WITHOUT_PROFILES: &str = "9999999200";

/// The device of the tutorial. Its number and addresses mean it and nobody else.
const TUTORIAL_DEVICE: &str = "device@testcsp.net";
const TUTORIAL_PHONE: &str = "36721601234567";
const TUTORIAL_PUBLIC: Ipv4Addr = Ipv4Addr::new(233, 252, 0, 2);
const TUTORIAL_PRIVATE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 25);
const TUTORIAL_PORT: u16 = 80;
const TUTORIAL_PREFIX: [u8; 8] = [0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78];

/// Knows test devices by rule rather than by list, so that everybody has as many as they like.
pub struct SandboxDirectory {
    secrets: Arc<Secrets>,
    networks: Vec<IpNet>,
    tutorial: IdentifierKey,
}

impl SandboxDirectory {
    /// A directory whose keys are hashed with this installation's secret.
    #[must_use]
    pub fn new(secrets: Arc<Secrets>) -> Self {
        let networks = NETWORKS.iter().filter_map(|text| text.parse().ok()).collect();
        let tutorial = secrets.hash_identifier("nai", TUTORIAL_DEVICE.as_bytes());
        Self { secrets, networks, tutorial }
    }

    fn find(&self, device: &Device, rules: &RuleSet) -> Result<Found, DirectoryError> {
        let decides = |kind: &&IdentifierKind| device.kinds().any(|given| given == **kind);
        let decider =
            *rules.deciding_identifiers.iter().find(decides).ok_or(DirectoryError::Unsupported)?;
        let deciding = self.keys(device, decider);
        // What belongs to the tutorial's device belongs to nobody else, whatever it comes with.
        let others = device
            .kinds()
            .filter(|&kind| rules.learns_names && kind != decider)
            .flat_map(|kind| self.keys(device, kind))
            .filter(|&key| key != self.tutorial)
            .collect();
        let known = if self.knows(device, decider) {
            Ok(())
        } else {
            Err(UnknownDevice { field: field(decider), known: KNOWN })
        };
        let service = service(device, decider);
        Ok(Found { names: DeviceNames { deciding, others }, known, service })
    }

    fn keys(&self, device: &Device, kind: IdentifierKind) -> Vec<IdentifierKey> {
        match kind {
            IdentifierKind::NetworkAccessIdentifier => {
                device.network_access_identifier().map(|nai| self.nai(nai)).into_iter().collect()
            }
            IdentifierKind::PhoneNumber => {
                device.phone_number().map(|phone| self.phone(phone)).into_iter().collect()
            }
            IdentifierKind::Ipv4Address => {
                device.ipv4_address().map(|address| self.ipv4(address)).unwrap_or_default()
            }
            IdentifierKind::Ipv6Address => {
                device.ipv6_address().map(|address| self.ipv6(address)).into_iter().collect()
            }
        }
    }

    fn nai(&self, nai: &NetworkAccessIdentifier) -> IdentifierKey {
        // The case of a realm means nothing.
        let (local, domain) = nai.text().split_at(nai.local().len());
        if !domain.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
            return self.secrets.hash_identifier("nai", nai.text().as_bytes());
        }
        let canonical = format!("{local}{}", domain.to_lowercase());
        self.secrets.hash_identifier("nai", canonical.as_bytes())
    }

    fn phone(&self, phone: &PhoneNumber) -> IdentifierKey {
        match phone.digits() {
            TUTORIAL_PHONE => self.tutorial,
            digits => self.secrets.hash_identifier("phone", digits.as_bytes()),
        }
    }

    /// A public address with a private one and with a port are two ways to name one device.
    fn ipv4(&self, address: &DeviceIpv4Addr) -> Vec<IdentifierKey> {
        let public = address.public_address();
        let by_private = address.private_address().map(|private| match (public, private) {
            (TUTORIAL_PUBLIC, TUTORIAL_PRIVATE) => self.tutorial,
            _ => self.secrets.hash_identifier("ipv4", format!("{public}/{private}").as_bytes()),
        });
        let by_port = address.public_port().map(|port| match (public, port) {
            (TUTORIAL_PUBLIC, TUTORIAL_PORT) => self.tutorial,
            _ => self.secrets.hash_identifier("ipv4", format!("{public}:{port}").as_bytes()),
        });
        let keys: Vec<_> = by_private.into_iter().chain(by_port).collect();
        if keys.contains(&self.tutorial) { vec![self.tutorial] } else { keys }
    }

    fn ipv6(&self, address: &DeviceIpv6Addr) -> IdentifierKey {
        match address.prefix64() {
            TUTORIAL_PREFIX => self.tutorial,
            prefix => self.secrets.hash_identifier("ipv6", &prefix),
        }
    }

    fn knows(&self, device: &Device, kind: IdentifierKind) -> bool {
        match kind {
            IdentifierKind::NetworkAccessIdentifier => {
                device.network_access_identifier().is_some_and(|nai| nai.domain() == DOMAIN)
            }
            IdentifierKind::PhoneNumber => device.phone_number().is_some_and(|phone| {
                PHONE_PREFIXES.iter().any(|prefix| phone.digits().starts_with(prefix))
            }),
            IdentifierKind::Ipv4Address => {
                device.ipv4_address().is_some_and(|given| self.is_ours(given.public_address()))
            }
            IdentifierKind::Ipv6Address => {
                device.ipv6_address().is_some_and(|given| self.is_ours(given.address()))
            }
        }
    }

    fn is_ours(&self, address: impl Into<IpAddr>) -> bool {
        let address = address.into();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

fn service(device: &Device, decider: IdentifierKind) -> Service {
    let phone = device.phone_number().filter(|_| decider == IdentifierKind::PhoneNumber);
    match phone.map(PhoneNumber::digits) {
        Some(digits) if digits.starts_with(NOT_OFFERED) => Service::NotOffered,
        Some(digits) if digits.starts_with(WITHOUT_PROFILES) => Service::WithoutProfiles,
        _ => Service::Offered,
    }
}

fn field(kind: IdentifierKind) -> &'static str {
    match kind {
        IdentifierKind::NetworkAccessIdentifier => "device.networkAccessIdentifier",
        IdentifierKind::PhoneNumber => "device.phoneNumber",
        IdentifierKind::Ipv4Address => "device.ipv4Address",
        IdentifierKind::Ipv6Address => "device.ipv6Address",
    }
}

impl Directory for SandboxDirectory {
    fn look_up<'a>(
        &'a self,
        device: &'a Device,
        rules: &'static RuleSet,
    ) -> Answer<'a, Result<Found, DirectoryError>> {
        Box::pin(std::future::ready(self.find(device, rules)))
    }
}

#[cfg(test)]
mod tests {
    use greenwave_core::RuleSetId;
    use greenwave_core::rules::PhoneNumberRule;

    use super::*;
    use crate::entropy::SystemEntropy;

    struct Fixture(
        SandboxDirectory,
        #[expect(dead_code, reason = "kept until the end")] tempfile::TempDir,
    );

    impl Fixture {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let secrets = Secrets::open(directory.path(), &SystemEntropy::default()).unwrap();
            Self(SandboxDirectory::new(Arc::new(secrets)), directory)
        }

        fn find(&self, device: &Device) -> Found {
            self.0.find(device, RuleSetId::NokiaV0.rules()).unwrap()
        }

        fn knows(&self, device: &Device) -> bool {
            self.find(device).known.is_ok()
        }
    }

    fn device(nai: &str, phone: &str, v4: &str, v6: &str) -> Device {
        let some = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        let leak = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let phone = some(leak(phone))
            .map(|text| PhoneNumber::parse(text, PhoneNumberRule::PlusOptional).unwrap());
        let v4 = some(leak(v4)).map(|text| {
            let (public, rest) = text.split_at(text.find(['/', ':']).unwrap());
            let public = Some(public.parse().unwrap());
            match rest.strip_prefix('/') {
                Some(private) => DeviceIpv4Addr::new(public, Some(private.parse().unwrap()), None),
                None => DeviceIpv4Addr::new(public, None, Some(rest[1..].parse().unwrap())),
            }
            .unwrap()
        });
        Device::new(
            some(leak(nai)).map(|text| NetworkAccessIdentifier::parse(text).unwrap()),
            phone,
            v4,
            some(leak(v6)).map(|text| DeviceIpv6Addr::parse(text).unwrap()),
        )
        .unwrap()
    }

    #[test]
    fn what_the_sandbox_knows() {
        let f = Fixture::new();
        for known in [
            device("any-one@testcsp.net", "", "", ""),
            device("any-one@TestCSP.net", "", "", ""),
            device("", "36701234567", "", ""),
            device("", "+36721234567", "", ""),
            device("", "+99999990400", "", ""),
            device("", "", "233.252.0.7/192.0.2.25", ""),
            device("", "", "10.1.2.3:5060", ""),
            device("", "", "100.64.0.1/100.64.0.1", ""),
            device("", "", "", "2001:db8:1::1"),
            // The first decides, and what comes with it may be anything.
            device("any-one@testcsp.net", "+15551234567", "8.8.8.8:80", "2a00::1"),
        ] {
            assert!(f.knows(&known), "{:?}", f.find(&known).known);
        }
        for (unknown, field) in [
            (device("any-one@example.com", "", "", ""), "device.networkAccessIdentifier"),
            (device("x@example.com", "+3670123456", "", ""), "device.networkAccessIdentifier"),
            (device("", "+15551234567", "", ""), "device.phoneNumber"),
            (device("", "", "8.8.8.8:80", ""), "device.ipv4Address"),
            (device("", "", "8.8.8.8/10.0.0.1", ""), "device.ipv4Address"),
            (device("", "", "", "2a00::1"), "device.ipv6Address"),
        ] {
            assert_eq!(f.find(&unknown).known.unwrap_err().field, field);
        }
    }

    #[test]
    fn some_numbers_are_known_and_have_no_part_in_it() {
        let f = Fixture::new();
        for (given, service) in [
            (device("", "+99999994220", "", ""), Service::NotOffered),
            (device("", "9999999422123", "10.1.2.3:5060", ""), Service::NotOffered),
            (device("", "+99999992000", "", ""), Service::WithoutProfiles),
            (device("", "+99999991000", "", ""), Service::Offered),
            (device("", "+99999990422", "", ""), Service::Offered),
            (device("any-one@testcsp.net", "+99999994220", "", ""), Service::Offered),
        ] {
            assert!(f.knows(&given));
            assert_eq!(f.find(&given).service, service, "{given:?}");
        }
    }

    #[test]
    fn the_tutorials_device_is_one_by_whatever_name() {
        let f = Fixture::new();
        let name = f.find(&device("device@testcsp.net", "", "", "")).names.deciding;
        for other in [
            device("", "+36721601234567", "", ""),
            device("", "36721601234567", "", ""),
            device("", "", "233.252.0.2/192.0.2.25", ""),
            device("", "", "233.252.0.2:80", ""),
            device("", "", "", "2001:db8:1234:5678:9abc:def0:fedc:ba98"),
        ] {
            assert_eq!(f.find(&other).names.deciding, name);
        }
    }

    #[test]
    fn nobody_takes_the_tutorials_identifiers() {
        let f = Fixture::new();
        let other = device("other@testcsp.net", "+36721601234567", "233.252.0.2:80", "2001:db8::1");
        let names = f.find(&other).names;
        let halfway = DeviceIpv4Addr::new(
            Some(TUTORIAL_PUBLIC),
            Some("10.0.0.1".parse().unwrap()),
            Some(TUTORIAL_PORT),
        );
        let halfway = Device::new(None, None, Some(halfway.unwrap()), None).unwrap();
        assert_eq!(f.find(&halfway).names.deciding, [f.0.tutorial]);
        assert_ne!(
            names.deciding,
            f.find(&device("device@testcsp.net", "", "", "")).names.deciding
        );
        assert_eq!(names.others, f.find(&device("", "", "", "2001:db8::1")).names.deciding);
    }

    #[test]
    fn an_address_with_port_and_private_address_is_named_by_both() {
        let f = Fixture::new();
        let address = DeviceIpv4Addr::new(
            Some("203.0.113.1".parse().unwrap()),
            Some("10.0.0.1".parse().unwrap()),
            Some(5060),
        );
        let both = Device::new(None, None, Some(address.unwrap()), None).unwrap();
        let names = f.find(&both).names;
        let private = f.find(&device("", "", "203.0.113.1/10.0.0.1", "")).names.deciding;
        let port = f.find(&device("", "", "203.0.113.1:5060", "")).names.deciding;
        assert_eq!(names.deciding, [private, port].concat());
    }
}
