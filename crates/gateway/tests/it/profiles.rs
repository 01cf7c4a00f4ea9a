//! The operator's profiles: the file, the admin API and the command line.

use std::path::Path;

use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, TestClient};
use crate::fixture::{Fixture, SESSIONS, request, with};
use crate::program::{Process, greenwave};

const PROFILES: &str = "/greenwave/v1/profiles";

async fn put(f: &Fixture, name: &str, profile: &Value) -> Answer {
    put_with(&f.admin, name, &profile.to_string()).await
}

async fn put_with(admin: &TestClient, name: &str, body: &str) -> Answer {
    let admin = admin.header("content-type", "application/json");
    admin.send(Method::PUT, &format!("{PROFILES}/{name}"), body).await
}

async fn get(f: &Fixture, name: &str) -> Value {
    f.admin.get(&format!("{PROFILES}/{name}")).await.json
}

fn file(f: &Fixture) -> std::path::PathBuf {
    f.directory.path().join("profiles.json")
}

#[tokio::test]
async fn what_is_built_in_is_there_without_a_file() {
    let f = Fixture::new().await;
    let list = f.admin.get(PROFILES).await;
    assert_eq!(list.json.as_array().unwrap().len(), 13);
    let profile = get(&f, "QOS_E").await;
    assert_eq!(profile["5qi"], 3);
    assert_eq!(profile["arp"]["preemptVuln"], "PREEMPTABLE");
    assert_eq!(list.json[0], profile);
    assert!(!file(&f).exists());
}

#[tokio::test]
async fn a_profile_that_is_put_counts_at_once_and_for_good() {
    let f = Fixture::new().await;
    let mut profile = get(&f, "QOS_L").await;
    profile["name"] = json!("MINE");
    profile["maxDownstreamRate"] = json!({"value": 1500, "unit": "Mbps"});
    profile["maxDuration"] = json!({"value": 2, "unit": "Minutes"});
    let added = put(&f, "MINE", &profile).await;
    assert_eq!((added.status, &added.json), (201, &profile));
    let asked = with(request("a@testcsp.net"), "qosProfile", json!("MINE"));
    f.create(asked.clone()).await;
    let too_long = with(asked, "duration", json!(121));
    f.api.post(SESSIONS, too_long).await.assert_error(400, "OUT_OF_RANGE");

    profile["maxDuration"] = json!({"value": 3, "unit": "Minutes"});
    assert_eq!(put(&f, "MINE", &profile).await.status, 200);
    let (directory, timer) = f.stop().await;
    let f = Fixture::open(directory, timer, std::time::Duration::ZERO).await;
    assert_eq!(get(&f, "MINE").await, profile, "1500 Mbps are kept as they are");
    assert_eq!(f.admin.get(PROFILES).await.json.as_array().unwrap().len(), 14);
}

#[tokio::test]
async fn an_inactive_profile_stays_for_the_sessions_that_have_it() {
    let f = Fixture::new().await;
    let id = f.live(request("a@testcsp.net")).await;
    let inactive = with(get(&f, "QOS_L").await, "status", json!("INACTIVE"));
    assert_eq!(put(&f, "QOS_L", &inactive).await.status, 200);
    let refused = f.api.post(SESSIONS, request("b@testcsp.net")).await;
    refused.assert_error(400, "INVALID_ARGUMENT");
    assert!(f.get(&id).await.is_status("AVAILABLE"));
    let longer = json!({"requestedAdditionalDuration": 60});
    assert_eq!(f.api.post(&format!("{SESSIONS}/{id}/extend"), longer).await.json["duration"], 120);
    let f = f.crash().await;
    assert!(f.get(&id).await.is_status("AVAILABLE"), "the network knows it still");
    f.until_rules(&[id]).await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_changes_nothing() {
    let f = Fixture::new().await;
    let profile = get(&f, "QOS_L").await;
    for (member, value) in [
        ("name", json!("OTHER")),
        ("priority", json!(0)),
        ("maxRate", json!(1)),
        ("status", json!("GONE")),
        ("onlyFor", json!([{"phoneNumber": "no"}])),
    ] {
        let refused = put(&f, "QOS_L", &with(profile.clone(), member, value)).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        let message = refused.json["message"].as_str().unwrap();
        assert!(message.starts_with(member), "{message}");
    }
    put(&f, "QO", &profile).await.assert_error(400, "INVALID_ARGUMENT");
    put_with(&f.admin, "QOS_L", "").await.assert_error(400, "INVALID_ARGUMENT");
    assert_eq!(get(&f, "QOS_L").await, profile);
    assert!(!file(&f).exists());
    f.admin.get(&format!("{PROFILES}/no-such")).await.assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_profile_is_never_removed() {
    let f = Fixture::new().await;
    let refused = f.admin.delete(&format!("{PROFILES}/QOS_L")).await;
    refused.assert_error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(refused.headers["allow"], "GET, HEAD, PUT");
    assert!(refused.json["message"].as_str().unwrap().contains("INACTIVE"));
    f.create(request("a@testcsp.net")).await;
}

#[tokio::test]
async fn only_the_operator_sees_them_so() {
    let f = Fixture::new().await;
    let stranger = TestClient::new(&f.admin.root);
    for path in [PROFILES.to_owned(), format!("{PROFILES}/QOS_L")] {
        stranger.get(&path).await.assert_error(401, "UNAUTHENTICATED");
    }
    put_with(&stranger, "QOS_L", "{}").await.assert_error(401, "UNAUTHENTICATED");
    let path = format!("{PROFILES}/QOS_L");
    stranger.delete(&path).await.assert_error(401, "UNAUTHENTICATED");
    f.api.get(PROFILES).await.assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn the_simulated_network_guarantees_what_the_profile_says_now() {
    let f = Fixture::new().await;
    let mut profile = get(&f, "QOS_E").await;
    for member in ["targetMinUpstreamRate", "maxUpstreamRate"] {
        profile[member] = json!({"value": 70, "unit": "Mbps"});
    }
    put(&f, "QOS_E", &profile).await;
    let asked = |port: u16| {
        let ports = json!({"ports": [port]});
        let asked = with(request("a@testcsp.net"), "qosProfile", json!("QOS_E"));
        with(asked, "devicePorts", ports)
    };
    f.live(asked(1)).await;
    let second = f.create(asked(2)).await;
    f.until(&second, "UNAVAILABLE").await;
}

fn run(data: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = greenwave().args(arguments).arg("--data").arg(data).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_gateway_does_not_start_on_profiles_that_it_cannot_use() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("profiles.json");
    for (text, told) in [
        ("{", "not a JSON object"),
        ("{\"profiles\": [{\"name\": \"MINE\", \"status\": \"ON\"}]}", "MINE."),
        ("{\"profiles\": []}", "profiles: "),
    ] {
        std::fs::write(&path, text).unwrap();
        let (code, _, talk) = run(data.path(), &["up", "--port", "0"]);
        assert_eq!(code, Some(78), "no use in starting it again: {talk}");
        assert!(talk.contains("profiles.json") && talk.contains(told), "{talk}");
        assert!(talk.contains("try: correct the file"), "{talk}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        let (_, found, _) = run(data.path(), &["doctor"]);
        assert!(found.contains("profiles.json") && found.contains(told), "{found}");
    }
    assert!(!data.path().join("ledger.db").exists(), "nothing was begun");
}

#[test]
fn profiles_on_the_command_line() {
    let data = tempfile::tempdir().unwrap();
    let gateway = Process::up(data.path());
    let run = |arguments: &[&str]| run(data.path(), arguments);
    let ok = |arguments: &[&str]| {
        let (code, printed, talk) = run(arguments);
        assert_eq!(code, Some(0), "{talk}");
        (printed, talk)
    };
    let (table, _) = ok(&["profiles", "list"]);
    assert!(table.contains("500 kbps down, 500 kbps up"), "{table}");
    assert_eq!(table.lines().count(), 14, "{table}");
    let (shown, _) = ok(&["profiles", "show", "QOS_M"]);
    assert!(shown.contains("8 Mbps") && shown.contains("ACTIVE"), "{shown}");

    let (json, _) = ok(&["profiles", "show", "QOS_M", "--json"]);
    let file = data.path().join("profile.json");
    std::fs::write(&file, json.replace("QOS_M", "MINE").replace("\"value\": 8", "\"value\": 9"))
        .unwrap();
    let file = file.to_str().unwrap();
    assert!(ok(&["profiles", "put", file]).1.contains("Profile MINE is ACTIVE"));
    assert!(ok(&["profiles", "set-status", "MINE", "deprecated"]).1.contains("DEPRECATED"));
    let (list, _) = ok(&["profiles", "list", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let mine = list.as_array().unwrap().last().unwrap();
    assert_eq!((&mine["name"], &mine["status"]), (&json!("MINE"), &json!("DEPRECATED")));
    assert_eq!(mine["maxUpstreamRate"]["value"], 9);

    for (arguments, told) in [
        (&["profiles", "show", "no-such"][..], "greenwave profiles list"),
        (&["profiles", "show", "a/b"], "greenwave profiles list"),
        (&["profiles", "put", "/no/such/file"], "/no/such/file"),
        (&["profiles", "set-status", "QOS_L", "gone"], "deprecated"),
    ] {
        let (code, _, talk) = run(arguments);
        assert!(code != Some(0) && talk.contains(told), "{talk}");
    }
    std::fs::write(data.path().join("wrong.json"), "{\"name\": \"MINE\"}").unwrap();
    let wrong = data.path().join("wrong.json");
    let (code, _, talk) = run(&["profiles", "put", wrong.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(talk.contains("maxDownstreamRate") && talk.contains("profiles show QOS_L --json"));

    // What an SDK asks for.
    let client = greenwave_sdk::blocking::Client::builder().base_url(gateway.root());
    let client = client.build(gateway.key()).unwrap();
    let profiles = client.qos_profiles().unwrap();
    assert_eq!(profiles.len(), 14);
    let mine = profiles.iter().find(|profile| profile.name() == "MINE").unwrap();
    assert_eq!(mine.status(), Some("DEPRECATED"));
}
