//! QoS Provisioning.

pub(in crate::http) mod create;
pub(in crate::http) mod get;
pub(in crate::http) mod retrieve;
pub(in crate::http) mod revoke;

use std::sync::Arc;

use axum::response::Response;
use greenwave_core::RuleSet;
use greenwave_ledger::{Seen, WriteReply};
use greenwave_wire::camara::{self, Shown};
use http::StatusCode;

use crate::http::answer::json;

fn one(status: StatusCode, seen: &Seen, rules: &RuleSet, shown: Shown) -> Response {
    json(status, camara::assignment_info(&seen.session, &seen.view, rules, shown))
}

/// Writes a reply as [`one`] writes an answer.
fn writer(rules: &'static RuleSet) -> WriteReply {
    Arc::new(move |session, view| camara::assignment_info(session, view, rules, Shown::AsItIs))
}
