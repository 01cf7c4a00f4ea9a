//! The traffic that a session is about, and which of two sessions goes before the other.

use ipnet::IpNet;
use jiff::Timestamp;

use crate::PortSet;
use crate::ids::SessionId;

/// What of a device's traffic is meant: to which networks, from and to which ports, over any
/// transport protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The application's networks; a single address is a network of one.
    pub networks: Vec<IpNet>,
    /// The ports on the device; all of them, if none were asked for.
    pub device_ports: PortSet,
    /// The ports on the application server; all of them, if none were asked for.
    pub server_ports: PortSet,
}

impl Flow {
    /// Whether a packet of one device could belong to both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let networks_meet = self.networks.iter().any(|mine| {
            other.networks.iter().any(|theirs| mine.contains(theirs) || theirs.contains(mine))
        });
        networks_meet
            && self.device_ports.intersects(&other.device_ports)
            && self.server_ports.intersects(&other.server_ports)
    }

    /// How much traffic is meant, for comparison only: a part of a flow is never wider than the
    /// whole.
    fn width(&self) -> (u128, u64) {
        let addresses = self.networks.iter().fold(0u128, |sum, network| {
            let free_bits = u32::from(network.max_prefix_len() - network.prefix_len());
            sum.saturating_add(1u128.checked_shl(free_bits).unwrap_or(u128::MAX))
        });
        (addresses, u64::from(self.device_ports.len()) * u64::from(self.server_ports.len()))
    }
}

/// The order in which sessions of one device get a packet that belongs to several: the greatest
/// wins. Every driver obeys it.
///
/// The narrower flow goes before the wider, then the later session before the earlier. It depends
/// on the session alone, so it never has to be given out anew when others come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Precedence {
    narrower: std::cmp::Reverse<(u128, u64)>,
    later: Timestamp,
    /// Two sessions of one millisecond have an order too, the same at every driver.
    tie: SessionId,
}

impl Precedence {
    /// Where a session with this flow stands.
    #[must_use]
    pub fn new(flow: &Flow, created_at: Timestamp, session: SessionId) -> Self {
        Self { narrower: std::cmp::Reverse(flow.width()), later: created_at, tie: session }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::PortRange;
    use crate::ids::DeviceKey;

    fn port_sets() -> impl Strategy<Value = PortSet> {
        let range =
            (0..12u16, 0..12u16).prop_map(|(a, b)| PortRange::new(a.min(b), a.max(b)).unwrap());
        prop_oneof![
            1 => Just(PortSet::all()),
            4 => prop::collection::vec(range, 1..3).prop_map(|ranges| ranges.into_iter().collect()),
        ]
    }

    /// Networks inside 10.0.0.0/29 and 2001:db8::/125, so that every address can be tried.
    fn flows() -> impl Strategy<Value = Flow> {
        let v4 = (0..8u8, 29..=32u8).prop_map(|(host, prefix)| {
            format!("10.0.0.{host}/{prefix}").parse::<IpNet>().unwrap().trunc()
        });
        let v6 = (0..8u8, 125..=128u8).prop_map(|(host, prefix)| {
            format!("2001:db8::{host}/{prefix}").parse::<IpNet>().unwrap().trunc()
        });
        (prop::option::of(v4), prop::option::of(v6), port_sets(), port_sets())
            .prop_filter("a flow goes somewhere", |(v4, v6, ..)| v4.is_some() || v6.is_some())
            .prop_map(|(v4, v6, device_ports, server_ports)| Flow {
                networks: v4.into_iter().chain(v6).collect(),
                device_ports,
                server_ports,
            })
    }

    /// Every packet that the flows of [`flows`] can tell apart. Port 40,000 stands for the many
    /// that only "all ports" has.
    fn packets(flow: &Flow) -> Vec<(String, u16, u16)> {
        let addresses = (0..8).map(|host| format!("10.0.0.{host}"));
        let addresses = addresses.chain((0..8).map(|host| format!("2001:db8::{host}")));
        let ports = || (0..12u16).chain([40_000]);
        let mut matching = Vec::new();
        for address in addresses {
            let parsed = address.parse::<std::net::IpAddr>().unwrap();
            if !flow.networks.iter().any(|network| network.contains(&parsed)) {
                continue;
            }
            for device in ports().filter(|&port| flow.device_ports.contains(port)) {
                for server in ports().filter(|&port| flow.server_ports.contains(port)) {
                    matching.push((address.clone(), device, server));
                }
            }
        }
        matching
    }

    fn precedence(flow: &Flow, millis: i64, random: u8) -> Precedence {
        let id = SessionId::new([random; 16], DeviceKey([0; 16]).bucket());
        Precedence::new(flow, Timestamp::from_millisecond(millis).unwrap(), id)
    }

    proptest! {
        #[test]
        fn overlap_is_symmetric_and_means_a_common_packet(a in flows(), b in flows()) {
            let of_a = packets(&a);
            let common = packets(&b).iter().any(|packet| of_a.contains(packet));
            prop_assert_eq!(a.overlaps(&b), common);
            prop_assert_eq!(b.overlaps(&a), common);
        }

        #[test]
        fn a_part_of_a_flow_goes_before_the_whole_whenever_it_came(
            whole in flows(),
            (device_ports, server_ports) in (port_sets(), port_sets()),
            longer in 0..3u8,
        ) {
            let part_of = |set: &PortSet, other: &PortSet| {
                let both = set.intersection(other);
                if both.is_empty() { set.clone() } else { both }
            };
            let narrow = |network: &IpNet| {
                let prefix = (network.prefix_len() + longer).min(network.max_prefix_len());
                IpNet::new(network.addr(), prefix).unwrap().trunc()
            };
            let part = Flow {
                networks: whole.networks.iter().map(narrow).collect(),
                device_ports: part_of(&whole.device_ports, &device_ports),
                server_ports: part_of(&whole.server_ports, &server_ports),
            };
            prop_assume!(part != whole);
            prop_assert!(precedence(&part, 1, 1) > precedence(&whole, 2, 2));
        }
    }

    #[test]
    fn of_equal_flows_the_later_goes_first() {
        let flow = Flow {
            networks: vec!["203.0.113.5/32".parse().unwrap()],
            device_ports: PortSet::all(),
            server_ports: PortSet::all(),
        };
        assert!(precedence(&flow, 2, 1) > precedence(&flow, 1, 2));
        assert_ne!(precedence(&flow, 1, 1), precedence(&flow, 1, 2));
    }

    #[test]
    fn the_widest_networks_can_be_counted() {
        let flow = |networks: &[&str]| Flow {
            networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
            device_ports: PortSet::all(),
            server_ports: PortSet::all(),
        };
        let everything = flow(&["0.0.0.0/0", "::/0"]);
        assert!(precedence(&flow(&["0.0.0.0/0"]), 1, 1) > precedence(&everything, 2, 2));
    }
}
