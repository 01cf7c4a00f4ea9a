//! The application's side of a flow (CAMARA schema `ApplicationServer`).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// One IPv4 and one IPv6 address or network of the application, of which one is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationServer {
    ipv4_address: Option<ServerAddress<Ipv4Net>>,
    ipv6_address: Option<ServerAddress<Ipv6Net>>,
}

/// An address with an optional mask, in the text of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress<N> {
    text: Box<str>,
    network: N,
}

/// Why an application server is none. The message says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidServer {
    /// Not an IPv4 address or network.
    #[error("an IPv4 address such as 203.0.113.5, or a network such as 203.0.113.0/24")]
    Ipv4,
    /// Not an IPv6 address or network.
    #[error("an IPv6 address such as 2001:db8::5, or a network such as 2001:db8::/64")]
    Ipv6,
    /// Neither address was given.
    #[error("names no address: give ipv4Address or ipv6Address")]
    Empty,
}

impl ApplicationServer {
    /// The server at these addresses, of which one must be there.
    pub fn new(
        ipv4_address: Option<ServerAddress<Ipv4Net>>,
        ipv6_address: Option<ServerAddress<Ipv6Net>>,
    ) -> Result<Self, InvalidServer> {
        if ipv4_address.is_none() && ipv6_address.is_none() {
            return Err(InvalidServer::Empty);
        }
        Ok(Self { ipv4_address, ipv6_address })
    }

    /// The IPv4 side, if given.
    #[must_use]
    pub fn ipv4_address(&self) -> Option<&ServerAddress<Ipv4Net>> {
        self.ipv4_address.as_ref()
    }

    /// The IPv6 side, if given.
    #[must_use]
    pub fn ipv6_address(&self) -> Option<&ServerAddress<Ipv6Net>> {
        self.ipv6_address.as_ref()
    }

    /// Every network that the flow may go to; a single address is a network of one.
    pub fn networks(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.ipv4_address.as_ref().map(|address| IpNet::V4(address.network));
        let v6 = self.ipv6_address.as_ref().map(|address| IpNet::V6(address.network));
        v4.into_iter().chain(v6)
    }
}

impl<N> ServerAddress<N> {
    /// The text of the request.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl ServerAddress<Ipv4Net> {
    /// Reads `address` or `address/mask`. Bits behind the mask are allowed and mean nothing.
    pub fn parse_v4(text: &str) -> Result<Self, InvalidServer> {
        let network = match text.parse::<Ipv4Addr>() {
            Ok(address) => Ipv4Net::from(address),
            Err(_) => text.parse::<Ipv4Net>().map_err(|_| InvalidServer::Ipv4)?.trunc(),
        };
        Ok(Self { text: text.into(), network })
    }
}

impl ServerAddress<Ipv6Net> {
    /// Reads `address` or `address/mask`. Bits behind the mask are allowed and mean nothing.
    pub fn parse_v6(text: &str) -> Result<Self, InvalidServer> {
        let network = match text.parse::<Ipv6Addr>() {
            Ok(address) => Ipv6Net::from(address),
            Err(_) => text.parse::<Ipv6Net>().map_err(|_| InvalidServer::Ipv6)?.trunc(),
        };
        Ok(Self { text: text.into(), network })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(v4: Option<&str>, v6: Option<&str>) -> Vec<String> {
        let v4 = v4.map(|text| ServerAddress::parse_v4(text).unwrap());
        let v6 = v6.map(|text| ServerAddress::parse_v6(text).unwrap());
        ApplicationServer::new(v4, v6).unwrap().networks().map(|net| net.to_string()).collect()
    }

    #[test]
    fn addresses_and_networks_of_both_versions() {
        assert_eq!(networks(Some("203.0.113.5"), None), ["203.0.113.5/32"]);
        assert_eq!(networks(Some("203.0.113.5/24"), None), ["203.0.113.0/24"]);
        assert_eq!(
            networks(Some("0.0.0.0/0"), Some("2001:db8::0/64")),
            ["0.0.0.0/0", "2001:db8::/64"]
        );
    }

    #[test]
    fn the_text_is_kept() {
        let address = ServerAddress::parse_v6("2041:0000:140F::875B:131B").unwrap();
        assert_eq!(address.text(), "2041:0000:140F::875B:131B");
    }

    #[test]
    fn what_is_neither_is_refused() {
        assert_eq!(ApplicationServer::new(None, None), Err(InvalidServer::Empty));
        for bad in ["", "203.0.113", "203.0.113.5/33", "203.0.113.5/", "example.com", "::1"] {
            assert_eq!(ServerAddress::parse_v4(bad), Err(InvalidServer::Ipv4), "{bad:?}");
        }
        for bad in ["", "2001:db8::/129", "203.0.113.5", "2001:db8:::1"] {
            assert_eq!(ServerAddress::parse_v6(bad), Err(InvalidServer::Ipv6), "{bad:?}");
        }
    }
}
