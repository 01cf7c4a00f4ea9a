//! What a session is for: the application's server, and ports.

use greenwave_core::rules::ServerRule;
use greenwave_core::server::MOST_ADDRESSES;
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, OneOfBuilder, RefOr, Schema};

use super::address::{v4_or_network, v6_or_network};
use super::keyword::{Members, Optional, Required, any_of_sets, formatted, object, text, whole};
use super::{Named, Schemas};

impl Schemas {
    pub(super) fn of_flows(&self) -> Named {
        let lowest = self.rules.lowest_port;
        vec![
            self.named("ApplicationServer", self.server()),
            self.named("PortsSpec", self.asked(ports(self.asked(range(lowest)), lowest))),
            // What was made by another version of the API is shown as it was asked for there.
            self.named("PortsSpecResponse", ports(range(0), 0)),
        ]
    }

    fn server(&self) -> RefOr<Schema> {
        let one_of_each = self.asked(one_of_each());
        match self.rules.server {
            ServerRule::OneOfEach => one_of_each.into(),
            ServerRule::OneOfEachOrList => {
                OneOfBuilder::new().item(one_of_each).item(self.asked(list())).into()
            }
        }
    }
}

fn one_of_each() -> ObjectBuilder {
    let v4 = "An IPv4 address, or a network such as 203.0.113.0/24.";
    let v6 = "An IPv6 address, or a network such as 2001:db8::/64.";
    object("The application's side of the flow: an address or network of either version.")
        .member("ipv4Address", Optional, text(v4).pattern(Some(v4_or_network())))
        .member("ipv6Address", Optional, text(v6).pattern(Some(v6_or_network())))
        .extensions(Some(any_of_sets(&[&["ipv4Address"], &["ipv6Address"]])))
}

fn list() -> ObjectBuilder {
    let address = AnyOfBuilder::new()
        .item(formatted("An IPv4 address.", "ipv4"))
        .item(formatted("An IPv6 address.", "ipv6"))
        .description(Some("A single address, without a mask."));
    let addresses = ArrayBuilder::new()
        .items(RefOr::T(Schema::AnyOf(address.build())))
        .min_items(Some(1))
        .max_items(Some(MOST_ADDRESSES))
        .unique_items(true);
    object("The application's side of the flow: any of these addresses.").member(
        "ipAddresses",
        Required,
        addresses,
    )
}

fn ports(range: ObjectBuilder, lowest: u16) -> ObjectBuilder {
    let ranges = ArrayBuilder::new().items(range).min_items(Some(1));
    let single = ArrayBuilder::new().items(port("A port.", lowest)).min_items(Some(1));
    object("Ports: these ranges and these single ones.")
        .member("ranges", Optional, ranges)
        .member("ports", Optional, single)
        .extensions(Some(any_of_sets(&[&["ranges"], &["ports"]])))
}

fn range(lowest: u16) -> ObjectBuilder {
    object("The ports from one to another, both included.")
        .member("from", Required, port("The lowest port.", lowest))
        .member("to", Required, port("The highest port, not below the lowest.", lowest))
}

fn port(description: &str, lowest: u16) -> ObjectBuilder {
    whole(description, lowest.into(), Some(65_535))
}
