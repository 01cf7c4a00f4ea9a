//! Quality-On-Demand.

pub(in crate::http) mod create;
pub(in crate::http) mod delete;
pub(in crate::http) mod extend;
pub(in crate::http) mod get;
pub(in crate::http) mod list;
pub(in crate::http) mod retrieve;

use std::sync::Arc;

use axum::response::Response;
use greenwave_core::RuleSet;
use greenwave_ledger::{Seen, WriteReply};
use greenwave_wire::camara;
use http::StatusCode;

use crate::http::answer::json;

fn one(status: StatusCode, seen: &Seen, rules: &RuleSet) -> Response {
    json(status, camara::session_info(&seen.session, &seen.view, rules))
}

/// Writes a reply as [`one`] writes an answer.
fn writer(rules: &'static RuleSet) -> WriteReply {
    Arc::new(move |session, view| camara::session_info(session, view, rules))
}
