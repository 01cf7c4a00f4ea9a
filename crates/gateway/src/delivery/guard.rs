//! Which addresses events may be sent to.
//!
//! An application chooses the URL, and the gateway stands where the application cannot reach:
//! beside the core network and the machine's own services. So each address that is about to be
//! dialled is held against this list. To check the name beforehand would be worth nothing, because
//! a name can mean another address a moment later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Special-purpose networks of the IANA registries: none of them is anybody's public server.
const DENIED_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Global unicast, outside of which nothing is allowed.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What within global unicast is special: Teredo and other protocol assignments, documentation,
/// 6to4.
const DENIED_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// See the module.
#[derive(Clone, Debug)]
pub struct AddressGuard {
    allow_loopback: bool,
    own: Vec<SocketAddr>,
    denied: Vec<IpNet>,
    global_v6: Option<Ipv6Net>,
}

/// Events may not be sent to this address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("events may not be sent to this address: it is not a public one, or the gateway's own")]
pub struct Denied;

impl AddressGuard {
    /// A guard of a gateway that listens at `own`. With `allow_loopback`, which is for sandbox keys
    /// on a gateway that itself listens on loopback only, the machine's own receivers are allowed.
    #[must_use]
    pub fn new(allow_loopback: bool, own: Vec<SocketAddr>) -> Self {
        let v4 = DENIED_V4
            .iter()
            .filter_map(|&(address, length)| Ipv4Net::new(address, length).ok().map(IpNet::V4));
        let v6 = DENIED_V6
            .iter()
            .filter_map(|&(address, length)| Ipv6Net::new(address, length).ok().map(IpNet::V6));
        let global_v6 = Ipv6Net::new(GLOBAL_V6.0, GLOBAL_V6.1).ok();
        Self { allow_loopback, own, denied: v4.chain(v6).collect(), global_v6 }
    }

    /// Whether this address may be dialled.
    pub fn check(&self, address: SocketAddr) -> Result<(), Denied> {
        // `::ffff:10.0.0.1` is 10.0.0.1 in other clothes.
        let ip = address.ip().to_canonical();
        if self.is_own(ip, address.port()) {
            return Err(Denied);
        }
        if ip.is_loopback() && self.allow_loopback {
            return Ok(());
        }
        let public = match ip {
            IpAddr::V4(_) => true,
            IpAddr::V6(ip) => self.global_v6.is_some_and(|global| global.contains(&ip)),
        };
        if public && !self.denied.iter().any(|network| network.contains(&ip)) {
            Ok(())
        } else {
            Err(Denied)
        }
    }

    fn is_own(&self, ip: IpAddr, port: u16) -> bool {
        self.own.iter().any(|own| {
            let same = own.ip().to_canonical() == ip;
            let everywhere = own.ip().is_unspecified();
            own.port() == port && (same || everywhere || ip.is_loopback() || ip.is_unspecified())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &AddressGuard, ip: &str) -> bool {
        guard.check(SocketAddr::new(ip.parse().unwrap(), 443)).is_ok()
    }

    #[test]
    fn public_addresses_are_allowed() {
        let guard = AddressGuard::new(false, Vec::new());
        for ip in [
            "93.184.216.34",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.3.1",
            "2606:2800:220:1::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
        ] {
            assert!(check(&guard, ip), "{ip}");
        }
    }

    #[test]
    fn special_addresses_are_not() {
        let guard = AddressGuard::new(false, Vec::new());
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.25",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.1",
            "198.51.100.7",
            "203.0.113.5",
            "224.0.0.1",
            "239.1.2.3",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.1.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!check(&guard, ip), "{ip}");
        }
    }

    #[test]
    fn loopback_is_allowed_only_where_it_is_said() {
        let guard = AddressGuard::new(true, Vec::new());
        for ip in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(check(&guard, ip), "{ip}");
        }
        for ip in ["10.0.0.1", "169.254.169.254", "0.0.0.0", "::"] {
            assert!(!check(&guard, ip), "{ip}");
        }
    }

    #[test]
    fn the_gateway_does_not_call_itself() {
        let own = vec!["127.0.0.1:9091".parse().unwrap(), "[::]:9092".parse().unwrap()];
        let guard = AddressGuard::new(true, own);
        let allowed = |text: &str| guard.check(text.parse().unwrap()).is_ok();
        assert!(allowed("127.0.0.1:9093"));
        for own in [
            "127.0.0.1:9091",
            "127.0.0.2:9091",
            "[::1]:9091",
            "[::ffff:127.0.0.1]:9091",
            "127.0.0.1:9092",
            "8.8.8.8:9092",
        ] {
            assert!(!allowed(own), "{own}");
        }
    }
}
