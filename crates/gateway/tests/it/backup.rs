//! Backups, and gateways that go on from one.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use greenwave::backup::{self, Restored};
use greenwave_core::Clock;
use greenwave_network::ManualTimer;
use serde_json::{Value, json};

use crate::client::{SOON, eventually, within};
use crate::fixture::{Fixture, SESSIONS, SLOW, path, request, with};
use crate::program::{Process, greenwave};
use crate::receiver::Receiver;

/// A request whose events go to this receiver.
fn told(receiver: &Receiver, device: &str, seconds: u64) -> Value {
    let body = with(request(device), "webhook", json!({"notificationUrl": receiver.url()}));
    with(body, "duration", json!(seconds))
}

fn take(f: &Fixture) -> PathBuf {
    let file = f.directory.path().join("copy");
    backup::take(f.directory.path(), &file, f.timer.now()).unwrap();
    file
}

/// A gateway in a new directory, with what the backup shows and the network as it now is.
async fn restored(
    old: &tempfile::TempDir,
    timer: Arc<ManualTimer>,
    resend: bool,
) -> (Fixture, Restored) {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let (file, now) = (old.path().join("copy"), timer.now());
    let restored = backup::restore(&file, directory.path(), now, resend).await.unwrap();
    let rules = "network.jsonl";
    std::fs::copy(old.path().join(rules), directory.path().join(rules)).unwrap();
    (Fixture::open(directory, timer, Duration::ZERO).await, restored)
}

fn assert_sound(f: &Fixture) {
    let audit = greenwave_ledger::audit(f.directory.path(), f.timer.now(), true).unwrap();
    assert_eq!(audit.findings, Vec::<String>::new());
}

/// How many rows of a table of the ledger have this.
fn count(f: &Fixture, wanted: &str) -> i64 {
    let db = rusqlite::Connection::open(f.directory.path().join("ledger.db")).unwrap();
    let sql = format!("SELECT count(*) FROM {wanted}");
    db.query_row(&sql, [], |row| row.get(0)).unwrap()
}

/// A gateway that was backed up, went on, and was lost, with the sessions that it had.
///
/// At the backup: two sessions of an hour, of which one is deleted afterwards, one of ten seconds,
/// which ends afterwards, one that is only requested, and an event that is waiting and sent later.
async fn lost(receiver: &Receiver) -> (Arc<tempfile::TempDir>, Arc<ManualTimer>, Vec<String>) {
    let f = Fixture::with_grant_delay(SLOW).await;
    let mut ids = Vec::new();
    for (device, seconds) in [("long", 3_600), ("deleted", 3_600), ("short", 10)] {
        let id = f.create(told(receiver, &format!("{device}@testcsp.net"), seconds)).await;
        f.grant(&id).await;
        ids.push(id);
    }
    receiver.until(3).await;
    receiver.answer(500, &[]);
    let late = f.create(told(receiver, "late@testcsp.net", 3_600)).await;
    f.grant(&late).await;
    receiver.until(4).await;
    eventually("a wait", || count(&f, "outbox WHERE tries = 1") == 1).await;
    ids.extend([late, f.create(told(receiver, "requested@testcsp.net", 3_600)).await]);
    take(&f);

    f.grant(&ids[4]).await;
    f.api.delete(&path(&ids[1])).await;
    f.timer.pass(Duration::from_secs(12));
    // The requested one, the deleted one, the short one, and the one that was late.
    receiver.until(8).await;
    eventually("no wait", || count(&f, "outbox") == 0).await;
    let stray = f.create(told(receiver, "unknown@testcsp.net", 3_600)).await;
    f.grant(&stray).await;
    receiver.until(9).await;
    let (directory, timer) = f.stop().await;
    (directory, timer, ids)
}

fn event_ids(receiver: &Receiver) -> Vec<String> {
    let received = receiver.received();
    received.iter().map(|event| event.json["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_restore_sends_nothing_twice_and_goes_on() {
    let receiver = Receiver::start().await;
    let (old, timer, ids) = lost(&receiver).await;
    let (f, restored) = restored(&old, timer, false).await;
    assert_eq!(restored.not_sent, 2, "the one that was waiting, and the end of the short one");
    let note = "deliveries WHERE outcome = 2 AND note = 'not sent: restored from a backup'";
    assert_eq!(count(&f, note), 2);
    f.get(&ids[2]).await.assert_error(404, "NOT_FOUND");
    // The requested one is asked for again, the deleted one is there again, and the rule of the one
    // that is unknown goes.
    let mut live = ids.clone();
    live.remove(2);
    for id in &live {
        f.until(id, "AVAILABLE").await;
    }
    f.until_rules(&live).await;
    receiver.until(10).await;

    f.timer.pass(Duration::from_secs(3_600));
    f.until_rules(&[]).await;
    receiver.until(14).await;
    eventually("no wait", || count(&f, "outbox") == 0).await;
    assert_sound(&f);
    // One was tried twice, before it was lost.
    let sent = event_ids(&receiver);
    assert_eq!(sent.iter().collect::<HashSet<_>>().len(), sent.len() - 1, "{sent:?}");
}

#[tokio::test]
async fn a_restore_sends_again_what_it_is_told_to() {
    let receiver = Receiver::start().await;
    let (old, timer, _) = lost(&receiver).await;
    let before: HashSet<String> = event_ids(&receiver).into_iter().collect();
    let (f, restored) = restored(&old, timer, true).await;
    assert_eq!(restored.not_sent, 0);
    // What was waiting, that the requested one is available, and the end of the short one.
    receiver.until(12).await;
    let again = event_ids(&receiver).split_off(9);
    assert!(again.iter().all(|id| before.contains(id)), "a receiver can tell: {again:?}");
    assert_sound(&f);
}

/// Runs a command, and tells its exit code, its data and its talk.
fn run(arguments: &[&str], data: &Path) -> (Option<i32>, Value, String) {
    let mut command = greenwave();
    let output = command.args(arguments).arg("--json").arg("--data").arg(data).output().unwrap();
    let data = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), data, String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_a_gateway_elsewhere() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (data, file) = (first.path().join("data"), first.path().join("copy"));
    let process = Process::up(&data);
    let (_, key, _) = run(&["keys", "create", "--application", "shop"], &data);
    let key = key["key"].as_str().unwrap();
    let loads: Vec<_> = (0..4)
        .map(|worker| {
            let api = process.api();
            tokio::spawn(async move {
                for number in 0.. {
                    let body = request(&format!("d{worker}-{number}@testcsp.net")).to_string();
                    let api = api.clone().header("content-type", "application/json");
                    let answer = api.try_send(http::Method::POST, SESSIONS, &body).await;
                    let Ok(answer) = answer else { return };
                    if number % 2 == 0 && answer.status == 201 {
                        let delete = http::Method::DELETE;
                        let _ = api.try_send(delete, &path(&answer.id()), "").await;
                    }
                }
            })
        })
        .collect();
    let api = process.api();
    // Four of them may be about to be deleted.
    within(SOON, "load", async {
        while api.get(SESSIONS).await.json.as_array().is_none_or(|list| list.len() < 24) {}
    })
    .await;
    let name = file.to_str().unwrap();
    let (code, written, talk) = run(&["backup", name], &data);
    assert_eq!(code, Some(0), "{talk}");
    assert!(written["bytes"].as_u64().unwrap() > 4_096);
    process.kill();
    for load in loads {
        load.await.unwrap();
    }

    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(first.path()).unwrap().count(), 2, "nothing beside it");
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(key.len()).any(|bytes| bytes == key.as_bytes()), "no key in clear");
    let (code, seen, talk) = run(&["restore", "--check", name], second.path());
    assert_eq!((code, &seen["ok"]), (Some(0), &json!(true)), "{seen} {talk}");
    assert!(seen["live"].as_u64().unwrap() >= 20, "{seen}");
    assert_eq!(std::fs::read_dir(second.path()).unwrap().count(), 0, "only looked at");

    let (code, _, talk) = run(&["restore", name], second.path());
    assert_eq!(code, Some(0), "{talk}");
    let secret = std::fs::read_to_string(data.join("secret")).unwrap();
    let ledger = std::fs::read(second.path().join("ledger.db")).unwrap();
    let secret = secret.trim().as_bytes();
    assert!(!ledger.windows(secret.len()).any(|bytes| bytes == secret), "it is beside the ledger");
    let process = Process::up(second.path());
    let shop = crate::client::TestClient::with_key(process.root(), key);
    shop.get(SESSIONS).await.assert_ok();
    let (_, found, _) = run(&["doctor", "--audit"], second.path());
    let audit = found["checks"].as_array().unwrap().iter();
    let audit: Vec<_> = audit.filter(|check| check["check"] == "audit").collect();
    assert!(audit.is_empty(), "{audit:?}");
}

#[test]
fn nothing_is_overwritten_or_taken_for_a_backup() {
    let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = other.path().join("copy");
    let name = file.to_str().unwrap();
    let (code, _, talk) = run(&["backup", name], &data.path().join("none"));
    assert!(code == Some(1) && talk.contains("--data") && !file.exists(), "{talk}");
    Process::up(data.path()).terminate();
    assert_eq!(run(&["backup", name], data.path()).0, Some(0), "it need not run");
    let before = std::fs::read(&file).unwrap();
    let (code, _, talk) = run(&["backup", name], data.path());
    assert!(code == Some(1) && talk.contains("another file"), "{talk}");
    assert_eq!(std::fs::read(&file).unwrap(), before);

    let (code, _, talk) = run(&["restore", name], data.path());
    assert!(code == Some(1) && talk.contains("not empty"), "{talk}");
    let ledger = data.path().join("ledger.db");
    std::fs::write(other.path().join("empty"), "").unwrap();
    std::fs::write(other.path().join("half"), &before[..before.len() / 2]).unwrap();
    for file in [ledger.as_path(), &other.path().join("empty"), &other.path().join("none")] {
        let target = other.path().join("target");
        let (code, _, talk) = run(&["restore", file.to_str().unwrap()], &target);
        assert!(code == Some(1) && !target.exists(), "{talk}");
        assert_eq!(run(&["restore", "--check", file.to_str().unwrap()], &target).0, Some(1));
    }
    let half = other.path().join("half");
    assert_eq!(run(&["restore", "--check", half.to_str().unwrap()], other.path()).0, Some(1));
}
