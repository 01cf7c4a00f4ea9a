//! Telling applications of events.

use std::sync::Arc;
use std::time::Duration;

use greenwave::delivery::{AddressGuard, Attempt, Courier, SinkClient};
use greenwave::entropy::SystemEntropy;
use greenwave::secrets::Secrets;
use greenwave_core::{
    ApplicationId, Clock, DeviceKey, Event, EventId, Pii, QosStatus, RuleSetId, SessionId, Sink,
};
use greenwave_network::ManualTimer;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::client::eventually;
use crate::fixture::{Fixture, path, request, tutorial, with};
use crate::receiver::Receiver;

fn told(receiver: &Receiver) -> Value {
    with(tutorial(), "webhook", json!({"notificationUrl": receiver.url()}))
}

fn statuses(receiver: &Receiver) -> Vec<(String, String)> {
    receiver.received().iter().map(crate::receiver::Received::status).collect()
}

fn pair(status: &str, info: &str) -> (String, String) {
    (status.to_owned(), info.to_owned())
}

#[tokio::test]
async fn each_change_is_told_once() {
    let (f, receiver) = (Fixture::new().await, Receiver::start().await);
    let id = f.live(told(&receiver)).await;
    receiver.until(1).await;
    f.timer.pass(Duration::from_secs(60));
    let received = receiver.until(2).await;
    assert_eq!(
        statuses(&receiver),
        [pair("AVAILABLE", ""), pair("UNAVAILABLE", "DURATION_EXPIRED")]
    );
    for (event, time) in
        received.iter().zip(["2026-11-22T12:00:00.000Z", "2026-11-22T12:01:00.000Z"])
    {
        assert_eq!(event.path, "/events");
        assert_eq!(event.headers["content-type"], "application/cloudevents+json");
        assert_eq!(event.json["time"], time);
        assert_eq!(event.json["data"]["sessionId"], id);
        assert_eq!(event.json["source"], path(&id));
        assert!(event.headers.get("authorization").is_none());
    }
    assert_ne!(received[0].json["id"], received[1].json["id"]);
    f.timer.pass(Duration::from_secs(86_400));
    f.live(request("another@testcsp.net")).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_token_is_shown_as_one_bearer_however_it_was_given() {
    let (f, receiver) = (Fixture::new().await, Receiver::start().await);
    let url = receiver.url();
    let bodies = [
        json!({"webhook": {"notificationUrl": url, "notificationAuthToken": "my-token"}}),
        json!({"webhook": {"notificationUrl": url, "notificationAuthToken": "Bearer my-token"}}),
        json!({"notificationUrl": url, "notificationAuthToken": "Bearer my-token"}),
    ];
    for (count, sink) in bodies.into_iter().enumerate() {
        let mut body = tutorial();
        body.as_object_mut().unwrap().extend(sink.as_object().unwrap().clone());
        f.live(body).await;
        let received = receiver.until(count + 1).await;
        let values: Vec<_> = received[count].headers.get_all("authorization").iter().collect();
        assert_eq!(values, ["Bearer my-token"]);
    }
}

#[tokio::test]
async fn deleting_is_told_if_there_was_something_to_lose() {
    let (f, receiver) = (Fixture::slow().await, Receiver::start().await);
    let requested = f.create(told(&receiver)).await;
    f.api.delete(&path(&requested)).await;
    let live = f.create(told(&receiver)).await;
    f.grant(&live).await;
    f.api.delete(&path(&live)).await;
    let received = receiver.until(2).await;
    assert!(received.iter().all(|event| event.json["data"]["sessionId"] == live));
    assert_eq!(statuses(&receiver)[1], pair("UNAVAILABLE", "DELETE_REQUESTED"));
}

#[tokio::test]
async fn a_refusal_is_told() {
    let (f, receiver) = (Fixture::new().await, Receiver::start().await);
    for _ in 0..3 {
        f.live(request("stadium@testcsp.net")).await;
    }
    let webhook = json!({"notificationUrl": receiver.url()});
    f.create(with(request("stadium@testcsp.net"), "webhook", webhook)).await;
    receiver.until(1).await;
    assert_eq!(statuses(&receiver), [pair("UNAVAILABLE", "NETWORK_TERMINATED")]);
}

#[tokio::test]
async fn a_receiver_that_fails_is_tried_again_with_the_same_event() {
    let (f, receiver) = (Fixture::new().await, Receiver::start().await);
    receiver.answer(500, &[]);
    receiver.answer(302, &[("location", &format!("http://{}/elsewhere", receiver.address))]);
    f.live(told(&receiver)).await;
    receiver.until(1).await;
    let mut tries = 1;
    // After 5 s and 30 s, each a fifth more or less.
    for pause in [6, 36] {
        wait_until_settled(&f).await;
        f.timer.pass(Duration::from_secs(pause));
        tries += 1;
        receiver.until(tries).await;
    }
    let received = receiver.received();
    assert!(received.iter().all(|event| event.json == received[0].json));
    assert!(received.iter().all(|event| event.path == "/events"), "a redirect is not followed");
    wait_until_settled(&f).await;
    f.timer.pass(Duration::from_secs(5));
    f.live(request("another@testcsp.net")).await;
    assert_eq!(receiver.received().len(), 3);
}

/// Waits until no event is under way: each is settled, or waits for its next try.
async fn wait_until_settled(f: &Fixture) {
    let path = f.directory.path().join("ledger.db");
    eventually("settled events", || {
        let db = rusqlite::Connection::open(&path).unwrap();
        let now = f.timer.now().as_millisecond();
        let due = "SELECT count(*) FROM outbox WHERE next_try_ms <= ?1";
        db.query_row(due, [now], |row| row.get::<_, i64>(0)).unwrap() == 0
    })
    .await;
}

/// What became of the events that are over with: outcome, tries, note.
fn deliveries(f: &Fixture) -> Vec<(i64, i64, String)> {
    let db = rusqlite::Connection::open(f.directory.path().join("ledger.db")).unwrap();
    let mut statement = db.prepare("SELECT outcome, tries, note FROM deliveries").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn after_eight_tries_an_event_is_dead_and_kept() {
    let (f, receiver) = (Fixture::new().await, Receiver::start().await);
    // So many that the event of the session's end fails too.
    for _ in 0..20 {
        receiver.answer(503, &[]);
    }
    f.live(with(told(&receiver), "duration", json!(86_400))).await;
    let first = receiver.until(1).await.remove(0).json["id"].clone();
    let tries = || receiver.received().iter().filter(|event| event.json["id"] == first).count();
    for made in 1..=8 {
        eventually("a try", || tries() == made).await;
        wait_until_settled(&f).await;
        f.timer.pass(Duration::from_secs(43_200));
    }
    let dead = "the receiver answered 503".to_owned();
    assert!(deliveries(&f).contains(&(2, 8, dead)), "{:?}", deliveries(&f));
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone() {
    let (f, receiver) = (Fixture::new().await, Receiver::start().await);
    receiver.answer(410, &[]);
    f.live(told(&receiver)).await;
    receiver.until(1).await;
    eventually("the end", || !deliveries(&f).is_empty()).await;
    assert_eq!(deliveries(&f), [(2, 1, "the receiver answered 410".to_owned())]);
}

#[tokio::test]
async fn a_receiver_that_asks_for_patience_gets_it() {
    let (f, receiver) = (Fixture::new().await, Receiver::start().await);
    receiver.answer(429, &[("retry-after", "3600")]);
    f.live(with(told(&receiver), "duration", json!(86_400))).await;
    receiver.until(1).await;
    wait_until_settled(&f).await;
    f.timer.pass(Duration::from_secs(3_599));
    f.live(request("another@testcsp.net")).await;
    assert_eq!(receiver.received().len(), 1);
    f.timer.pass(Duration::from_secs(1));
    receiver.until(2).await;
}

#[tokio::test]
async fn addresses_that_are_not_for_events_are_never_dialled() {
    let f = Fixture::new().await;
    let own = f.api.root.strip_prefix("http://127.0.0.1").unwrap().to_owned();
    let hosts = [
        format!("127.0.0.1{own}"),
        format!("[::ffff:127.0.0.1]{own}"),
        format!("2130706433{own}"),
        format!("0x7f.1{own}"),
        "10.0.0.1".to_owned(),
        "[::ffff:a00:1]".to_owned(),
        "169.254.169.254".to_owned(),
        "0.0.0.0:80".to_owned(),
        "[fd00::1]".to_owned(),
    ];
    for host in &hosts {
        let webhook = json!({"notificationUrl": format!("http://{host}/")});
        f.live(with(tutorial(), "webhook", webhook)).await;
    }
    eventually("all ends", || deliveries(&f).len() == hosts.len()).await;
    for (outcome, tries, note) in deliveries(&f) {
        assert_eq!((outcome, tries), (2, 1), "{note}");
        assert!(note.contains("may not be sent to this address"), "{note}");
    }
}

/// One try to tell a receiver at this URL, from a gateway that is not on loopback.
async fn try_from_outside(url: String) -> Attempt {
    let directory = tempfile::tempdir().unwrap();
    let secrets = Secrets::open(directory.path(), &SystemEntropy::default()).unwrap();
    let guard = AddressGuard::new(false, Vec::new());
    let client = SinkClient::new(
        guard,
        Arc::new(secrets),
        ManualTimer::new(crate::fixture::start()),
        Vec::new(),
    );
    let client = client.unwrap();
    let session = SessionId::new([7; 16], DeviceKey([1; 16]).bucket());
    let event = Event {
        id: EventId { session, ordinal: 1 },
        application: ApplicationId(1),
        rules: RuleSetId::NokiaV0,
        at: crate::fixture::start(),
        status: QosStatus::Available,
        reason: None,
        sink: Some(Sink { url: Pii::new(url.into()), credential: None }),
    };
    client.send(&event).await
}

#[tokio::test]
async fn a_name_that_leads_to_where_nothing_may_be_sent_is_not_followed() {
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    // It may mean something else tomorrow, so it may be tried again.
    match try_from_outside(format!("http://localhost:{port}/events")).await {
        Attempt::Failed { note, .. } => assert!(note.contains("may not be sent"), "{note}"),
        other => panic!("{other:?}"),
    }
    // An address stays what it is.
    let literal = try_from_outside(format!("http://127.0.0.1:{port}/events")).await;
    assert!(matches!(literal, Attempt::Hopeless(_)), "{literal:?}");
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_receiver_that_has_answered_is_not_told_again_though_the_rest_never_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let f = Fixture::new().await;
    f.live(with(tutorial(), "webhook", json!({"notificationUrl": url}))).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let begun = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12";
    stream.write_all(begun).await.unwrap();
    wait_until_settled(&f).await;
    assert_eq!(deliveries(&f), [(1, 1, "the receiver answered 200".to_owned())]);
    drop(stream);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_accepted_and_tried() {
    let f = Fixture::new().await;
    let webhook = json!({"notificationUrl": "https://no-such-host.invalid/events"});
    let id = f.live(with(tutorial(), "webhook", webhook)).await;
    wait_until_settled(&f).await;
    assert!(f.get(&id).await.is_status("AVAILABLE"));
    assert_eq!(deliveries(&f), []);
}

#[tokio::test]
async fn what_could_not_be_told_before_a_stop_is_told_after_it() {
    let receiver = Receiver::start().await;
    let f = Fixture::new().await;
    receiver.answer(500, &[]);
    f.live(told(&receiver)).await;
    let first = receiver.until(1).await.remove(0);
    wait_until_settled(&f).await;
    let (directory, timer) = f.stop().await;
    timer.pass(Duration::from_secs(30));
    let _f = Fixture::open(directory, timer, Duration::ZERO).await;
    let again = receiver.until(2).await.remove(1);
    assert_eq!(again.json, first.json);
}

#[tokio::test]
async fn the_token_is_nowhere_in_the_ledger() {
    let (f, receiver) = (Fixture::new().await, Receiver::start().await);
    let webhook =
        json!({"notificationUrl": receiver.url(), "notificationAuthToken": "canary-token-7"});
    f.live(with(tutorial(), "webhook", webhook)).await;
    receiver.until(1).await;
    let (directory, _) = f.stop().await;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(14).any(|window| window == b"canary-token-7");
        assert!(!found, "{}", path.display());
    }
}
