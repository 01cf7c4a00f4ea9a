//! The program itself, started and killed, with the real clock.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::{Resource, Rlimit};
use serde_json::{Value, json};

use crate::client::{SOON, TestClient, within};
use crate::fixture::{SESSIONS, path, request, rules_in, tutorial, with};
use crate::program::{Process, greenwave};
use crate::receiver::Receiver;

#[tokio::test]
async fn it_is_ready_when_it_says_so_and_soon() {
    let directory = tempfile::tempdir().unwrap();
    let process = Process::up(&directory.path().join("made/on/the/way"));
    process.api().get("/readyz").await.assert_ok();
    assert!(process.ready_after < Duration::from_secs(1), "{:?}", process.ready_after);
    let file = directory.path().join("made/on/the/way/sandbox.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(file, process.printed);
    for entry in std::fs::read_dir(directory.path().join("made/on/the/way")).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let path = entry.path();
        assert!(mode == 0o600 || path.ends_with("ledger.lock"), "{}: {mode:o}", path.display());
    }
    let (code, _) = process.terminate();
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn started_again_it_goes_on_with_the_same_key() {
    let directory = tempfile::tempdir().unwrap();
    let first = Process::up(directory.path());
    let id = first.api().post(SESSIONS, tutorial()).await.id();
    let key = first.key().to_owned();
    first.terminate();
    let second = Process::up(directory.path());
    assert_eq!(second.key(), key);
    second.api().get(&path(&id)).await.assert_ok();
}

#[test]
fn a_ledger_of_a_newer_version_is_refused_for_good() {
    let directory = tempfile::tempdir().unwrap();
    Process::up(directory.path()).terminate();
    let file = directory.path().join("ledger.db");
    rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&file).unwrap();
    let data = directory.path().to_str().unwrap();
    let ended = greenwave().args(["up", "--port", "0", "--data", data]).output().unwrap();
    assert_eq!(ended.status.code(), Some(78), "no use in starting it again");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("newer"), "{ended:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before, "it is not touched");
}

/// Other tests have it die at chosen points; a program that people run has none of that in it.
#[test]
#[cfg(not(feature = "crash-points"))]
fn it_has_no_crash_points() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_greenwave")).unwrap();
    let has = |text: &str| program.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("GREENWAVE_DATA"));
    assert!(!has("GREENWAVE_CRASH_AT") && !has("ledger.before_commit"));
}

/// A disk that fails, as far as a test can have one: no file may become longer than the log is. A
/// full disk would say something else.
#[tokio::test]
async fn a_disk_that_fails_ends_it_at_once_and_a_new_start_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    // The signal for it is to be left alone, as the program itself does not ask for it.
    let mut command = Command::new("sh");
    let script = "trap '' XFSZ && exec \"$0\" \"$@\"";
    command.args(["-c", script, env!("CARGO_BIN_EXE_greenwave")]);
    let process = Process::start(command, directory.path(), &[]).unwrap();
    let kept = process.api().post(SESSIONS, tutorial()).await.id();
    process.api().get_until(&path(&kept), |answer| answer.is_status("AVAILABLE")).await;
    let log = std::fs::metadata(directory.path().join("ledger.db-wal")).unwrap().len();
    let limit = Rlimit { current: Some(log), maximum: Some(log) };
    rustix::process::prlimit(Some(process.id()), Resource::Fsize, limit).unwrap();
    let api = process.api().header("content-type", "application/json");
    let body = request("other@testcsp.net").to_string();
    // It may be gone before it has said so; what it must not say is that it is done.
    let answer = api.try_send(http::Method::POST, SESSIONS, &body).await;
    assert!(answer.as_ref().map_or(true, |answer| answer.status == 503), "{answer:?}");
    let (code, log) = process.wait();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("stopping at once") && log.contains("check the disk"), "{log}");
    let again = Process::up(directory.path());
    again.api().get(&path(&kept)).await.assert_ok();
}

/// What it says when it cannot start.
fn refused(data: &Path, port: &str) -> String {
    let output = greenwave().args(["up", "--port", port, "--data"]).arg(data).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_is_in_the_way_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let process = Process::up(directory.path());
    let message = refused(directory.path(), "0");
    assert!(message.contains(&format!("process {}", process.child.id())), "{message}");
    assert!(message.contains("--data"), "{message}");

    let port = process.root().rsplit_once(':').unwrap().1;
    let other = tempfile::tempdir().unwrap();
    let message = refused(other.path(), port);
    assert!(message.contains(port) && message.contains("--port"), "{message}");
    assert!(std::fs::read_dir(other.path()).unwrap().next().is_none(), "nothing was written");

    let file = directory.path().join("sandbox.json");
    let message = refused(&file, "0");
    assert!(message.contains("sandbox.json"), "{message}");
}

#[test]
fn the_curl_line_works_when_it_is_pasted() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = greenwave()
        .args(["up", "--port", "0", "--data"])
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.starts_with("curl ")).unwrap();
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let session: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(session["qosStatus"], "REQUESTED", "{session}");
}

/// Every session that was acknowledged before a kill at any moment is there after it, every rule in
/// the network belongs to a session, and every session has its rule.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_a_thousand_sessions_loses_none() {
    let directory = tempfile::tempdir().unwrap();
    let process = Process::up(directory.path());
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let mut creates = Vec::new();
    for worker in 0..8 {
        let (api, acknowledged) = (process.api(), Arc::clone(&acknowledged));
        creates.push(tokio::spawn(async move {
            for number in 0.. {
                let body = request(&format!("device-{worker}-{number}@testcsp.net"));
                let body = with(body, "duration", json!(3_600)).to_string();
                let api = api.header("content-type", "application/json");
                let answer = api.try_send(http::Method::POST, SESSIONS, &body).await;
                let Ok(answer) = answer else { return };
                acknowledged.lock().unwrap().push(answer.id());
            }
        }));
    }
    let enough = async {
        while acknowledged.lock().unwrap().len() < 1_000 {
            tokio::task::yield_now().await;
        }
    };
    within(SOON, "a thousand sessions", enough).await;
    process.kill();
    for create in creates {
        create.await.unwrap();
    }
    let acknowledged = acknowledged.lock().unwrap().clone();

    let process = Process::up(directory.path());
    assert!(process.ready_after < Duration::from_secs(2), "{:?}", process.ready_after);
    let api = process.api();
    for id in &acknowledged {
        api.get_until(&path(id), |answer| answer.is_status("AVAILABLE")).await;
    }
    let live = within(SOON, "rules that equal the sessions", async {
        loop {
            let live = all_sessions(&api).await;
            if live == rules_in(&directory.path().join("network.jsonl")) {
                return live;
            }
        }
    })
    .await;
    assert!(live.len() >= acknowledged.len());
}

async fn all_sessions(api: &TestClient) -> Vec<String> {
    let mut ids = Vec::new();
    for page in 1.. {
        let list = api.get(&format!("{SESSIONS}?page={page}")).await;
        let list = list.json.as_array().unwrap().clone();
        if list.is_empty() {
            break;
        }
        ids.extend(list.iter().map(|session| session["sessionId"].as_str().unwrap().to_owned()));
    }
    ids.sort();
    ids
}

/// On the real clock: nothing is AVAILABLE after its `expiresAt`, and nothing is gone before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_sessions_end_by_themselves_and_none_early() {
    let directory = tempfile::tempdir().unwrap();
    let process = Process::up(directory.path());
    let receiver = Receiver::start().await;
    let mut watching = Vec::new();
    for number in 0..30 {
        let body = request(&format!("device-{number}@testcsp.net"));
        let webhook = json!({"notificationUrl": receiver.url()});
        let body = with(with(body, "duration", json!(1 + number % 3)), "webhook", webhook);
        let api = process.api();
        watching.push(tokio::spawn(async move {
            let id = api.post(SESSIONS, body).await.id();
            watch_until_gone(&api, &id).await;
        }));
    }
    for watch in watching {
        watch.await.unwrap();
    }
    for event in receiver.until(60).await {
        let time: Timestamp = event.json["time"].as_str().unwrap().parse().unwrap();
        assert!(time <= Timestamp::now());
    }
    assert_eq!(rules_in(&directory.path().join("network.jsonl")), Vec::<String>::new());
}

async fn watch_until_gone(api: &TestClient, id: &str) {
    let available = api.get_until(&path(id), |answer| answer.is_status("AVAILABLE")).await;
    let expires_at: Timestamp = available.json["expiresAt"].as_str().unwrap().parse().unwrap();
    loop {
        let before = Timestamp::now();
        let answer = api.get(&path(id)).await;
        let after = Timestamp::now();
        // The gateway's clock leans towards the wall clock and may be this far from it.
        let slack = Duration::from_millis(2);
        match answer.status {
            200 => assert!(before < expires_at + slack, "AVAILABLE after its end"),
            404 => {
                assert!(after + slack >= expires_at, "gone before its end");
                return;
            }
            status => panic!("{status}: {answer:?}"),
        }
    }
}
