//! Ports of a flow.

use std::ops::RangeInclusive;

use greenwave_wire::v0::client::{PortsForm, RangeForm};

/// Ports of one side of a flow: single ones, ranges, or both.
///
/// ```
/// use greenwave_sdk::Ports;
///
/// let web = Ports::single([80, 443]);
/// let calls = Ports::range(5000..=5010).and_single([5060]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports(PortsForm);

impl Ports {
    /// These ports.
    pub fn single(ports: impl IntoIterator<Item = u16>) -> Self {
        Self::default().and_single(ports)
    }

    /// These ports, from the first to the last.
    #[must_use]
    pub fn range(range: RangeInclusive<u16>) -> Self {
        Self::default().and_range(range)
    }

    /// And these ports.
    #[must_use]
    pub fn and_single(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.0.ports.extend(ports.into_iter().map(i64::from));
        self
    }

    /// And these ports, from the first to the last.
    #[must_use]
    pub fn and_range(mut self, range: RangeInclusive<u16>) -> Self {
        let (from, to) = (i64::from(*range.start()), i64::from(*range.end()));
        self.0.ranges.push(RangeForm { from, to });
        self
    }

    /// The single ports.
    pub fn singles(&self) -> impl Iterator<Item = u16> {
        self.0.ports.iter().filter_map(|&port| port.try_into().ok())
    }

    /// The ranges.
    pub fn ranges(&self) -> impl Iterator<Item = RangeInclusive<u16>> {
        let range =
            |range: &RangeForm| Some(range.from.try_into().ok()?..=range.to.try_into().ok()?);
        self.0.ranges.iter().filter_map(range)
    }
}

impl From<PortsForm> for Ports {
    fn from(form: PortsForm) -> Self {
        Self(form)
    }
}

impl From<Ports> for PortsForm {
    fn from(ports: Ports) -> Self {
        ports.0
    }
}
