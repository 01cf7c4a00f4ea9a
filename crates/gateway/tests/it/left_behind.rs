//! What is left in the network after the ordinary life of sessions: the rules of those that live,
//! and nothing else. What goes wrong on the way is in `faults`, `reconcile` and `restart`.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::fixture::{Fixture, path, request, tutorial, with};

/// That many sessions of different devices, for so many seconds, all available.
async fn live(f: &Fixture, prefix: &str, count: usize, seconds: u64) -> Vec<String> {
    let one = async |number| {
        let body = request(&format!("{prefix}{number}@testcsp.net"));
        f.live(with(body, "duration", json!(seconds))).await
    };
    join_all((0..count).map(one)).await
}

#[tokio::test]
async fn sessions_that_end_by_themselves_leave_nothing() {
    let f = Fixture::new().await;
    let ids = live(&f, "d", 20, 5).await;
    f.timer.pass(Duration::from_millis(4_999));
    for id in &ids {
        assert!(f.get(id).await.is_status("AVAILABLE"), "not a millisecond early");
    }
    f.until_rules(&ids).await;
    f.timer.pass(Duration::from_millis(1));
    for id in &ids {
        f.get(id).await.assert_error(404, "NOT_FOUND");
    }
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn sessions_that_end_while_others_are_made_leave_only_those() {
    let f = Fixture::new().await;
    live(&f, "old", 200, 20).await;
    let (made, ()) = tokio::join!(live(&f, "new", 100, 600), async {
        for _ in 0..200 {
            f.timer.pass(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
    });
    f.until_rules(&made).await;
    f.settles(&made).await;
}

#[tokio::test]
async fn an_extended_session_is_released_at_its_new_end() {
    let f = Fixture::new().await;
    let id = f.live(with(tutorial(), "duration", json!(5))).await;
    f.timer.pass(Duration::from_secs(3));
    let extend = format!("{}/extend", path(&id));
    let body = json!({"requestedAdditionalDuration": 5});
    f.api.post(&extend, body).await.assert_ok();
    let expires_at = f.get(&id).await.json["expiresAt"].clone();
    assert_eq!(expires_at, "2026-11-22T12:00:10.000Z");
    f.timer.pass(Duration::from_millis(6_999));
    f.until_rules(std::slice::from_ref(&id)).await;
    assert!(f.get(&id).await.is_status("AVAILABLE"));
    f.timer.pass(Duration::from_millis(1));
    f.get(&id).await.assert_error(404, "NOT_FOUND");
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn port_ranges_reach_the_network_as_they_were_asked_for() {
    let f = Fixture::new().await;
    let ports = json!({"ranges": [{"from": 80, "to": 443}], "ports": [8080]});
    let id = f.live(with(tutorial(), "applicationServerPorts", ports)).await;
    let rules = f.admin.get("/greenwave/v1/sandbox/network/rules").await.json;
    assert_eq!(rules["rules"][0]["flow"], "203.0.113.5/32 device:0-65535 server:80-443,8080");
    f.api.delete(&path(&id)).await;
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn of_two_sessions_for_one_flow_each_has_its_rule() {
    let f = Fixture::new().await;
    let (one, other) = (f.live(tutorial()).await, f.live(tutorial()).await);
    let mut both = [one.clone(), other.clone()];
    both.sort();
    f.until_rules(&both).await;
    assert_eq!(f.api.delete(&path(&one)).await.status, 204);
    f.until_rules(&[other]).await;
    f.api.delete(&path(&one)).await.assert_error(404, "NOT_FOUND");
}
