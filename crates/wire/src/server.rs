//! An application server on wires that know one address of each version.

use greenwave_core::ApplicationServer;
use greenwave_core::server::ServerAddress;

/// The IPv4 and the IPv6 side. Of a list, which such a wire has no word for, the first of each.
pub(crate) fn first_of_each(server: &ApplicationServer) -> (Option<&str>, Option<&str>) {
    let listed = |v4: bool| {
        let mut addresses = server.addresses().iter();
        let first = addresses.find(|address| address.text().contains(':') != v4);
        first.map(ServerAddress::text)
    };
    let ipv4_address = server.ipv4_address().map(ServerAddress::text);
    let ipv6_address = server.ipv6_address().map(ServerAddress::text);
    (ipv4_address.or_else(|| listed(true)), ipv6_address.or_else(|| listed(false)))
}
