//! The rules of the simulated network, in a file that survives the gateway.
//!
//! One line of JSON for each rule that is installed or released. Nothing is synced: the file has to
//! outlive the process, as a real network would, not a power cut.

mod file;
mod line;
mod tidying;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::io;
use std::path::Path;

use greenwave_core::{Asked, DeviceKey, Order, PortsSpec, SessionId};
use serde::{Deserialize, Serialize};

use self::line::Line;
use super::cell::CellName;

pub(super) use file::{Granted, RulesFile};
pub(super) use line::Line as RuleLine;
pub(super) use tidying::{Step, Tidying};

/// What the network does for one session: which traffic of a device goes first, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The session that it is for.
    #[serde(with = "line::session_id")]
    pub session: SessionId,
    /// The device's key.
    device: String,
    /// The device's cell.
    pub cell: CellName,
    /// The profile's name.
    pub profile: String,
    /// Networks and ports of the flow: `203.0.113.5/32 device:0-65535 server:80-443`.
    pub flow: String,
}

impl Rule {
    /// The rule that an order asks for.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        Self {
            session: order.session,
            device: device_text(order.device),
            cell: CellName::of(order),
            profile: order.asked.profile.as_str().to_owned(),
            flow: Traffic(&order.asked).to_string(),
        }
    }

    /// A rule that no order has asked for: some traffic of some device in the cell `city-0`.
    pub(super) fn planted(session: SessionId) -> Self {
        Self {
            session,
            device: "00".repeat(16),
            cell: CellName::City(0),
            profile: "QOS_L".to_owned(),
            flow: "203.0.113.5/32 device:0-65535 server:0-65535".to_owned(),
        }
    }
}

/// A device's key as a rule tells it.
fn device_text(device: DeviceKey) -> String {
    device.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The traffic that is meant, as a rule tells it.
struct Traffic<'a>(&'a Asked);

impl fmt::Display for Traffic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked { server, device_ports, server_ports, .. } = self.0;
        for (at, network) in server.networks().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{network}")?;
        }
        for (end, ports) in [(" device:", device_ports), (" server:", server_ports)] {
            f.write_str(end)?;
            match ports.as_ref().map(PortsSpec::to_set) {
                Some(ports) => ports.fmt(f)?,
                None => f.write_str("0-65535")?,
            }
        }
        Ok(())
    }
}

/// Whose a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The gateway's: it carries our tag.
    Gateway,
    /// Somebody else's, whom the network serves too. The gateway is neither told of it nor able to
    /// change it.
    Other,
}

/// The gateway's rules that a file has, for whoever wants to look at the network from outside.
///
/// A last line that was not written to its end counts for nothing.
pub fn read(path: &Path) -> io::Result<Vec<Rule>> {
    Ok(Contents::read(path)?.rules.into_values().collect())
}

/// The sessions that the gateway's rules are for, where [`read`] would need memory for all that the
/// rules say.
pub fn sessions(path: &Path) -> io::Result<HashSet<SessionId>> {
    let mut sessions = HashSet::new();
    line::each(path, |line| match line {
        Line::Install(rule) => drop(sessions.insert(rule.session)),
        Line::Release(session) => drop(sessions.remove(&session)),
        Line::Foreign(_) => {}
    })?;
    Ok(sessions)
}

/// The sessions of a device that the gateway's rules in a file are for.
pub(super) fn of_device(path: &Path, device: DeviceKey) -> io::Result<BTreeSet<SessionId>> {
    let wanted = device_text(device);
    let mut sessions = BTreeSet::new();
    line::each(path, |line| match line {
        Line::Install(rule) if rule.device == wanted => drop(sessions.insert(rule.session)),
        Line::Release(session) => drop(sessions.remove(&session)),
        Line::Install(_) | Line::Foreign(_) => {}
    })?;
    Ok(sessions)
}

/// All rules that a file has, the gateway's first, each owner's in the order of their sessions.
pub(super) fn read_all(path: &Path) -> io::Result<Vec<(Owner, Rule)>> {
    let Contents { rules, foreign } = Contents::read(path)?;
    let sorted = |rules: HashMap<SessionId, Rule>| {
        let mut rules: Vec<Rule> = rules.into_values().collect();
        rules.sort_unstable_by_key(|rule| rule.session);
        rules
    };
    let ours = sorted(rules).into_iter().map(|rule| (Owner::Gateway, rule));
    Ok(ours.chain(sorted(foreign).into_iter().map(|rule| (Owner::Other, rule))).collect())
}

#[derive(Default)]
struct Contents {
    rules: HashMap<SessionId, Rule>,
    foreign: HashMap<SessionId, Rule>,
}

impl Contents {
    fn read(path: &Path) -> io::Result<Self> {
        let mut contents = Self::default();
        line::each(path, |line| match line {
            Line::Install(rule) => drop(contents.rules.insert(rule.session, rule.into())),
            Line::Release(session) => drop(contents.rules.remove(&session)),
            Line::Foreign(rule) => drop(contents.foreign.insert(rule.session, rule.into())),
        })?;
        Ok(contents)
    }
}
