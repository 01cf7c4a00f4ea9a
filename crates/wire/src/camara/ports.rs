//! The schema `PortsSpec`, in.

use greenwave_core::{PortRange, PortsSpec};
use serde_json::Value;

use super::fields::{Fields, item_object, item_whole};
use crate::ErrorInfo;

/// A member that names ports, if it is there.
pub(super) fn read_ports(body: &mut Fields, member: &str) -> Result<Option<PortsSpec>, ErrorInfo> {
    let Some(mut spec) = body.object(member)? else { return Ok(None) };
    let ranges = match spec.list("ranges")? {
        Some(items) => read_ranges(&spec, items)?,
        None => Vec::new(),
    };
    let ports = match spec.list("ports")? {
        Some(items) => read_single(&spec, &items)?,
        None => Vec::new(),
    };
    let path = spec.path().to_owned();
    spec.done()?;
    let ports = PortsSpec::new(ranges, ports);
    ports.map(Some).map_err(|wrong| ErrorInfo::invalid_argument(&path, wrong))
}

fn read_ranges(spec: &Fields, items: Vec<Value>) -> Result<Vec<PortRange>, ErrorInfo> {
    let range = |(at, item): (usize, Value)| {
        let path = spec.name(&format!("ranges[{at}]"));
        let mut range = item_object(path, item, spec.rules())?;
        let from = range.whole("from")?;
        let from = range.required("from", from, "the first port of the range")?;
        let to = range.whole("to")?;
        let to = range.required("to", to, "the last port of the range")?;
        let from = read_port(spec, &range.name("from"), from)?;
        let to = read_port(spec, &range.name("to"), to)?;
        let path = range.path().to_owned();
        range.done()?;
        PortRange::new(from, to).map_err(|wrong| ErrorInfo::out_of_range(&path, wrong))
    };
    items.into_iter().enumerate().map(range).collect()
}

fn read_single(spec: &Fields, items: &[Value]) -> Result<Vec<u16>, ErrorInfo> {
    let port = |(at, item): (usize, &Value)| {
        let path = spec.name(&format!("ports[{at}]"));
        read_port(spec, &path, item_whole(&path, item)?)
    };
    items.iter().enumerate().map(port).collect()
}

fn read_port(spec: &Fields, path: &str, port: i64) -> Result<u16, ErrorInfo> {
    spec.rules().port(port).map_err(|wrong| ErrorInfo::out_of_range(path, wrong))
}
