//! Stopping and starting again.

use std::time::Duration;

use greenwave_core::{Clock, retry};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::fixture::{Fixture, SESSIONS, SLOW, path, request, tutorial, with};
use crate::receiver::Receiver;

#[tokio::test]
async fn everything_is_there_again_with_the_same_key() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let key = f.gateway.sandbox().application_key.expose_secret().to_owned();
    let before = f.get(&id).await.json;
    let (directory, timer) = f.stop().await;

    let f = Fixture::open(directory, timer, Duration::ZERO).await;
    assert_eq!(f.gateway.sandbox().application_key.expose_secret(), key);
    assert_eq!(f.get(&id).await.json, before);
    f.until_rules(std::slice::from_ref(&id)).await;
    f.timer.pass(Duration::from_secs(60));
    f.get(&id).await.assert_error(404, "NOT_FOUND");
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn a_gateway_whose_keys_were_all_changed_starts_again() {
    let f = Fixture::new().await;
    let keys = "/greenwave/v1/keys";
    for body in [json!({"application": "sandbox"}), json!({"application": "sandbox"})] {
        f.admin.post(keys, body).await;
        f.admin.delete("/greenwave/v1/keys/1").await;
    }
    let live = |list: &serde_json::Value| {
        list.as_array().unwrap().iter().filter(|key| key.get("revokedAt").is_none()).count()
    };
    assert_eq!(live(&f.admin.get(keys).await.json), 2, "as many as an application may have");
    let (directory, timer) = f.stop().await;
    let f = Fixture::open(directory, timer, Duration::ZERO).await;
    f.create(tutorial()).await;
    assert_eq!(live(&f.admin.get(keys).await.json), 3, "nobody's key had to give way");
}

#[tokio::test]
async fn what_was_under_way_is_taken_up_again() {
    let f = Fixture::slow().await;
    let requested = f.create(tutorial()).await;
    let began = f.timer.now();
    let f = f.crash().await;
    f.grant(&requested).await;
    let took = f.timer.now().duration_since(began).unsigned_abs();
    assert!(took < retry::NETWORK_CALL_TIMEOUT, "tried at once, not when the lost try timed out");
    f.until_rules(&[requested]).await;
}

#[tokio::test]
async fn what_ended_while_nobody_looked_has_ended_at_its_time() {
    let receiver = Receiver::start().await;
    let f = Fixture::new().await;
    let webhook = json!({"notificationUrl": receiver.url()});
    let id = f.live(with(tutorial(), "webhook", webhook)).await;
    receiver.until(1).await;
    let (directory, timer) = f.stop().await;
    timer.pass(Duration::from_secs(3_600));
    let f = Fixture::open(directory, timer, Duration::ZERO).await;
    f.get(&id).await.assert_error(404, "NOT_FOUND");
    f.until_rules(&[]).await;
    let told = receiver.until(2).await;
    assert_eq!(told[1].json["time"], "2026-11-22T12:01:00.000Z");
    assert_eq!(told[1].json["data"]["statusInfo"], "DURATION_EXPIRED");
}

#[tokio::test]
async fn identifiers_that_came_together_stay_together() {
    let f = Fixture::new().await;
    let device = json!({"networkAccessIdentifier": "a@testcsp.net", "phoneNumber": "+15551234567"});
    let id = f.create(with(tutorial(), "device", device)).await;
    f.api.delete(&path(&id)).await;
    let (directory, timer) = f.stop().await;
    let f = Fixture::open(directory, timer, Duration::ZERO).await;
    let phone = with(tutorial(), "device", json!({"phoneNumber": "15551234567"}));
    let by_phone = f.create(phone).await;
    let found = f.api.get(&format!("{SESSIONS}?networkAccessIdentifier=a@testcsp.net")).await;
    assert_eq!(found.json[0]["sessionId"], by_phone);
}

#[tokio::test]
async fn a_key_that_was_lost_gives_way_to_a_new_one() {
    let f = Fixture::new().await;
    let id = f.create(tutorial()).await;
    let old = f.api.clone();
    let (mut directory, mut timer) = f.stop().await;
    for _ in 0..3 {
        std::fs::remove_file(directory.path().join("sandbox.json")).unwrap();
        let f = Fixture::open(directory, timer, Duration::ZERO).await;
        f.get(&id).await.assert_ok();
        (directory, timer) = f.stop().await;
    }
    let f = Fixture::open(directory, timer, Duration::ZERO).await;
    let mut old = old;
    old.root.clone_from(&f.api.root);
    old.get(SESSIONS).await.assert_error(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_thousand_sessions_survive_being_cut_off() {
    let f = Fixture::slow().await;
    let mut creates = Vec::new();
    for number in 0..1_000 {
        let api = f.api.clone();
        let body = with(request(&format!("d{number}@testcsp.net")), "duration", json!(86_400));
        creates.push(tokio::spawn(async move { api.post(SESSIONS, body).await.id() }));
        if number == 500 {
            f.timer.pass(SLOW);
        }
    }
    let mut ids = Vec::new();
    for create in creates {
        ids.push(create.await.unwrap());
    }
    let f = f.crash().await;
    for id in &ids {
        f.grant(id).await;
    }
    f.until_rules(&ids).await;
}
