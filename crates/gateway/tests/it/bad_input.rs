//! What bad input gets: a clear answer, and no half of a session.

use http::Method;
use serde_json::{Value, json};

use crate::fixture::{Fixture, RETRIEVE, SESSIONS, path, tutorial, with};

/// Creates that are refused with 400, and the member that the message names.
fn refused_creates() -> Vec<(Value, &'static str)> {
    let device = |device: Value| with(tutorial(), "device", device);
    let ipv4 = |ipv4: Value| device(json!({"ipv4Address": ipv4}));
    let phone = |phone: &str| device(json!({"phoneNumber": phone}));
    let ports = |ports: Value| with(tutorial(), "applicationServerPorts", ports);
    let mut no_server = tutorial();
    no_server.as_object_mut().unwrap().remove("applicationServer");
    vec![
        (with(tutorial(), "qosProfile", json!("QOS_XXL")), "qosProfile"),
        (phone("+36 72 123 4567"), "device.phoneNumber"),
        (phone("+36(72)1234567"), "device.phoneNumber"),
        (ipv4(json!({"publicAddress": "233.252.0.2"})), "device.ipv4Address"),
        (ipv4(json!({"privateAddress": "192.0.2.25"})), "device.ipv4Address"),
        (ipv4(json!({"publicPort": 80})), "device.ipv4Address"),
        (with(tutorial(), "applicationServer", json!({})), "applicationServer"),
        (with(tutorial(), "applicationServer", json!({"ipv4Address": null})), "applicationServer"),
        (no_server, "applicationServer"),
        (ports(json!({"ports": [-1]})), "applicationServerPorts.ports[0]"),
        (ports(json!({"ports": [65_536]})), "applicationServerPorts.ports[0]"),
        (ports(json!({"ranges": [{"from": 2, "to": 1}]})), "applicationServerPorts.ranges[0]"),
        (with(tutorial(), "duration", json!(0)), "duration"),
        (with(tutorial(), "duration", json!(-1)), "duration"),
        (with(tutorial(), "duration", json!(86_401)), "duration"),
        (with(tutorial(), "duration", json!(1.5)), "duration"),
        (with(tutorial(), "duration", json!("60")), "duration"),
        (phone("+15551234567"), "device.phoneNumber"),
        (
            device(json!({"networkAccessIdentifier": "device@example.com"})),
            "device.networkAccessIdentifier",
        ),
        (ipv4(json!({"publicAddress": "8.8.8.8", "publicPort": 80})), "device.ipv4Address"),
        (device(json!({"ipv6Address": "2a00::1"})), "device.ipv6Address"),
        (with(tutorial(), "webhook", json!({"notificationUrl": "nowhere"})), "webhook"),
    ]
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_half_created() {
    let f = Fixture::new().await;
    for (body, field) in refused_creates() {
        let answer = f.api.post(SESSIONS, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let message = answer.json["message"].as_str().unwrap();
        assert!(message.contains(field), "{body}: {message}");
        answer.assert_error(400, answer.json["code"].as_str().unwrap());
    }
    assert_eq!(f.api.get(SESSIONS).await.json, json!([]));
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn a_list_for_an_unknown_device_is_empty() {
    let f = Fixture::new().await;
    for device in [
        json!({"phoneNumber": "+15551234567"}),
        json!({"networkAccessIdentifier": "device@example.com"}),
        json!({"ipv6Address": "2a00::1"}),
    ] {
        let answer = f.api.post(RETRIEVE, json!({"device": device})).await;
        assert_eq!((answer.status, answer.json), (200, json!([])));
    }
    let answer = f.api.get(&format!("{SESSIONS}?phoneNumber=+15551234567")).await;
    assert_eq!((answer.status, answer.json), (200, json!([])));
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    let f = Fixture::new().await;
    for body in ["", "{", "[]", "null", "7", "\"text\"", "{} {}", "\u{feff}{}", "{\"a\":NaN}"] {
        let answer = f.api.post(SESSIONS, body).await;
        answer.assert_error(400, "INVALID_ARGUMENT");
    }
    let deep = "[".repeat(100_000);
    f.api.post(SESSIONS, deep.clone()).await.assert_error(400, "INVALID_ARGUMENT");
    let deep = format!("{{\"device\":{}", "{\"a\":".repeat(20_000));
    f.api.post(SESSIONS, deep).await.assert_error(400, "INVALID_ARGUMENT");
    let deep = format!("{{\"unknown\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    f.api.post(SESSIONS, deep).await.assert_error(400, "INVALID_ARGUMENT");
}

#[tokio::test]
async fn unknown_members_are_read_over() {
    let f = Fixture::new().await;
    let body = with(tutorial(), "somethingNew", json!({"a": [1, {"b": null}]}));
    f.create(body).await;
    f.create(with(tutorial(), "webhook", Value::Null)).await;
}

#[tokio::test]
async fn more_than_64_kib_are_refused() {
    let f = Fixture::new().await;
    let padded = |bytes: usize| with(tutorial(), "padding", json!("x".repeat(bytes)));
    f.api.post(SESSIONS, padded(64_000)).await.assert_ok();
    f.api.post(SESSIONS, padded(66_000)).await.assert_error(413, "PAYLOAD_TOO_LARGE");
    f.api.post(SESSIONS, padded(5_000_000)).await.assert_error(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn what_is_not_said_to_be_json_is_refused() {
    let f = Fixture::new().await;
    let body = tutorial().to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application", ""] {
        let api = f.api.header("content-type", content_type);
        let answer = api.send(Method::POST, SESSIONS, &body).await;
        answer.assert_error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    f.api.send(Method::POST, SESSIONS, &body).await.assert_error(415, "UNSUPPORTED_MEDIA_TYPE");
    for content_type in
        ["application/json; charset=utf-8", "APPLICATION/JSON", "application/a+json"]
    {
        let api = f.api.header("content-type", content_type);
        api.send(Method::POST, SESSIONS, &body).await.assert_ok();
    }
}

#[tokio::test]
async fn an_unknown_path_is_answered_with_those_that_exist() {
    let f = Fixture::new().await;
    for path in ["/nowhere", "/qod/v0/", "/qod/v0", "/sessions", "/qod/v0/sessions/"] {
        let message = f.api.get(path).await.assert_error(404, "NOT_FOUND").to_owned();
        assert!(message.contains("/qod/v0/sessions"), "{path}: {message}");
    }
}

#[tokio::test]
async fn an_unknown_method_is_answered_with_those_that_exist() {
    let f = Fixture::new().await;
    let answer = f.api.send(Method::PUT, SESSIONS, "").await;
    answer.assert_error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(answer.headers["allow"], "GET,HEAD,POST");
    let answer = f.api.send(Method::PATCH, &path("x"), "").await;
    answer.assert_error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(answer.headers["allow"], "GET,HEAD,DELETE");
    let answer = f.api.send(Method::PUT, "/quality-on-demand/v1rc3/sessions", "").await;
    assert_eq!(answer.headers["allow"], "POST");
}

#[tokio::test]
async fn an_id_that_is_none_names_nothing() {
    let f = Fixture::new().await;
    let unknown = "00000000-0000-4000-8000-000000000000";
    for id in ["x", unknown, "%00", "%2e%2e", "a%2Fb", "%F0%9F%92%A5", "%FF"] {
        f.get(id).await.assert_error(404, "NOT_FOUND");
        f.api.delete(&path(id)).await.assert_error(404, "NOT_FOUND");
        let extend = format!("{}/extend", path(id));
        let answer = f.api.post(&extend, json!({"requestedAdditionalDuration": 5})).await;
        answer.assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn an_extension_out_of_range_is_refused() {
    let f = Fixture::new().await;
    let extend = format!("{}/extend", path(&f.live(tutorial()).await));
    for (body, code) in [
        (json!({}), "INVALID_ARGUMENT"),
        (json!({"requestedAdditionalDuration": 0}), "OUT_OF_RANGE"),
        (json!({"requestedAdditionalDuration": 86_400}), "OUT_OF_RANGE"),
        (json!({"requestedAdditionalDuration": "5"}), "INVALID_ARGUMENT"),
    ] {
        let answer = f.api.post(&extend, body).await;
        let message = answer.assert_error(400, code);
        assert!(message.contains("requestedAdditionalDuration"), "{message}");
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    let f = Fixture::new().await;
    for (query, field) in [
        ("phoneNumber=36%2072", "phoneNumber"),
        ("networkAccessIdentifier=nobody", "networkAccessIdentifier"),
        ("page=0", "page"),
        ("perPage=101", "perPage"),
    ] {
        let answer = f.api.get(&format!("{SESSIONS}?{query}")).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.json["message"].as_str().unwrap().starts_with(field), "{answer:?}");
    }
}
