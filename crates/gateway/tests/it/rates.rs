//! How often an application may ask.

use std::time::Duration;

use greenwave_wire::camara::Release;
use http::Method;
use serde_json::json;

use crate::camara::operations;
use crate::client::{Answer, TestClient};
use crate::fixture::{Fixture, SESSIONS, path, tutorial};

const FORGET: &str = "/greenwave/v1/sandbox/reset-limits";
const UNKNOWN: &str = "0b5e6d1c-6a5f-4c0e-9a0e-2f6c5d3b1a00";

async fn limit(f: &Fixture, application: u32, body: &str) -> Answer {
    let path = format!("/greenwave/v1/applications/{application}/rate-limit");
    let method = if body.is_empty() { Method::DELETE } else { Method::PUT };
    f.admin.header("content-type", "application/json").send(method, &path, body).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn nobody_is_limited_unless_the_operator_says_so() {
    let f = Fixture::new().await;
    let stranger = f.stranger().await;
    assert_eq!(header(&f.api.get(SESSIONS).await, "ratelimit"), "");
    limit(&f, 1, r#"{"requests":3,"per_s":60}"#).await.assert_ok();
    for (left, reset) in [(2, 20), (1, 40), (0, 60)] {
        let answer = f.api.get(SESSIONS).await;
        answer.assert_ok();
        assert_eq!(header(&answer, "ratelimit-policy"), r#""default";q=3;w=60"#);
        assert_eq!(header(&answer, "ratelimit"), format!(r#""default";r={left};t={reset}"#));
    }
    let refused = f.api.get(SESSIONS).await;
    refused.assert_error(429, "TOO_MANY_REQUESTS");
    assert_eq!(header(&refused, "retry-after"), "20");
    assert_eq!(header(&refused, "ratelimit"), r#""default";r=0;t=20"#);
    // All that it asks, whatever it is, and before it is looked at; and nobody else.
    f.api.post(SESSIONS, "no JSON").await.assert_error(429, "TOO_MANY_REQUESTS");
    f.api.get(&path(UNKNOWN)).await.assert_error(429, "TOO_MANY_REQUESTS");
    stranger.get(SESSIONS).await.assert_ok();
    TestClient::new(&f.api.root).get(SESSIONS).await.assert_error(401, "UNAUTHENTICATED");

    f.timer.pass(Duration::from_secs(20));
    f.api.get(SESSIONS).await.assert_ok();
    f.api.get(SESSIONS).await.assert_error(429, "TOO_MANY_REQUESTS");
    assert_eq!(f.admin.post(FORGET, "{}").await.status, 204);
    f.api.get(SESSIONS).await.assert_ok();
    limit(&f, 1, "").await.assert_ok();
    for _ in 0..10 {
        assert_eq!(header(&f.api.get(SESSIONS).await, "ratelimit"), "");
    }
}

#[tokio::test]
async fn a_limit_outlives_a_restart() {
    let f = Fixture::new().await;
    let set = limit(&f, 1, r#"{"requests":1,"perS":3600}"#).await;
    assert_eq!(set.json["rateLimit"], json!({"requests": 1, "perS": 3600}));
    let (directory, timer) = f.stop().await;
    let f = Fixture::open(directory, timer, Duration::ZERO).await;
    f.api.get(SESSIONS).await.assert_ok();
    let refused = f.api.get(SESSIONS).await;
    refused.assert_error(429, "TOO_MANY_REQUESTS");
    assert_eq!(header(&refused, "retry-after"), "3600");
    assert_eq!(f.admin.get("/greenwave/v1/applications").await.json[0]["rateLimit"]["requests"], 1);
}

#[tokio::test]
async fn a_limit_that_cannot_be_is_refused() {
    let f = Fixture::new().await;
    for (body, code) in [
        (r#"{"requests":0,"perS":1}"#, "OUT_OF_RANGE"),
        (r#"{"requests":1,"perS":0}"#, "OUT_OF_RANGE"),
        (r#"{"requests":1000001,"perS":1}"#, "OUT_OF_RANGE"),
        (r#"{"requests":1}"#, "INVALID_ARGUMENT"),
        (r#"{"requests":-1,"perS":1}"#, "INVALID_ARGUMENT"),
    ] {
        limit(&f, 1, body).await.assert_error(400, code);
    }
    limit(&f, 1, r#"{"requests":1,"perS":172800}"#).await.assert_ok();
    f.api.get(SESSIONS).await.assert_ok();
    let refused = f.api.get(SESSIONS).await;
    assert_eq!(header(&refused, "retry-after"), "172800", "however long it is");
    limit(&f, 9, r#"{"requests":1,"perS":1}"#).await.assert_error(404, "NOT_FOUND");
    limit(&f, 1, r#"{"requests":1000000,"perS":1}"#).await.assert_ok();
    f.api.get(SESSIONS).await.assert_ok();
}

/// Whoever guesses ids is held up after a thousand, and only in that.
#[tokio::test]
async fn ids_cannot_be_guessed_without_end() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let stranger = f.stranger().await;
    let assignment = format!("/qos-provisioning/v0.3/qos-assignments/{UNKNOWN}");
    for _ in 0..200 {
        stranger.delete(&assignment).await.assert_error(404, "NOT_FOUND");
        let id = format!("/quality-on-demand/v1/sessions/{id}");
        stranger.get(&id).await.assert_error(403, "PERMISSION_DENIED");
    }
    for _ in 0..200 {
        stranger.get(&path(UNKNOWN)).await.assert_error(404, "NOT_FOUND");
        stranger.delete(&path(&id)).await.assert_error(403, "PERMISSION_DENIED");
    }
    let extend = format!("{}/extend", path(&id));
    let longer = json!({"requestedAdditionalDuration": 5});
    for _ in 0..200 {
        let answer = stranger.post(&extend, longer.clone()).await;
        answer.assert_error(403, "PERMISSION_DENIED");
    }
    for answer in [
        stranger.get(&path(UNKNOWN)).await,
        stranger.get(&path(&id)).await,
        stranger.delete(&path(UNKNOWN)).await,
        stranger.post(&extend, longer).await,
    ] {
        answer.assert_error(429, "TOO_MANY_REQUESTS");
        assert_eq!(header(&answer, "retry-after"), "1");
    }
    // It is one budget, whatever the ids are of.
    for (method, path, body, _) in Release::ALL.into_iter().flat_map(|it| operations(it, UNKNOWN)) {
        if path.contains(UNKNOWN) {
            let api = stranger.header("content-type", "application/json");
            let answer = api.send(method, &path, &body).await;
            answer.assert_error(429, "TOO_MANY_REQUESTS");
        }
    }
    stranger.get(SESSIONS).await.assert_ok();
    let own = stranger.post(SESSIONS, crate::fixture::request("other@testcsp.net")).await.id();
    stranger.get(&path(&own)).await.assert_ok();
    f.api.get(&path(UNKNOWN)).await.assert_error(404, "NOT_FOUND");

    f.timer.pass(Duration::from_millis(100));
    stranger.get(&path(UNKNOWN)).await.assert_error(404, "NOT_FOUND");
    stranger.get(&path(UNKNOWN)).await.assert_error(429, "TOO_MANY_REQUESTS");
    assert_eq!(f.admin.post(FORGET, "{}").await.status, 204);
    stranger.get(&path(UNKNOWN)).await.assert_error(404, "NOT_FOUND");
}
