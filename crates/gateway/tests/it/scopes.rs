//! What a token is good for, at CAMARA's APIs.

use std::time::Duration;

use greenwave::auth::Scope;
use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, TestClient};
use crate::fixture::Fixture;
use crate::tokens::bearer;

const SESSIONS: &str = "/quality-on-demand/v1/sessions";
const ASSIGNMENTS: &str = "/qos-provisioning/v0.3/qos-assignments";

/// Every operation, with the scope that it takes. What it is about is not there.
fn operations() -> Vec<(Method, String, &'static str)> {
    let id = "0b5e6d1c-6a5f-4c0e-9a0e-2f6c5d3b1a00";
    let session = format!("{SESSIONS}/{id}");
    let assignment = format!("{ASSIGNMENTS}/{id}");
    vec![
        (Method::POST, SESSIONS.to_owned(), "quality-on-demand:sessions:create"),
        (Method::GET, session.clone(), "quality-on-demand:sessions:read"),
        (Method::DELETE, session.clone(), "quality-on-demand:sessions:delete"),
        (Method::POST, format!("{session}/extend"), "quality-on-demand:sessions:update"),
        (
            Method::POST,
            "/quality-on-demand/v1/retrieve-sessions".to_owned(),
            "quality-on-demand:sessions:retrieve-by-device",
        ),
        (Method::POST, "/qos-profiles/v1/retrieve-qos-profiles".to_owned(), "qos-profiles:read"),
        (Method::GET, "/qos-profiles/v1rc3/qos-profiles/x".to_owned(), "qos-profiles:read"),
        (Method::POST, ASSIGNMENTS.to_owned(), "qos-provisioning:qos-assignments:create"),
        (Method::GET, assignment.clone(), "qos-provisioning:qos-assignments:read"),
        (Method::DELETE, assignment, "qos-provisioning:qos-assignments:delete"),
        (
            Method::POST,
            "/qos-provisioning/v0.3/retrieve-qos-assignment".to_owned(),
            "qos-provisioning:qos-assignments:read-by-device",
        ),
    ]
}

async fn token(f: &Fixture, form: Value) -> TestClient {
    let mut form = form;
    form["application"] = json!("default");
    let issued = f.admin.post("/greenwave/v1/sandbox/tokens", form).await;
    bearer(f, issued.json["access_token"].as_str().unwrap())
        .header("content-type", "application/json")
}

async fn every_operation(client: &TestClient) -> Vec<(&'static str, Answer)> {
    let mut answers = Vec::new();
    for (method, path, scope) in operations() {
        // Nothing but who may do it is right.
        let body = if method == Method::POST { "no JSON" } else { "" };
        answers.push((scope, client.send(method, &path, body).await));
    }
    answers
}

#[tokio::test]
async fn each_operation_takes_its_scope() {
    let f = Fixture::new().await;
    for scope in Scope::ALL.map(Scope::as_str) {
        let only = token(&f, json!({"scopes": [scope]})).await;
        let rest: Vec<&str> =
            Scope::ALL.map(Scope::as_str).into_iter().filter(|other| *other != scope).collect();
        let without = token(&f, json!({"scopes": rest})).await;
        for (wanted, answer) in every_operation(&only).await {
            if wanted == scope {
                assert!(matches!(answer.status, 400 | 404), "{scope}: {answer:?}");
            } else {
                answer.assert_error(403, "PERMISSION_DENIED");
            }
        }
        for (wanted, answer) in every_operation(&without).await {
            if wanted == scope {
                let message = answer.assert_error(403, "PERMISSION_DENIED");
                assert!(message.contains(scope), "{message}");
            } else {
                assert!(matches!(answer.status, 400 | 404), "{wanted}: {answer:?}");
            }
        }
    }
    // An application key has them all, and a stranger is told of none.
    let key = f.api.header("content-type", "application/json");
    for (_, answer) in every_operation(&key).await {
        assert!(matches!(answer.status, 400 | 404), "{answer:?}");
    }
    let nobody = TestClient::new(&f.api.root).header("content-type", "application/json");
    for (_, answer) in every_operation(&nobody).await {
        answer.assert_error(401, "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn a_token_for_one_device_is_for_that_device() {
    let f = Fixture::new().await;
    let of_device = token(&f, json!({"device": "+36721601234567"})).await;
    let of_any = token(&f, json!({})).await;
    let request = json!({
        "applicationServer": {"ipv4Address": "203.0.113.5"}, "qosProfile": "QOS_L", "duration": 60,
    });
    let made = of_device.post(SESSIONS, request.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json.get("device"), None);
    let mut named = request.clone();
    named["device"] = json!({"phoneNumber": "+36721601234567"});
    of_device.post(SESSIONS, named).await.assert_error(422, "UNNECESSARY_IDENTIFIER");
    of_any.post(SESSIONS, request).await.assert_error(422, "MISSING_IDENTIFIER");
}

/// What is not good for CAMARA's paths is not good for those beside them.
#[tokio::test]
async fn the_early_paths_take_the_same_scopes_and_no_token_for_one_device() {
    let f = Fixture::new().await;
    for base in ["/qod/v0", "/qod/v0-epoch"] {
        let session = format!("{base}/sessions/0b5e6d1c-6a5f-4c0e-9a0e-2f6c5d3b1a00");
        let list = format!("{base}/sessions");
        let operations = [
            (Method::POST, list.clone(), "quality-on-demand:sessions:create"),
            (Method::GET, list.clone(), "quality-on-demand:sessions:read"),
            (Method::GET, session.clone(), "quality-on-demand:sessions:read"),
            (Method::DELETE, session.clone(), "quality-on-demand:sessions:delete"),
            (Method::POST, format!("{session}/extend"), "quality-on-demand:sessions:update"),
            (
                Method::POST,
                format!("{base}/retrieve-sessions"),
                "quality-on-demand:sessions:retrieve-by-device",
            ),
        ];
        let of_device = token(&f, json!({"device": "+36721601234567"})).await;
        for (method, path, scope) in operations {
            let only = token(&f, json!({"scopes": [scope]})).await;
            let answer = only.send(method.clone(), &path, "no JSON").await;
            assert!(matches!(answer.status, 200 | 400 | 404), "{path}: {answer:?}");
            let rest = Scope::ALL.map(Scope::as_str).into_iter().filter(|other| *other != scope);
            let without = token(&f, json!({"scopes": rest.collect::<Vec<_>>()})).await;
            for api in [&without, &of_device] {
                let answer = api.send(method.clone(), &path, "no JSON").await;
                answer.assert_error(403, "PERMISSION_DENIED");
            }
        }
    }
}

/// A person has let the application ask for quality, and has not said who it is.
#[tokio::test]
async fn what_a_token_has_named_is_told_on_no_path() {
    let f = Fixture::new().await;
    let of_device = token(&f, json!({"device": "+36721601234567"})).await;
    let request = json!({
        "applicationServer": {"ipv4Address": "203.0.113.5"}, "qosProfile": "QOS_L", "duration": 60,
    });
    let id = of_device.post(SESSIONS, request).await.id();
    for (path, shown) in [
        (format!("{SESSIONS}/{id}"), None),
        (format!("/quality-on-demand/v1rc3/sessions/{id}"), None),
        (format!("/qod/v0/sessions/{id}"), Some(&json!({}))),
        (format!("/qod/v0-epoch/sessions/{id}"), Some(&json!({}))),
    ] {
        let seen = f.api.get(&path).await;
        assert_eq!(seen.assert_ok().json.get("device"), shown, "{path}");
    }
    let listed = f.api.get("/qod/v0/sessions").await;
    assert_eq!(listed.json[0]["device"], json!({}));
}

/// After who it is and what it may, and before what it says.
#[tokio::test]
async fn a_rate_limit_holds_here_too() {
    let f = Fixture::new().await;
    let (good, lacking) = (token(&f, json!({})).await, token(&f, json!({"scopes": []})).await);
    let path = "/greenwave/v1/applications/1/rate-limit";
    let admin = f.admin.header("content-type", "application/json");
    admin.send(Method::PUT, path, r#"{"requests":2,"perS":60}"#).await.assert_ok();
    for left in [1, 0] {
        let answer = good.post(SESSIONS, "no JSON").await;
        answer.assert_error(400, "INVALID_ARGUMENT");
        let header = answer.headers["ratelimit"].to_str().unwrap();
        assert!(header.starts_with(&format!("\"default\";r={left};")), "{header}");
    }
    let answer = good.post(SESSIONS, "no JSON").await;
    answer.assert_error(429, "TOO_MANY_REQUESTS");
    assert_eq!(answer.headers["retry-after"], "30");
    lacking.post(SESSIONS, "no JSON").await.assert_error(403, "PERMISSION_DENIED");
    // A key of the same application counts with it.
    f.api.get("/qod/v0/sessions").await.assert_error(429, "TOO_MANY_REQUESTS");
    f.timer.pass(Duration::from_secs(30));
    good.post(SESSIONS, "no JSON").await.assert_error(400, "INVALID_ARGUMENT");
}
