//! The ledger and the network, held against each other from outside.

use std::collections::BTreeSet;
use std::path::Path;

use greenwave_core::{Clock, Standing};
use greenwave_ledger::{Audit, LedgerError};
use greenwave_network::simulator::rules;

use super::Finding;
use crate::clock::SystemTimer;

/// How many findings are told one by one.
const MOST_TOLD: usize = 20;

/// Looks, and if the gateway is running looks again: what was only under way is not wrong.
pub(super) fn audit(data: &Path, running: bool) -> Vec<Finding> {
    match look_twice(data, running) {
        Ok((audit, wrong)) => {
            let (live, history, events) = (audit.live, audit.history, audit.events);
            let seen = format!("{live} sessions live, {history} in history, {events} events");
            let hint = if running {
                "greenwave doctor --audit again in a minute: what a comparison of network and \
                 ledger mends is mended by then; if it stays, report it with a copy of the directory"
            } else {
                "greenwave up, which mends what can be mended; if it stays, report it with a copy \
                 of the directory"
            };
            let told = wrong.iter().take(MOST_TOLD);
            let told = told.map(|wrong| Finding::wrong("audit", wrong.as_str(), hint));
            std::iter::once(Finding::fine("ledger", seen)).chain(told).collect()
        }
        Err(error) => {
            let hint = "greenwave up once in this directory, or restore a copy of it";
            vec![Finding::wrong("audit", format!("cannot be made: {error}"), hint)]
        }
    }
}

fn look_twice(data: &Path, running: bool) -> Result<(Audit, BTreeSet<String>), LookError> {
    let (audit, wrong) = look(data, running)?;
    if !running || wrong.is_empty() {
        return Ok((audit, wrong));
    }
    let (audit, again) = look(data, running)?;
    Ok((audit, wrong.intersection(&again).cloned().collect()))
}

#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the network's rules cannot be read: {0}")]
    Rules(#[from] std::io::Error),
}

fn look(data: &Path, running: bool) -> Result<(Audit, BTreeSet<String>), LookError> {
    let now = SystemTimer::start().now();
    let rules = rules::sessions(&data.join("network.jsonl"))?;
    let audit = greenwave_ledger::audit(data, now, running)?;
    let mut wrong: BTreeSet<String> = audit.findings.iter().cloned().collect();
    for session in &rules {
        if matches!(audit.standings.get(session), None | Some(Standing::Over)) {
            wrong.insert(format!(
                "the network has a rule for session {session}, which is over or unknown"
            ));
        }
    }
    for (session, standing) in &audit.standings {
        if *standing == Standing::Honoured && !rules.contains(session) {
            wrong.insert(format!("the network has no rule for session {session}"));
        }
    }
    Ok((audit, wrong))
}
