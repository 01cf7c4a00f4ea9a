//! The tool itself, against real gateways for a fraction of a second. What is asserted is what was
//! answered, never how fast.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod table;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

pub(crate) const JOBS: [&str; 4] = ["create", "get", "list", "delete"];

/// The tool, with nothing of the environment that would change what it starts.
pub(crate) fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenwave-bench"));
    for name in ["DATA", "PORT", "LOG"] {
        command.env_remove(format!("GREENWAVE_{name}"));
    }
    command.args(arguments);
    command
}

pub(crate) fn report(output: &Output) -> Value {
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    assert_eq!(talk, "");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How large each answer was; the same for all.
pub(crate) fn answer_size(phase: &Value) -> u64 {
    let (requests, bytes) = (phase["requests"].as_u64().unwrap(), phase["bytes"].as_u64().unwrap());
    assert!(requests > 0, "{phase}");
    assert_eq!(phase["errors"], json!({}), "{phase}");
    assert_eq!(bytes % requests, 0, "answers of several sizes: {phase}");
    bytes / requests
}

/// A gateway as a process of its own. It is killed when this is dropped.
struct Gateway(Child);

impl Gateway {
    fn up(data: &Path) -> Self {
        let mut up = bench(&["up", "--json", "--port", "0", "--data"]);
        let up = up.arg(data).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = up.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_gateway_and_the_echo_answer_alike() {
    let arguments =
        ["compare", "--rounds", "1", "--seconds", "0.1", "--connections", "4", "--json"];
    let report = report(&bench(&arguments).output().unwrap());
    let jobs = report["jobs"].as_array().unwrap();
    let names: Vec<_> = jobs.iter().map(|job| job["job"].as_str().unwrap()).collect();
    assert_eq!(names, JOBS);
    for job in jobs {
        let rounds = |side: &str| job[side].as_array().unwrap().clone();
        let (echo, gateway) = (rounds("echo_rounds"), rounds("gateway_rounds"));
        assert_eq!((echo.len(), gateway.len()), (1, 1));
        let sizes: Vec<_> = echo.iter().chain(&gateway).map(answer_size).collect();
        assert!(sizes.iter().all(|size| *size == sizes[0]), "{job}");
        assert_eq!(sizes[0] == 0, job["job"] == "delete");
    }
}

#[test]
fn every_life_is_lived_to_its_end() {
    let arguments =
        ["life", "--rate", "100", "--seconds", "0.3", "--pause", "0.02", "--connections", "4"];
    let report = report(&bench(&arguments).arg("--json").output().unwrap());
    let phases = report["phases"].as_array().unwrap();
    let names: Vec<_> = phases.iter().map(|phase| phase["job"].as_str().unwrap()).collect();
    assert_eq!(names, JOBS);
    for phase in phases {
        answer_size(phase);
        assert_eq!(phase["requests"], 30, "{phase}");
        let at = |quantile: &str| phase[format!("{quantile}_us")].as_u64().unwrap();
        let rising = [at("p50"), at("p90"), at("p99"), at("p999"), at("max")];
        assert!(rising[0] > 0 && rising.is_sorted(), "{phase}");
    }
}

#[test]
fn a_running_gateway_is_loaded_as_far_as_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let _gateway = Gateway::up(directory.path());
    let load = ["load", "--json", "--connections", "4", "--seconds", "0.1", "--data"];
    let made = bench(&load).arg(directory.path()).args(["--until", "create"]).output().unwrap();
    let made = report(&made);
    assert_eq!(made["phases"].as_array().unwrap().len(), 1);
    answer_size(&made["phases"][0]);

    let all = report(&bench(&load).arg(directory.path()).output().unwrap());
    let phases = all["phases"].as_array().unwrap();
    assert_eq!(phases.len(), JOBS.len());
    for phase in phases {
        answer_size(phase);
        assert!(phase["cpu_seconds"].is_number(), "{phase}");
    }
}

#[test]
fn an_error_is_counted_and_no_success() {
    let directory = tempfile::tempdir().unwrap();
    let _gateway = Gateway::up(directory.path());
    let file = directory.path().join("sandbox.json");
    let mut sandbox: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    sandbox["application_key"] = json!("not-a-key");
    std::fs::write(&file, sandbox.to_string()).unwrap();

    let life = ["life", "--rate", "50", "--seconds", "0.1", "--pause", "0.02", "--json", "--data"];
    let load = ["load", "--connections", "5", "--seconds", "0.1", "--json", "--data"];
    for arguments in [&life[..], &load[..]] {
        let output = bench(arguments).arg(directory.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let create = &report["phases"][0];
        assert_eq!(create["requests"], 0, "{create}");
        assert_eq!(create["errors"], json!({"401": 5}), "{create}");
    }
}

#[test]
fn sessions_are_seen_to_end_by_their_events_and_rules() {
    let arguments = ["lateness", "--sessions", "12", "--shortest", "1", "--longest", "2"];
    let more = ["--over", "0.2", "--load", "20", "--json"];
    let report = report(&bench(&arguments).args(more).output().unwrap());
    assert_eq!(report["sessions"], 12, "{report}");
    assert_eq!(report["early"], 0, "{report}");
    assert_eq!(report["errors"], json!({}), "{report}");
    for what in ["events", "rules"] {
        assert_eq!(report[what]["count"], 12, "{report}");
        let at = |quantile: &str| report[what][format!("{quantile}_us")].as_u64().unwrap();
        assert!(at("p50") > 0 && at("p50") <= at("max"), "{report}");
    }
    assert!(report["load"]["requests"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn what_ran_out_without_a_gateway_ends_when_it_comes_back() {
    let arguments = ["outage", "--sessions", "600", "--down", "60", "--receivers", "7", "--json"];
    let report = report(&bench(&arguments).output().unwrap());
    assert_eq!(report["sessions"], 600, "{report}");
    assert_eq!(report["errors"], json!({}), "{report}");
    let after = |what: &str| report[format!("{what}_s")].as_f64().unwrap();
    assert!(after("ready") > 0.0 && after("ended") > 0.0, "{report}");
    assert!(after("settled") >= after("ended"), "{report}");
    assert!(after("rules_gone") > 0.0, "{report}");
}
