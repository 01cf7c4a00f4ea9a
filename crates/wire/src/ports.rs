//! Ports, as every version of the API shows them.

use greenwave_core::{PortRange, PortsSpec};
use serde::Serialize;

/// Ports as they were sent.
#[derive(Serialize)]
pub(crate) struct PortsOut<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<RangeOut>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    ports: &'a [u16],
}

#[derive(Serialize)]
struct RangeOut {
    from: u16,
    to: u16,
}

impl<'a> From<&'a PortsSpec> for PortsOut<'a> {
    fn from(ports: &'a PortsSpec) -> Self {
        let range = |range: &PortRange| RangeOut { from: range.from(), to: range.to() };
        Self { ranges: ports.ranges().iter().map(range).collect(), ports: ports.ports() }
    }
}
