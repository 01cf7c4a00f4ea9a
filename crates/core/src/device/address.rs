//! Addresses of devices, as the network or the outside sees them.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Pii;

/// The IPv4 address of a device: the public one, and what tells the devices behind it apart.
///
/// Many devices share one public address (NAT), so it comes with the public port, the private
/// address, or both (CAMARA `DeviceIpv4Addr`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceIpv4Addr {
    public_address: Pii<Ipv4Addr>,
    private_address: Option<Pii<Ipv4Addr>>,
    public_port: Option<u16>,
}

/// The IPv6 address of a device, any one of the /64 that the network gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceIpv6Addr {
    text: Pii<Box<str>>,
    address: Pii<Ipv6Addr>,
}

/// Why an IPv4 address does not name a device. The message says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIpv4 {
    /// Not a dotted quad.
    #[error("an IPv4 address is four numbers from 0 to 255, such as 233.252.0.2, without a mask")]
    Syntax,
    /// Only the private address or the port, or both.
    #[error(
        "publicAddress is missing: give it with privateAddress or publicPort (without NAT, the \
         same address as both)"
    )]
    PublicMissing,
    /// Only the public address.
    #[error(
        "a public IPv4 address alone does not identify a device: add publicPort or privateAddress \
         (without NAT, the same address as both)"
    )]
    PublicAlone,
}

/// The text is not an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an IPv6 address such as 2001:db8:1234:5678::1, without a mask")]
pub struct InvalidIpv6;

impl DeviceIpv4Addr {
    /// Puts together what was given; the public address and one of the other two must be there.
    pub fn new(
        public_address: Option<Ipv4Addr>,
        private_address: Option<Ipv4Addr>,
        public_port: Option<u16>,
    ) -> Result<Self, InvalidIpv4> {
        let Some(public_address) = public_address else {
            return Err(InvalidIpv4::PublicMissing);
        };
        if private_address.is_none() && public_port.is_none() {
            return Err(InvalidIpv4::PublicAlone);
        }
        Ok(Self {
            public_address: Pii::new(public_address),
            private_address: private_address.map(Pii::new),
            public_port,
        })
    }

    /// Reads one dotted quad. Its canonical form is its only form, so no text is kept.
    pub fn parse_address(text: &str) -> Result<Ipv4Addr, InvalidIpv4> {
        text.parse().map_err(|_| InvalidIpv4::Syntax)
    }

    /// The address that the outside sees.
    #[must_use]
    pub fn public_address(&self) -> Ipv4Addr {
        *self.public_address.expose()
    }

    /// The address that the network gave the device.
    #[must_use]
    pub fn private_address(&self) -> Option<Ipv4Addr> {
        self.private_address.as_ref().map(|address| *address.expose())
    }

    /// The port that the outside sees.
    #[must_use]
    pub fn public_port(&self) -> Option<u16> {
        self.public_port
    }
}

impl DeviceIpv6Addr {
    /// Reads an address, and keeps its text.
    pub fn parse(text: &str) -> Result<Self, InvalidIpv6> {
        let address = text.parse().map_err(|_| InvalidIpv6)?;
        Ok(Self { text: Pii::new(text.into()), address: Pii::new(address) })
    }

    /// The text of the request.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> Ipv6Addr {
        *self.address.expose()
    }

    /// The first 64 bits: a device has the whole /64, so any address in it means the device.
    #[must_use]
    pub fn prefix64(&self) -> [u8; 8] {
        let octets = self.address().octets();
        let mut prefix = [0; 8];
        prefix.copy_from_slice(&octets[..8]);
        prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: Ipv4Addr = Ipv4Addr::new(233, 252, 0, 2);
    const PRIVATE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 25);

    #[test]
    fn a_public_address_needs_company() {
        let new = DeviceIpv4Addr::new;
        assert!(new(Some(PUBLIC), Some(PRIVATE), None).is_ok());
        assert!(new(Some(PUBLIC), None, Some(80)).is_ok());
        assert!(new(Some(PUBLIC), Some(PRIVATE), Some(0)).is_ok());
        assert_eq!(new(Some(PUBLIC), None, None), Err(InvalidIpv4::PublicAlone));
        assert_eq!(new(None, Some(PRIVATE), None), Err(InvalidIpv4::PublicMissing));
        assert_eq!(new(None, None, Some(80)), Err(InvalidIpv4::PublicMissing));
    }

    #[test]
    fn only_dotted_quads_are_ipv4_addresses() {
        assert_eq!(DeviceIpv4Addr::parse_address("233.252.0.2"), Ok(PUBLIC));
        for bad in ["", "233.252.0", "233.252.0.256", "233.252.0.02", "233.252.0.2/24", "::1"] {
            assert_eq!(DeviceIpv4Addr::parse_address(bad), Err(InvalidIpv4::Syntax), "{bad:?}");
        }
    }

    #[test]
    fn any_address_of_the_64_is_the_same_device() {
        let prefix = |text| DeviceIpv6Addr::parse(text).unwrap().prefix64();
        assert_eq!(prefix("2001:db8:1234:5678:9abc::1"), prefix("2001:db8:1234:5678::"));
        assert_ne!(prefix("2001:db8:1234:5679::1"), prefix("2001:db8:1234:5678::1"));
        assert_eq!(DeviceIpv6Addr::parse("2001:DB8::1").unwrap().text(), "2001:DB8::1");
        for bad in ["", "2001:db8::/64", "233.252.0.2", "2001:db8:::1"] {
            assert_eq!(DeviceIpv6Addr::parse(bad), Err(InvalidIpv6), "{bad:?}");
        }
    }
}
