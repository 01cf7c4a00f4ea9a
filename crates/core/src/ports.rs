//! Ports of a flow: as they were asked for, and as a set.

mod set;

pub use set::PortSet;

/// The ports from `from` to `to`, both included. `from` is never above `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    from: u16,
    to: u16,
}

/// The ports of a request (CAMARA schema `PortsSpec`), kept as asked for, to be shown again.
///
/// At least one port is in it. What it means is its [`PortSet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortsSpec {
    ranges: Vec<PortRange>,
    ports: Vec<u16>,
}

/// Why ports are none. The message says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPorts {
    /// A range that ends before it begins.
    #[error("from {from} is above to {to}: a range goes from the lower port to the higher")]
    Backwards {
        /// The lower end, as given.
        from: u16,
        /// The upper end, as given.
        to: u16,
    },
    /// Neither a range nor a port.
    #[error("names no port: leave it out to mean all ports, or give ports or ranges")]
    Empty,
}

impl PortRange {
    /// The range between two ports, which must be in order.
    pub fn new(from: u16, to: u16) -> Result<Self, InvalidPorts> {
        if from > to { Err(InvalidPorts::Backwards { from, to }) } else { Ok(Self { from, to }) }
    }

    /// The lowest port in it.
    #[must_use]
    pub fn from(self) -> u16 {
        self.from
    }

    /// The highest port in it.
    #[must_use]
    pub fn to(self) -> u16 {
        self.to
    }
}

impl PortsSpec {
    /// The ports of these ranges and single ports together; there must be one.
    pub fn new(ranges: Vec<PortRange>, ports: Vec<u16>) -> Result<Self, InvalidPorts> {
        if ranges.is_empty() && ports.is_empty() {
            return Err(InvalidPorts::Empty);
        }
        Ok(Self { ranges, ports })
    }

    /// The ranges, in the order of the request.
    #[must_use]
    pub fn ranges(&self) -> &[PortRange] {
        &self.ranges
    }

    /// The single ports, in the order of the request.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The ports as a set.
    #[must_use]
    pub fn to_set(&self) -> PortSet {
        let single = self.ports.iter().map(|&port| PortRange { from: port, to: port });
        self.ranges.iter().copied().chain(single).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_in_order() {
        assert!(PortRange::new(80, 80).is_ok());
        assert!(PortRange::new(0, u16::MAX).is_ok());
        assert_eq!(PortRange::new(81, 80), Err(InvalidPorts::Backwards { from: 81, to: 80 }));
    }

    #[test]
    fn a_spec_names_a_port() {
        assert_eq!(PortsSpec::new(vec![], vec![]), Err(InvalidPorts::Empty));
        let spec = PortsSpec::new(vec![PortRange::new(80, 90).unwrap()], vec![85, 91, 0]).unwrap();
        assert_eq!(spec.to_set().to_string(), "0,80-91");
    }
}
