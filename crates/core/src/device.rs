//! How a request names a device (CAMARA Commonalities, schema `Device`).

mod address;
mod name;

pub use address::{DeviceIpv4Addr, DeviceIpv6Addr, InvalidIpv4, InvalidIpv6};
pub use name::{InvalidName, NetworkAccessIdentifier, PhoneNumber};

/// The identifiers given for one device, each with the request's own text.
///
/// At least one is set. The text is kept because clients compare what they sent with what comes
/// back; what identifiers mean (which device they name) is for a directory to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    phone_number: Option<PhoneNumber>,
    network_access_identifier: Option<NetworkAccessIdentifier>,
    ipv4_address: Option<DeviceIpv4Addr>,
    ipv6_address: Option<DeviceIpv6Addr>,
    imsi: Option<Imsi>,
}

/// The kinds of identifier that can say which device is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// `networkAccessIdentifier`
    NetworkAccessIdentifier,
    /// `phoneNumber`
    PhoneNumber,
    /// `ipv4Address`
    Ipv4Address,
    /// `ipv6Address`
    Ipv6Address,
}

/// An IMSI that a client added. It is echoed, and identifies nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imsi(pub crate::Pii<u64>);

/// No identifier was given at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("names no device: give networkAccessIdentifier, phoneNumber, ipv4Address or ipv6Address")]
pub struct NoIdentifier;

impl Device {
    /// The device named by these identifiers, of which one must be there.
    pub fn new(
        network_access_identifier: Option<NetworkAccessIdentifier>,
        phone_number: Option<PhoneNumber>,
        ipv4_address: Option<DeviceIpv4Addr>,
        ipv6_address: Option<DeviceIpv6Addr>,
    ) -> Result<Self, NoIdentifier> {
        let device = Self {
            phone_number,
            network_access_identifier,
            ipv4_address,
            ipv6_address,
            imsi: None,
        };
        if device.kinds().next().is_none() { Err(NoIdentifier) } else { Ok(device) }
    }

    /// The same device with the IMSI that the client sent along.
    #[must_use]
    pub fn with_imsi(mut self, imsi: Option<Imsi>) -> Self {
        self.imsi = imsi;
        self
    }

    /// The phone number, if given.
    #[must_use]
    pub fn phone_number(&self) -> Option<&PhoneNumber> {
        self.phone_number.as_ref()
    }

    /// The network access identifier, if given.
    #[must_use]
    pub fn network_access_identifier(&self) -> Option<&NetworkAccessIdentifier> {
        self.network_access_identifier.as_ref()
    }

    /// The IPv4 address, if given.
    #[must_use]
    pub fn ipv4_address(&self) -> Option<&DeviceIpv4Addr> {
        self.ipv4_address.as_ref()
    }

    /// The IPv6 address, if given.
    #[must_use]
    pub fn ipv6_address(&self) -> Option<&DeviceIpv6Addr> {
        self.ipv6_address.as_ref()
    }

    /// The IMSI, if given.
    #[must_use]
    pub fn imsi(&self) -> Option<&Imsi> {
        self.imsi.as_ref()
    }

    /// The kinds of identifier that were given.
    pub fn kinds(&self) -> impl Iterator<Item = IdentifierKind> + '_ {
        use IdentifierKind as Kind;
        [
            self.network_access_identifier.as_ref().map(|_| Kind::NetworkAccessIdentifier),
            self.phone_number.as_ref().map(|_| Kind::PhoneNumber),
            self.ipv4_address.as_ref().map(|_| Kind::Ipv4Address),
            self.ipv6_address.as_ref().map(|_| Kind::Ipv6Address),
        ]
        .into_iter()
        .flatten()
    }
}
