//! Requests that are made again under the same key.

use std::path::Path;
use std::time::Duration;

use greenwave_core::Clock;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::client::{Answer, SOON, TestClient, eventually, within};
use crate::fixture::{Fixture, SESSIONS, path, request, tutorial, with};
use crate::raw::RawClient;

const KEY: &str = "8e03978e-40d5-43e8-bc93-6894a57f9324";
const DAY: Duration = Duration::from_secs(86_400);

fn named(client: &TestClient, key: &str) -> TestClient {
    client.header("Idempotency-Key", key)
}

fn is_replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

/// Panics unless the second is the first once more, said to be so.
fn assert_replay(first: &Answer, second: &Answer) {
    assert!(!is_replayed(first), "{first:?}");
    assert!(is_replayed(second), "{second:?}");
    assert_eq!((first.status, &first.bytes), (second.status, &second.bytes));
    for header in ["location", "content-type"] {
        assert_eq!(first.headers.get(header), second.headers.get(header), "{header}");
    }
}

async fn sessions(f: &Fixture) -> usize {
    f.api.get(SESSIONS).await.json.as_array().unwrap().len()
}

fn extension(seconds: u64) -> Value {
    json!({"requestedAdditionalDuration": seconds})
}

#[tokio::test]
async fn a_create_that_is_made_again_makes_no_second_session() {
    let f = Fixture::new().await;
    let api = named(&f.api, KEY);
    let told = with(
        tutorial(),
        "webhook",
        json!({"notificationUrl": "https://203.0.113.9/e", "notificationAuthToken": "s3cret"}),
    );
    let first = api.post(SESSIONS, told.clone()).await;
    assert_eq!((first.status, first.json["qosStatus"].as_str()), (201, Some("REQUESTED")));
    // What has become of it in between is not shown.
    f.until(&first.id(), "AVAILABLE").await;
    for key in [KEY.to_owned(), format!("\"{KEY}\"")] {
        assert_replay(&first, &named(&f.api, &key).post(SESSIONS, told.clone()).await);
    }
    assert_eq!(sessions(&f).await, 1);
    f.until_rules(&[first.id()]).await;
    // No key, or another one: another session.
    for api in [&f.api, &named(&f.api, "another")] {
        let other = api.post(SESSIONS, told.clone()).await;
        assert!(!is_replayed(&other));
        assert_ne!(other.id(), first.id());
    }
    assert_eq!(sessions(&f).await, 3);
}

#[tokio::test]
async fn an_extension_that_is_made_again_extends_once() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let extend = format!("{}/extend", path(&id));
    let first = named(&f.api, KEY).post(&extend, extension(30)).await;
    assert_eq!((first.status, &first.json["duration"]), (200, &json!(90)));
    named(&f.api, "another").post(&extend, extension(30)).await.assert_ok();
    assert_replay(&first, &named(&f.api, KEY).post(&extend, extension(30)).await);
    assert_eq!(f.get(&id).await.json["duration"], 120);
}

#[tokio::test]
async fn a_key_names_one_request() {
    let f = Fixture::new().await;
    let api = named(&f.api, KEY);
    let first = api.post(SESSIONS, tutorial()).await;
    let refused = async |path: &str, body: Value| {
        let answer = api.post(path, body).await;
        assert!(answer.assert_error(422, "IDEMPOTENCY_KEY_REUSED").contains("Idempotency-Key"));
        assert!(!is_replayed(&answer));
    };
    refused(SESSIONS, request("another@testcsp.net")).await;
    refused("/qod/v0-epoch/sessions", tutorial()).await;
    refused(&format!("{}/extend", path(&first.id())), extension(30)).await;
    // The body counts as it was sent.
    let spaced = api.post(SESSIONS, tutorial().to_string() + " ").await;
    spaced.assert_error(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(sessions(&f).await, 1);
    assert_replay(&first, &api.post(SESSIONS, tutorial()).await);
    // Whoever only looks, or deletes, needs none.
    assert_eq!(api.get(&path(&first.id())).await.json["duration"], 60);
    assert_eq!(api.delete(&path(&first.id())).await.status, 204);
}

#[tokio::test]
async fn an_extension_is_one_of_its_session() {
    let f = Fixture::new().await;
    let (one, other) = (f.live(tutorial()).await, f.live(tutorial()).await);
    let api = named(&f.api, KEY);
    api.post(&format!("{}/extend", path(&one)), extension(30)).await.assert_ok();
    let other = api.post(&format!("{}/extend", path(&other)), extension(30)).await;
    other.assert_error(422, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn times_in_seconds_are_replayed_as_such() {
    let f = Fixture::new().await;
    let (api, path) = (named(&f.api, KEY), "/qod/v0-epoch/sessions");
    let first = api.post(path, tutorial()).await;
    assert!(first.json["startedAt"].is_u64(), "{first:?}");
    assert_eq!(first.headers["location"], format!("{path}/{}", first.id()));
    assert_replay(&first, &api.post(path, tutorial()).await);
}

#[tokio::test]
async fn applications_do_not_share_keys() {
    let f = Fixture::new().await;
    let (ours, theirs) = (named(&f.api, KEY), named(&f.stranger().await, KEY));
    let first = ours.post(SESSIONS, request("a@testcsp.net")).await;
    let other = theirs.post(SESSIONS, request("b@testcsp.net")).await;
    assert_eq!(other.status, 201, "{other:?}");
    assert_ne!(other.id(), first.id());
    assert_replay(&first, &ours.post(SESSIONS, request("a@testcsp.net")).await);
    assert_replay(&other, &theirs.post(SESSIONS, request("b@testcsp.net")).await);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let f = Fixture::new().await;
    let (ours, stranger) = (named(&f.api, KEY), f.stranger().await);
    let theirs = stranger.post(SESSIONS, tutorial()).await.assert_ok().id();
    for _ in 0..2 {
        let refused = ours.post(SESSIONS, tutorial()).await;
        refused.assert_error(409, "CONFLICT");
        assert!(!is_replayed(&refused) && !refused.headers.contains_key("retry-after"));
    }
    // Neither is the key taken by what was no request at all.
    let nonsense = ours.post(SESSIONS, "{").await;
    nonsense.assert_error(400, "INVALID_ARGUMENT");
    assert_eq!(stranger.delete(&path(&theirs)).await.status, 204);
    let first = ours.post(SESSIONS, tutorial()).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_replay(&first, &ours.post(SESSIONS, tutorial()).await);
}

fn rows(directory: &Path) -> i64 {
    let db = rusqlite::Connection::open(directory.join("ledger.db")).unwrap();
    db.query_row("SELECT count(*) FROM replies", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn after_a_day_a_key_is_new_and_nothing_is_left_of_it() {
    let f = Fixture::new().await;
    let api = named(&f.api, KEY);
    let first = api.post(SESSIONS, tutorial()).await;
    f.until(&first.id(), "AVAILABLE").await;
    f.timer.pass(DAY - Duration::from_millis(1));
    f.until_rules(&[]).await;
    assert_replay(&first, &api.post(SESSIONS, tutorial()).await);
    f.timer.pass(Duration::from_millis(1));
    let second = api.post(SESSIONS, request("another@testcsp.net")).await;
    assert_eq!((second.status, is_replayed(&second)), (201, false), "{second:?}");
    f.until(&second.id(), "AVAILABLE").await;
    f.timer.pass(DAY);
    f.timer.pass(Duration::from_secs(60));
    eventually("nothing to be left", || rows(f.directory.path()) == 0).await;
    f.until_rules(&[]).await;
    let audit = greenwave_ledger::audit(f.directory.path(), f.timer.now(), true).unwrap();
    assert_eq!(audit.findings, Vec::<String>::new());
}

#[tokio::test]
async fn a_reply_outlives_a_crash_and_its_session() {
    let f = Fixture::new().await;
    let first = named(&f.api, KEY).post(SESSIONS, tutorial()).await;
    f.until(&first.id(), "AVAILABLE").await;
    let extend = format!("{}/extend", path(&first.id()));
    let extended = named(&f.api, "another").post(&extend, extension(30)).await;
    let f = f.crash().await;
    assert_replay(&first, &named(&f.api, KEY).post(SESSIONS, tutorial()).await);
    assert_replay(&extended, &named(&f.api, "another").post(&extend, extension(30)).await);
    assert_eq!(f.get(&first.id()).await.json["duration"], 90);

    assert_eq!(f.api.delete(&path(&first.id())).await.status, 204);
    f.until_rules(&[]).await;
    assert_replay(&first, &named(&f.api, KEY).post(SESSIONS, tutorial()).await);
    assert_replay(&extended, &named(&f.api, "another").post(&extend, extension(30)).await);
    f.get(&first.id()).await.assert_error(404, "NOT_FOUND");
    assert_eq!(sessions(&f).await, 0);
}

/// While somebody else holds the file, the ledger cannot commit what it has been given.
#[tokio::test]
async fn a_twin_of_a_request_that_is_under_way_has_to_wait() {
    let f = Fixture::new().await;
    let held = rusqlite::Connection::open(f.directory.path().join("ledger.db")).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ask = |key: &str, body: Value| {
        let api = named(&f.api, key);
        tokio::spawn(async move { api.post(SESSIONS, body).await })
    };
    // One of the two is first, and nothing tells which.
    let mut twins = [ask(KEY, tutorial()), ask(KEY, tutorial())];
    let [one, other] = &mut twins;
    let (twin, first) = tokio::select! {
        twin = &mut *one => (twin, other),
        twin = &mut *other => (twin, one),
    };
    let twin = twin.unwrap();
    twin.assert_error(409, "IDEMPOTENCY_IN_PROGRESS");
    assert_eq!(twin.headers["retry-after"], "1");
    // Whatever it asks for, its key is taken; others are not concerned.
    let unlike = ask(KEY, request("another@testcsp.net")).await.unwrap();
    unlike.assert_error(409, "IDEMPOTENCY_IN_PROGRESS");
    let unconcerned = ask("another", request("another@testcsp.net"));
    held.execute_batch("ROLLBACK").unwrap();
    let first = within(SOON, "the first", first).await.unwrap();
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(unconcerned.await.unwrap().status, 201);
    assert_replay(&first, &ask(KEY, tutorial()).await.unwrap());
    assert_eq!(sessions(&f).await, 2);
}

#[tokio::test]
async fn whoever_hangs_up_and_asks_again_has_one_session() {
    let f = Fixture::new().await;
    let key = f.gateway.sandbox().application_key.expose_secret().to_owned();
    for number in 0..20 {
        let (device, name) = (format!("d{number}@testcsp.net"), format!("key-{number}"));
        let body = request(&device).to_string();
        let head = format!(
            "POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nX-RapidAPI-Key: {key}\r\n\
             Idempotency-Key: {name}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        drop(RawClient::sending(&f.api.root, head).await);
        let api = named(&f.api, &name);
        let asking = async {
            loop {
                let answer = api.post(SESSIONS, request(&device)).await;
                if answer.status == 201 {
                    return answer.id();
                }
                answer.assert_error(409, "IDEMPOTENCY_IN_PROGRESS");
            }
        };
        let id = within(SOON, "a session", asking).await;
        let found = f.api.get(&format!("{SESSIONS}?networkAccessIdentifier={device}")).await;
        assert_eq!(found.json.as_array().unwrap().len(), 1, "{found:?}");
        assert_eq!(found.json[0]["sessionId"], id);
    }
}

#[tokio::test]
async fn a_key_that_is_none_is_told_what_one_is() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let extend = format!("{}/extend", path(&id));
    let long = "k".repeat(256);
    let odd = ["", "two words", "\"open", "\"\"", "a\tb", "\"a\";b=1", &long];
    for (key, (path, body)) in odd
        .iter()
        .flat_map(|key| [(*key, (SESSIONS, tutorial())), (*key, (extend.as_str(), extension(30)))])
    {
        let refused = named(&f.api, key).post(path, body).await;
        let message = refused.assert_error(400, "INVALID_ARGUMENT");
        assert!(message.starts_with("Idempotency-Key: ") && message.contains("255"), "{message}");
    }
    let twice = named(&named(&f.api, "a"), "b").post(SESSIONS, tutorial()).await;
    twice.assert_error(400, "INVALID_ARGUMENT");
    let longest = named(&f.api, &"k".repeat(255)).post(SESSIONS, tutorial()).await;
    assert_eq!(longest.status, 201, "{longest:?}");
    assert_eq!(sessions(&f).await, 2);
}

/// What is kept says neither what the key was nor who sent the token.
#[tokio::test]
async fn a_reply_holds_no_secret() {
    let f = Fixture::new().await;
    let sink =
        json!({"notificationUrl": "https://203.0.113.9/e", "notificationAuthToken": "s3cret"});
    let body = with(tutorial(), "webhook", sink);
    named(&f.api, KEY).post(SESSIONS, body).await.assert_ok();
    let db = rusqlite::Connection::open(f.directory.path().join("ledger.db")).unwrap();
    let (key, request, text) = db
        .query_row("SELECT key, request, text FROM replies", [], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
        })
        .unwrap();
    assert_eq!((key.len(), request.len()), (16, 16));
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("sessionId") && !text.contains("s3cret"), "{text}");
    let (directory, _) = f.stop().await;
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()));
    }
}
