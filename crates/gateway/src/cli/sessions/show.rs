//! Sessions on the terminal.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::output::{self, Failure};
use crate::cli::{OutputFormat, duration};

/// Prints a session.
pub(super) fn one(session: &Value, format: OutputFormat) -> Result<(), Failure> {
    if format.json {
        return output::print_json(session);
    }
    let text = |member: &str| session[member].as_str().unwrap_or("-").to_owned();
    let lines = [
        ("Session", text("sessionId")),
        ("Status", status(session)),
        ("Profile", text("qosProfile")),
        ("Device", device(session)),
        ("Server", server(session)),
        ("Started", text("startedAt")),
        ("Expires", format!("{} ({})", text("expiresAt"), time_left(session))),
    ];
    let lines: Vec<_> = lines.iter().map(|(name, value)| format!("{name:<9}{value}")).collect();
    output::print(&lines.join("\n"))
}

/// Prints sessions.
pub(super) fn many(sessions: &[Value], format: OutputFormat) -> Result<(), Failure> {
    if format.json {
        return output::print_json(&sessions);
    }
    if sessions.is_empty() {
        output::talk("There are no sessions.");
        return Ok(());
    }
    let row = |session: &Value| {
        let text = |member: &str| session[member].as_str().unwrap_or("-").to_owned();
        vec![
            text("sessionId"),
            status(session),
            text("qosProfile"),
            device(session),
            server(session),
            time_left(session),
        ]
    };
    let heading = ["session", "status", "profile", "device", "server", "expires"];
    output::print_table(&heading, sessions.iter().map(row))
}

fn status(session: &Value) -> String {
    let status = session["qosStatus"].as_str().unwrap_or("-");
    match session["statusInfo"].as_str() {
        Some(info) => format!("{status} ({info})"),
        None => status.to_owned(),
    }
}

/// The first of the identifiers, in the order in which they decide.
fn device(session: &Value) -> String {
    let device = &session["device"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    text(&device["networkAccessIdentifier"])
        .or_else(|| text(&device["phoneNumber"]))
        .or_else(|| ipv4_address(&device["ipv4Address"]))
        .or_else(|| text(&device["ipv6Address"]))
        .unwrap_or_else(|| "-".to_owned())
}

/// As `--device` takes it.
fn ipv4_address(address: &Value) -> Option<String> {
    let public = address["publicAddress"].as_str()?;
    Some(match (address["publicPort"].as_u64(), address["privateAddress"].as_str()) {
        (Some(port), _) => format!("{public}:{port}"),
        (None, Some(private)) => format!("{public}/{private}"),
        (None, None) => public.to_owned(),
    })
}

fn server(session: &Value) -> String {
    let server = &session["applicationServer"];
    let found: Vec<&str> = [&server["ipv4Address"], &server["ipv6Address"]]
        .iter()
        .filter_map(|v| v.as_str())
        .collect();
    found.join(", ")
}

fn time_left(session: &Value) -> String {
    let expires_at = session["expiresAt"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let Some(expires_at) = expires_at else { return "-".to_owned() };
    let left = expires_at.duration_since(Timestamp::now());
    let length = Duration::from_secs_f64(left.unsigned_abs().as_secs_f64().round());
    if left.is_negative() {
        format!("{} ago", duration::show(length))
    } else {
        format!("in {}", duration::show(length))
    }
}
