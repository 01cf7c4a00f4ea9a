//! The schema `AssignmentInfo`, out.

use greenwave_core::{EndReason, QosStatus, RuleSet, Session, SessionId, View};

use super::device::write_device;
use crate::members::Members;
use crate::status::{iso, reason_name, status_name};

/// At which moment an assignment is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    AsItIs,
    /// To the one who has just revoked it, while the network is still letting go: the definition
    /// has it available then, with the reason for which it will not be for long.
    BeingRevoked,
}

/// An assignment as JSON, for a client of these rules.
#[must_use]
pub fn assignment_info(session: &Session, view: &View, rules: &RuleSet, shown: Shown) -> Vec<u8> {
    let (status, reason) = match shown {
        Shown::AsItIs => (view.status, view.reason),
        Shown::BeingRevoked => (QosStatus::Available, Some(EndReason::DeleteRequested)),
    };
    let asked = &*session.asked;
    let mut text = Vec::with_capacity(384);
    let mut members = Members::open(&mut text);
    members.text("assignmentId", session.id.write(&mut SessionId::room()));
    write_device(&mut members, &asked.device, asked.named_by, rules);
    members.text("qosProfile", asked.profile.as_str());
    members.text_if_any("sink", asked.sink.as_ref().map(|sink| &**sink.url.expose()));
    members.text_if_any("startedAt", view.started_at.map(iso).as_deref());
    members.text("status", status_name(status));
    members.text_if_any("statusInfo", reason.map(reason_name));
    members.close();
    text
}
