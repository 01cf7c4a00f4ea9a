//! What becomes of a session.

use std::time::Duration;

use greenwave_core::Clock;
use jiff::Timestamp;
use serde_json::json;

use crate::client::within;
use crate::fixture::{Fixture, SESSIONS, SLOW, path, request, start, tutorial, with};

#[tokio::test]
async fn a_session_goes_from_requested_to_available_to_gone() {
    let f = Fixture::slow().await;
    let created = f.api.post(SESSIONS, tutorial()).await;
    assert_eq!(created.status, 201);
    let id = created.id();
    assert_eq!(created.headers["location"], format!("{SESSIONS}/{id}"));
    assert_eq!(created.json["qosStatus"], "REQUESTED");
    assert_eq!(created.json["startedAt"], "2026-11-22T12:00:00.000Z");
    assert_eq!(created.json["expiresAt"], "2026-11-22T12:01:00.000Z");
    assert!(f.get(&id).await.is_status("REQUESTED"));
    f.until_rules(&[]).await;

    let available = f.grant(&id).await;
    let time =
        |member: &str| available.json[member].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(time("startedAt") >= start() + SLOW);
    assert_eq!(time("expiresAt"), time("startedAt") + Duration::from_secs(60));
    assert_eq!(available.json["duration"], 60);
    f.until_rules(std::slice::from_ref(&id)).await;

    let left = time("expiresAt").duration_since(f.timer.now()).unsigned_abs();
    f.timer.pass(left - Duration::from_millis(1));
    assert!(f.get(&id).await.is_status("AVAILABLE"), "not a millisecond early");
    f.timer.pass(Duration::from_millis(1));
    f.get(&id).await.assert_error(404, "NOT_FOUND");
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn without_a_duration_a_session_ends_after_a_day() {
    let f = Fixture::new().await;
    let mut body = tutorial();
    body.as_object_mut().unwrap().remove("duration");
    let id = f.live(body).await;
    assert_eq!(f.get(&id).await.json["duration"], 86_400);
    f.timer.pass(Duration::from_secs(86_399));
    assert!(f.get(&id).await.is_status("AVAILABLE"));
    f.timer.pass(Duration::from_secs(1));
    f.get(&id).await.assert_error(404, "NOT_FOUND");
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn deleting_takes_the_rule_away() {
    let f = Fixture::new().await;
    let (id, other) = (f.live(tutorial()).await, f.live(tutorial()).await);
    let deleted = f.api.delete(&path(&id)).await;
    assert_eq!((deleted.status, deleted.bytes.len()), (204, 0));
    f.get(&id).await.assert_error(404, "NOT_FOUND");
    f.api.delete(&path(&id)).await.assert_error(404, "NOT_FOUND");
    f.until_rules(&[other]).await;
}

#[tokio::test]
async fn deleting_before_the_grant_leaves_nothing() {
    let f = Fixture::slow().await;
    let id = f.create(tutorial()).await;
    assert_eq!(f.api.delete(&path(&id)).await.status, 204);
    let later = f.create(tutorial()).await;
    f.grant(&later).await;
    f.until_rules(&[later]).await;
}

#[tokio::test]
async fn sessions_of_one_device_may_overlap_and_each_has_its_rule() {
    let f = Fixture::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(f.live(tutorial()).await);
    }
    f.until_rules(&ids).await;
}

#[tokio::test]
async fn extending_moves_the_end() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let extend = format!("{}/extend", path(&id));
    let extended = f.api.post(&extend, json!({"requestedAdditionalDuration": 30})).await;
    assert_eq!(extended.status, 200);
    assert_eq!(extended.json["duration"], 90);
    assert_eq!(extended.json["expiresAt"], "2026-11-22T12:01:30.000Z");
    f.timer.pass(Duration::from_millis(89_999));
    assert!(f.get(&id).await.is_status("AVAILABLE"));
    f.timer.pass(Duration::from_millis(1));
    f.get(&id).await.assert_error(404, "NOT_FOUND");
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn at_most_a_day_is_left_after_extending() {
    let f = Fixture::new().await;
    let id = f.live(with(tutorial(), "duration", json!(80_000))).await;
    f.timer.pass(Duration::from_secs(10_000));
    let extend = format!("{}/extend", path(&id));
    let extended = f.api.post(&extend, json!({"requestedAdditionalDuration": 20_000})).await;
    assert_eq!(extended.json["duration"], 96_400);
    let again = f.api.post(&extend, json!({"requestedAdditionalDuration": 20_000})).await;
    assert_eq!((again.status, &again.json["duration"]), (200, &json!(96_400)));
}

#[tokio::test]
async fn a_requested_session_can_be_extended() {
    let f = Fixture::slow().await;
    let id = f.create(tutorial()).await;
    let extend = format!("{}/extend", path(&id));
    let extended = f.api.post(&extend, json!({"requestedAdditionalDuration": 30})).await;
    assert_eq!((extended.status, &extended.json["qosStatus"]), (200, &json!("REQUESTED")));
    assert_eq!(f.grant(&id).await.json["duration"], 90);
}

#[tokio::test]
async fn a_full_cell_refuses_and_says_so_for_six_minutes() {
    let f = Fixture::new().await;
    let stadium = || request("stadium@testcsp.net");
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(f.live(stadium()).await);
    }
    let refused = f.create(with(stadium(), "duration", json!(600))).await;
    let answer = f.until(&refused, "UNAVAILABLE").await;
    assert_eq!(answer.json["statusInfo"], "NETWORK_TERMINATED");
    f.until_rules(&ids).await;
    f.api
        .post(&format!("{}/extend", path(&refused)), json!({"requestedAdditionalDuration": 5}))
        .await
        .assert_error(400, "INVALID_ARGUMENT");

    f.timer.pass(Duration::from_millis(359_999));
    assert!(f.get(&refused).await.is_status("UNAVAILABLE"));
    f.timer.pass(Duration::from_millis(1));
    f.get(&refused).await.assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn what_was_refused_can_be_deleted() {
    let f = Fixture::new().await;
    for _ in 0..3 {
        f.live(request("stadium@testcsp.net")).await;
    }
    let refused = f.create(request("stadium@testcsp.net")).await;
    f.until(&refused, "UNAVAILABLE").await;
    assert_eq!(f.api.delete(&path(&refused)).await.status, 204);
    f.get(&refused).await.assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_network_that_never_answers_is_given_a_minute() {
    let f = Fixture::with_grant_delay(Duration::from_secs(3_600)).await;
    let id = f.create(tutorial()).await;
    for _ in 0..59 {
        f.timer.pass(Duration::from_secs(1));
        assert!(f.get(&id).await.is_status("REQUESTED"));
    }
    f.timer.pass(Duration::from_secs(1));
    let ended = f.until(&id, "UNAVAILABLE").await;
    assert_eq!(ended.json["statusInfo"], "NETWORK_TERMINATED");
    f.timer.pass(Duration::from_secs(3_600));
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn a_hundred_sessions_of_a_device_are_enough() {
    let f = Fixture::new().await;
    let mut ids = Vec::new();
    for _ in 0..100 {
        ids.push(f.create(tutorial()).await);
    }
    let message = f.api.post(SESSIONS, tutorial()).await;
    let message = message.assert_error(429, "QUOTA_EXCEEDED").to_owned();
    assert!(message.contains("100"), "{message}");
    assert_eq!(f.api.delete(&path(&ids[0])).await.status, 204);
    f.create(tutorial()).await;
    f.create(request("another@testcsp.net")).await;
}

#[tokio::test]
async fn whoever_hangs_up_gets_a_session_all_the_same() {
    use tokio::io::AsyncWriteExt;
    let f = Fixture::new().await;
    let sandbox = f.gateway.sandbox();
    let body = tutorial().to_string();
    let request = format!(
        "POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nX-RapidAPI-Key: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        secrecy::ExposeSecret::expose_secret(&sandbox.application_key),
        body.len()
    );
    for _ in 0..20 {
        let address = f.api.root.strip_prefix("http://").unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        drop(stream);
    }
    // Whatever was begun is whole: it is listed, granted, and has its rule.
    let all = |answer: &crate::client::Answer| {
        answer.json.as_array().is_some_and(|list| !list.is_empty())
    };
    let list = f.api.get_until(SESSIONS, all).await;
    for session in list.json.as_array().unwrap() {
        f.until(session["sessionId"].as_str().unwrap(), "AVAILABLE").await;
    }
}

#[tokio::test]
async fn many_at_once_are_all_served() {
    let f = Fixture::new().await;
    let creates = (0..200).map(|number| {
        let api = f.api.clone();
        let body = request(&format!("device-{number}@testcsp.net"));
        tokio::spawn(async move { api.post(SESSIONS, body).await })
    });
    let mut ids = Vec::new();
    for create in creates.collect::<Vec<_>>() {
        ids.push(create.await.unwrap().assert_ok().id());
    }
    f.until_rules(&ids).await;
    for id in &ids {
        f.until(id, "AVAILABLE").await;
    }
    f.timer.pass(Duration::from_secs(60));
    within(crate::client::SOON, "all to end", f.until_rules(&[])).await;
}
