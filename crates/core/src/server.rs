//! The application's side of a flow (CAMARA schema `ApplicationServer`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Where a flow goes to: the application's addresses or networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationServer(Form);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// One IPv4 and one IPv6 address or network, of which one is there.
    Subnets {
        ipv4_address: Option<ServerAddress<Ipv4Net>>,
        ipv6_address: Option<ServerAddress<Ipv6Net>>,
    },
    /// Single addresses, different ones, at least one.
    List(Box<[ServerAddress<IpNet>]>),
    /// Everything: what is asked for is not about a server.
    Everything,
}

/// How many single addresses one request can name (CAMARA schema `ApplicationServerIpAddressList`).
pub const MOST_ADDRESSES: usize = 16;

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
    /// Not a single address.
    #[error("a single IPv4 or IPv6 address without a mask, such as 203.0.113.5 or 2001:db8::5")]
    Address,
    /// Too few addresses, or too many.
    #[error("1 to 16 addresses")]
    Count,
    /// An address twice.
    #[error("every address once")]
    Doubled,
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
        Ok(Self(Form::Subnets { ipv4_address, ipv6_address }))
    }

    /// The server at any of these addresses.
    pub fn at_any_of(addresses: Vec<ServerAddress<IpNet>>) -> Result<Self, InvalidServer> {
        if addresses.is_empty() || addresses.len() > MOST_ADDRESSES {
            return Err(InvalidServer::Count);
        }
        let before = |at: usize| addresses[..at].iter().map(|address| address.network);
        if (1..addresses.len()).any(|at| before(at).any(|other| other == addresses[at].network)) {
            return Err(InvalidServer::Doubled);
        }
        Ok(Self(Form::List(addresses.into())))
    }

    /// Whatever a device talks to.
    #[must_use]
    pub fn everything() -> Self {
        Self(Form::Everything)
    }

    /// Whether it stands for everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0 == Form::Everything
    }

    /// The IPv4 side, if given.
    #[must_use]
    pub fn ipv4_address(&self) -> Option<&ServerAddress<Ipv4Net>> {
        match &self.0 {
            Form::Subnets { ipv4_address, .. } => ipv4_address.as_ref(),
            Form::List(_) | Form::Everything => None,
        }
    }

    /// The IPv6 side, if given.
    #[must_use]
    pub fn ipv6_address(&self) -> Option<&ServerAddress<Ipv6Net>> {
        match &self.0 {
            Form::Subnets { ipv6_address, .. } => ipv6_address.as_ref(),
            Form::List(_) | Form::Everything => None,
        }
    }

    /// The single addresses, if they were given as a list; else there are none.
    #[must_use]
    pub fn addresses(&self) -> &[ServerAddress<IpNet>] {
        match &self.0 {
            Form::List(addresses) => addresses,
            Form::Subnets { .. } | Form::Everything => &[],
        }
    }

    /// Every network that the flow may go to; a single address is a network of one.
    pub fn networks(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.ipv4_address().map(|address| IpNet::V4(address.network));
        let v6 = self.ipv6_address().map(|address| IpNet::V6(address.network));
        let everything = self.is_everything().then(everything).into_iter().flatten();
        let listed = self.addresses().iter().map(|address| address.network);
        v4.into_iter().chain(v6).chain(listed).chain(everything)
    }
}

fn everything() -> [IpNet; 2] {
    [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())]
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

impl ServerAddress<IpNet> {
    /// Reads a single address of either version.
    pub fn parse(text: &str) -> Result<Self, InvalidServer> {
        let address = text.parse::<IpAddr>().map_err(|_| InvalidServer::Address)?;
        Ok(Self { text: text.into(), network: address.into() })
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

    #[test]
    fn a_list_has_single_addresses_each_once() {
        let list = |texts: &[&str]| {
            let parse = |text: &&str| ServerAddress::parse(text).unwrap();
            ApplicationServer::at_any_of(texts.iter().map(parse).collect())
        };
        let server = list(&["203.0.113.5", "2001:db8::5"]).unwrap();
        let networks: Vec<_> = server.networks().map(|net| net.to_string()).collect();
        assert_eq!(networks, ["203.0.113.5/32", "2001:db8::5/128"]);
        assert_eq!(list(&[]), Err(InvalidServer::Count));
        assert_eq!(list(&["2001:db8::5", "2001:DB8:0::5"]), Err(InvalidServer::Doubled));
        let many: Vec<_> = (0..17).map(|number| format!("203.0.113.{number}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert!(list(&many[..16]).is_ok());
        assert_eq!(list(&many), Err(InvalidServer::Count));
        for bad in ["203.0.113.5/32", "example.com", "", "203.0.113"] {
            assert_eq!(ServerAddress::parse(bad), Err(InvalidServer::Address), "{bad:?}");
        }
    }

    #[test]
    fn everything_is_all_addresses() {
        let networks: Vec<_> =
            ApplicationServer::everything().networks().map(|net| net.to_string()).collect();
        assert_eq!(networks, ["0.0.0.0/0", "::/0"]);
    }
}
