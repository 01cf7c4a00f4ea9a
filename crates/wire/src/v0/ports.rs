//! The schema `PortsSpec`, in and out.

use greenwave_core::ports::InvalidPorts;
use greenwave_core::{PortRange, PortsSpec};
use serde::Deserialize;

use super::rules;
use crate::ErrorInfo;
use crate::json::{Object, WholeNumber};

/// Ports as a request has them. Some clients send both lists, one of them empty.
#[derive(Debug, Deserialize)]
pub(super) struct PortsIn {
    ranges: Option<Vec<Object<RangeIn>>>,
    ports: Option<Vec<WholeNumber>>,
}

#[derive(Debug, Deserialize)]
struct RangeIn {
    from: WholeNumber,
    to: WholeNumber,
}

impl PortsIn {
    /// The ports, if they are some. `field` is where they stand in the request.
    pub(super) fn read(self, field: &str) -> Result<PortsSpec, ErrorInfo> {
        let ranges = self.ranges.unwrap_or_default().into_iter().enumerate();
        let ranges = ranges
            .map(|(index, Object(range))| range.read(&format!("{field}.ranges[{index}]")))
            .collect::<Result<_, _>>()?;
        let ports = self.ports.unwrap_or_default().into_iter().enumerate();
        let ports = ports
            .map(|(index, port)| read_port(&format!("{field}.ports[{index}]"), port))
            .collect::<Result<_, _>>()?;
        PortsSpec::new(ranges, ports).map_err(|wrong| ErrorInfo::invalid_argument(field, wrong))
    }
}

impl RangeIn {
    fn read(self, field: &str) -> Result<PortRange, ErrorInfo> {
        let from = read_port(&format!("{field}.from"), self.from)?;
        let to = read_port(&format!("{field}.to"), self.to)?;
        PortRange::new(from, to)
            .map_err(|wrong: InvalidPorts| ErrorInfo::out_of_range(field, wrong))
    }
}

fn read_port(field: &str, WholeNumber(port): WholeNumber) -> Result<u16, ErrorInfo> {
    rules().port(port).map_err(|wrong| ErrorInfo::out_of_range(field, wrong))
}
