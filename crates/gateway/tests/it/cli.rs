//! The command line, against a gateway that runs.

mod apps;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::program::{Process, greenwave};

struct Cli {
    directory: tempfile::TempDir,
    process: Process,
}

/// What a command printed.
struct Printed {
    code: Option<i32>,
    data: String,
    talk: String,
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            data: String::from_utf8(output.stdout).unwrap(),
            talk: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Printed {
    fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.talk);
        self
    }

    fn json(self) -> Value {
        let data = self.ok().data;
        serde_json::from_str(&data).unwrap_or_else(|_| panic!("no JSON: {data}"))
    }

    /// The talk of a command that failed.
    fn failed(self) -> String {
        assert_eq!((self.code, self.data.as_str()), (Some(1), ""), "{}", self.talk);
        self.talk
    }
}

fn run(data: &Path, arguments: &[&str]) -> Printed {
    greenwave().args(arguments).arg("--data").arg(data).output().unwrap().into()
}

impl Cli {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let process = Process::up(directory.path());
        Self { directory, process }
    }

    fn run(&self, arguments: &[&str]) -> Printed {
        run(self.directory.path(), arguments)
    }

    fn create(&self, device: &str) -> String {
        let arguments =
            ["sessions", "create", "--device", device, "--server", "203.0.113.5", "--json"];
        self.run(&arguments).json()["sessionId"].as_str().unwrap().to_owned()
    }
}

#[test]
fn sessions_are_created_looked_at_and_ended() {
    let cli = Cli::new();
    let created = cli.run(&[
        "sessions",
        "create",
        "--device",
        "+36721601234567",
        "--server",
        "2001:db8::5",
        "--profile",
        "QOS_S",
        "--duration",
        "5m",
        "--server-ports",
        "443,5000-5010",
        "--device-ports",
        "1-2",
        "--json",
    ]);
    let session = created.json();
    assert_eq!(session["device"]["phoneNumber"], "+36721601234567");
    assert_eq!(session["applicationServer"]["ipv6Address"], "2001:db8::5");
    assert_eq!((&session["qosProfile"], &session["duration"]), (&"QOS_S".into(), &300.into()));
    assert_eq!(session["applicationServerPorts"]["ports"][0], 443);
    assert_eq!(session["devicePorts"]["ranges"][0]["to"], 2);
    let id = session["sessionId"].as_str().unwrap();

    let shown = cli.run(&["sessions", "get", id]).ok().data;
    assert!(shown.contains(id) && shown.contains("QOS_S") && shown.contains("(in "), "{shown}");
    let extended = cli.run(&["sessions", "extend", id, "1m", "--json"]).json();
    assert_eq!(extended["duration"], 360);
    let deleted = cli.run(&["sessions", "delete", id]).ok();
    assert!(deleted.data.is_empty() && deleted.talk.contains("has ended"), "{}", deleted.talk);
    assert!(cli.run(&["sessions", "get", id]).failed().contains("greenwave sessions list"));
}

#[test]
fn sessions_are_listed_and_cleared() {
    let cli = Cli::new();
    assert!(cli.run(&["sessions", "list"]).ok().talk.contains("There are no sessions"));
    let (one, other) = (cli.create("one@testcsp.net"), cli.create("other@testcsp.net"));
    let table = cli.run(&["sessions", "list"]).ok().data;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("SESSION") && lines[1].starts_with(&one), "{table}");
    let of_one = cli.run(&["sessions", "list", "--device", "one@testcsp.net", "--json"]).json();
    assert_eq!(of_one.as_array().unwrap().len(), 1);

    let cleared = cli.run(&["sessions", "clear", "--device", "one@testcsp.net"]).ok();
    assert_eq!(cleared.talk, "1 session has ended.\n");
    let cleared = cli.run(&["sessions", "clear", "--all", "--json"]).json();
    assert_eq!(cleared["deleted"], Value::from(vec![other]));
    assert_eq!(cli.run(&["sessions", "list", "--json"]).json(), Value::Array(vec![]));
}

#[test]
fn more_sessions_than_a_page_are_all_listed() {
    let cli = Cli::new();
    for number in 0..105 {
        let api = cli.process.api();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let body = crate::fixture::request(&format!("device-{number}@testcsp.net"));
        let answer = runtime.block_on(api.post(crate::fixture::SESSIONS, body));
        assert_eq!(answer.status, 201);
    }
    let listed = cli.run(&["sessions", "list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 105);
    let cleared = cli.run(&["sessions", "clear", "--all"]).ok();
    assert_eq!(cleared.talk, "105 sessions have ended.\n");
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let cli = Cli::new();
    let key = cli.run(&["keys", "create", "--application", "shop", "--label", "test"]).ok();
    assert!(key.data.starts_with("gw_test_"), "{}", key.data);
    assert!(key.talk.contains("not shown again"), "{}", key.talk);
    let list = cli.run(&["keys", "list", "--json"]).json();
    assert_eq!(list[1]["application"], "shop");
    let table = cli.run(&["keys", "list"]).ok().data;
    assert!(table.contains("shop") && !table.contains(key.data.trim()), "{table}");

    let use_key = || {
        let mut command = greenwave();
        command.args(["sessions", "list", "--json", "--url", cli.process.root()]);
        command.env("GREENWAVE_KEY", key.data.trim());
        Printed::from(command.output().unwrap())
    };
    assert_eq!(use_key().json(), Value::Array(vec![]));
    let id = list[1]["id"].to_string();
    cli.run(&["keys", "revoke", &id]).ok();
    assert!(use_key().failed().contains("greenwave keys"));
    assert!(cli.run(&["keys", "revoke", &id]).failed().contains("greenwave keys list"));
}

#[test]
fn faults_are_added_listed_and_cleared() {
    let cli = Cli::new();
    assert!(cli.run(&["faults", "list"]).ok().talk.contains("greenwave faults add"));
    let added = cli.run(&["faults", "add", "provision", "refuses", "--times", "1"]).ok();
    assert_eq!(added.talk, "Fault 1: provision refuses. To end it: greenwave faults clear 1\n");
    let mut late = vec!["faults", "add", "release", "answers-late", "--delay", "1500ms"];
    late.extend(["--device", "other@testcsp.net", "--cell", "stadium", "--probability", "0.5"]);
    let late = cli.run(&[&late[..], &["--json"]].concat()).json();
    assert_eq!((&late["id"], &late["delayMs"]), (&2.into(), &1_500.into()));
    let table = cli.run(&["faults", "list"]).ok().data;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("ID") && lines[1].contains("provision refuses"), "{table}");
    let only = "--probability 0.5 --device other@testcsp.net --cell stadium";
    assert!(lines[2].contains("answers-late --delay 1500ms") && lines[2].contains(only), "{table}");

    let id = cli.create("device@testcsp.net");
    let refused = || cli.run(&["sessions", "get", &id, "--json"]).json();
    let mut session = refused();
    while session["qosStatus"] == "REQUESTED" {
        session = refused();
    }
    assert_eq!(session["statusInfo"], "NETWORK_TERMINATED");
    // It was to strike once.
    assert!(cli.run(&["faults", "clear", "1"]).failed().contains("greenwave faults list"));
    assert_eq!(cli.run(&["faults", "list", "--json"]).json(), Value::from(vec![late]));
    assert!(cli.run(&["faults", "clear", "2"]).ok().talk.contains("not happen any more"));
    cli.run(&["faults", "add", "list", "busy", "--retry-after", "1m"]).ok();
    cli.run(&["faults", "clear"]).ok();
    assert_eq!(cli.run(&["faults", "list", "--json"]).json(), Value::Array(vec![]));
}

#[test]
fn devices_leave_and_come_back() {
    let cli = Cli::new();
    let name = "device@testcsp.net";
    cli.create(name);
    let left = cli.run(&["devices", "detach", name]).ok().talk;
    assert!(left.contains("greenwave devices attach device@testcsp.net"), "{left}");
    let back = cli.run(&["devices", "attach", name]).ok().talk;
    assert_eq!(back, "device@testcsp.net is back in the network.\n");
    assert!(cli.run(&["devices", "attach", name]).ok().talk.contains("already"));
    let gone = cli.run(&["devices", "detach", name, "--json"]).json();
    assert_eq!(gone, serde_json::json!({"rules": 0}));
    assert!(cli.run(&["devices", "detach", "5"]).failed().contains("device"));
}

#[test]
fn a_fault_that_cannot_be_is_told() {
    let cli = Cli::new();
    for (arguments, field) in [
        (&["provision", "answers-late"][..], "delayMs"),
        (&["provision", "fails", "--delay", "1s"], "delayMs"),
        (&["release", "refuses"], "operation"),
        (&["list", "fails", "--cell", "stadium"], "operation"),
        (&["release", "fails", "--cell", "moon"], "cell"),
    ] {
        let talk = cli.run(&[&["faults", "add"], arguments].concat()).failed();
        assert!(talk.contains(field) && talk.contains("greenwave faults add --help"), "{talk}");
    }
    let usage = |arguments: &[&str]| cli.run(&[&["faults", "add"], arguments].concat());
    for arguments in [&["provision"][..], &["provision", "x"], &["x", "fails"]] {
        assert_eq!(usage(arguments).code, Some(2), "{arguments:?}");
    }
    let help = usage(&["--help"]).ok().data;
    assert!(help.contains("never-answers") && help.contains("no answer comes"), "{help}");
}

#[test]
fn errors_name_the_command_that_helps() {
    let nowhere = tempfile::tempdir().unwrap();
    let talk = run(nowhere.path(), &["sessions", "list"]).failed();
    assert!(talk.contains("greenwave up"), "{talk}");
    for command in ["keys", "faults"] {
        let talk = run(nowhere.path(), &[command, "list"]).failed();
        assert!(talk.contains("greenwave up"), "{talk}");
    }
    let unreachable = ["sessions", "list", "--url", "http://127.0.0.1:1", "--key", "gw_test_x"];
    let talk = run(nowhere.path(), &unreachable).failed();
    assert!(talk.contains("greenwave up"), "{talk}");

    let cli = Cli::new();
    let unknown = ["sessions", "create", "--device", "x@example.com", "--server", "203.0.113.5"];
    let talk = cli.run(&unknown).failed();
    assert!(talk.contains("testcsp.net"), "{talk}");
    let mut json = unknown.to_vec();
    json.push("--json");
    let error: Value = serde_json::from_str(&cli.run(&json).failed()).unwrap();
    assert_eq!(error["error"]["code"], "INVALID_ARGUMENT");
    let talk = cli.run(&["sessions", "get", "../../keys"]).failed();
    assert!(talk.contains("greenwave sessions list"), "{talk}");
}

#[test]
fn usage_errors_are_told_apart() {
    let usage = |arguments: &[&str]| Printed::from(greenwave().args(arguments).output().unwrap());
    for arguments in [
        &["sessions", "clear"][..],
        &["sessions", "create"],
        &["up", "--port", "70000"],
        &["nonsense"],
    ] {
        assert_eq!(usage(arguments).code, Some(2), "{arguments:?}");
    }
    assert!(usage(&["--help"]).ok().data.contains("sandbox gateway"));
    assert!(usage(&["--version"]).ok().data.starts_with("greenwave "));
}

#[test]
fn completion_is_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Printed::from(greenwave().args(["completion", shell]).output().unwrap());
        let script = script.ok().data;
        assert!(script.contains("sessions") && script.contains("retry-after"), "{shell}");
        // What clap_complete writes for fish has commands and options, but no values of arguments.
        assert_eq!(script.contains("never-answers"), shell != "fish", "{shell}");
    }
}

#[test]
fn the_doctor_finds_what_is_wrong_and_only_that() {
    let cli = Cli::new();
    let open = cli.run(&["doctor"]);
    assert!(open.data.contains("others can get at"), "{}", open.data);
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(cli.directory.path(), private).unwrap();
    cli.run(&["sessions", "create", "--device", "a@testcsp.net", "--server", "203.0.113.5"]).ok();
    while !cli.run(&["sessions", "list"]).ok().data.contains("AVAILABLE") {}
    let healthy = cli.run(&["doctor", "--audit"]).ok();
    assert!(healthy.data.contains("1 sessions live"), "{}", healthy.data);

    let rules = cli.directory.path().join("network.jsonl");
    let text = std::fs::read_to_string(&rules).unwrap();
    let Cli { directory, process } = cli;
    drop(process);
    // Another session's rule, and none for the one that there is.
    let line = text.lines().next().unwrap();
    let session = line.split("\"session\":\"").nth(1).unwrap()[..36].to_owned();
    let other = format!("{}{}", &session[..35], if session.ends_with('0') { '1' } else { '0' });
    std::fs::write(&rules, format!("{}\n", line.replace(&session, &other))).unwrap();
    let sick = run(directory.path(), &["doctor", "--audit", "--json"]);
    assert_eq!(sick.code, Some(1));
    let found: Value = serde_json::from_str(&sick.data).unwrap();
    assert_eq!(found["ok"], false);
    let wrong: Vec<&str> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| check["seen"].as_str().unwrap())
        .collect();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(
        wrong.iter().any(|text| text.contains("no rule for session") && text.contains(&session))
    );
    assert!(wrong.iter().any(|text| text.contains("has a rule") && text.contains(&other)));

    let none = tempfile::tempdir().unwrap();
    let nothing = run(&none.path().join("none"), &["doctor"]);
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.data.contains("greenwave up --data"), "{}", nothing.data);
}
