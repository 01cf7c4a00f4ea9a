//! Who may do what.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, TestClient};
use crate::fixture::{Fixture, RETRIEVE, SESSIONS, path, request, tutorial, with};

const KEYS: &str = "/greenwave/v1/keys";

/// Every operation, on this session.
async fn every_operation(api: &TestClient, id: &str) -> Vec<Answer> {
    let extend = format!("{}/extend", path(id));
    let device = json!({"device": {"networkAccessIdentifier": "device@testcsp.net"}});
    vec![
        api.post(SESSIONS, tutorial()).await,
        api.get(SESSIONS).await,
        api.get(&path(id)).await,
        api.delete(&path(id)).await,
        api.post(&extend, json!({"requestedAdditionalDuration": 5})).await,
        api.post(RETRIEVE, device).await,
    ]
}

#[tokio::test]
async fn without_a_valid_key_nothing_is_told() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let anonymous = TestClient::new(&f.api.root);
    let wrong = "gw_test_0000000000000000000000000000000000AAAA";
    let clients = [
        anonymous.clone(),
        anonymous.header("X-RapidAPI-Key", ""),
        anonymous.header("X-RapidAPI-Key", "rubbish"),
        anonymous.header("X-RapidAPI-Key", wrong),
        anonymous.header("Authorization", &format!("Bearer {wrong}")),
        anonymous.header("Authorization", "Basic YTpi"),
        anonymous.header("Authorization", "Bearer"),
    ];
    let mut bodies = std::collections::HashSet::new();
    for client in clients {
        for answer in every_operation(&client, &id).await {
            answer.assert_error(401, "UNAUTHENTICATED");
            bodies.insert(answer.bytes);
        }
    }
    assert_eq!(bodies.len(), 1, "the same text for a missing key and a wrong one");
    assert!(f.get(&id).await.is_status("AVAILABLE"));
    assert_eq!(f.api.get(SESSIONS).await.json.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_may_come_in_either_header() {
    let f = Fixture::new().await;
    let key = secrecy::ExposeSecret::expose_secret(&f.gateway.sandbox().application_key);
    let anonymous = TestClient::new(&f.api.root);
    anonymous.header("Authorization", &format!("Bearer {key}")).get(SESSIONS).await.assert_ok();
    anonymous.header("Authorization", &format!("bearer {key}")).get(SESSIONS).await.assert_ok();
    anonymous.header("x-rapidapi-key", key).get(SESSIONS).await.assert_ok();
    // Nokia's clients send a host along that means nothing here.
    f.api.header("X-RapidAPI-Host", "anything").get(SESSIONS).await.assert_ok();
    let both = f.api.header("Authorization", "Bearer rubbish");
    both.get(SESSIONS).await.assert_error(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn another_applications_session_is_forbidden() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let stranger = f.stranger().await;
    let extend = format!("{}/extend", path(&id));
    let answers = [
        stranger.get(&path(&id)).await,
        stranger.delete(&path(&id)).await,
        stranger.post(&extend, json!({"requestedAdditionalDuration": 5})).await,
    ];
    for answer in answers {
        answer.assert_error(403, "PERMISSION_DENIED");
    }
    assert_eq!(stranger.get(SESSIONS).await.json, json!([]));
    let device = json!({"device": {"networkAccessIdentifier": "device@testcsp.net"}});
    assert_eq!(stranger.post(RETRIEVE, device).await.json, json!([]));
    assert_eq!(f.get(&id).await.json["duration"], 60, "nothing has happened to it");
}

#[tokio::test]
async fn a_conflict_tells_nothing_of_whose_it_is() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let stranger = f.stranger().await;
    let conflict = stranger.post(SESSIONS, tutorial()).await;
    conflict.assert_error(409, "CONFLICT");
    let text = String::from_utf8(conflict.bytes.to_vec()).unwrap();
    for secret in [id.as_str(), "default", "expires", "12:0"] {
        assert!(!text.contains(secret), "{text}");
    }
    let elsewhere = with(tutorial(), "applicationServer", json!({"ipv4Address": "198.51.100.7"}));
    stranger.post(SESSIONS, elsewhere).await.assert_ok();
    let ports = with(tutorial(), "devicePorts", json!({"ports": [80]}));
    stranger.post(SESSIONS, ports).await.assert_error(409, "CONFLICT");
    f.api.delete(&path(&id)).await;
    stranger.post(SESSIONS, tutorial()).await.assert_ok();
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked() {
    let f = Fixture::new().await;
    let body = json!({"application": "shop", "label": "laptop"});
    let created = f.admin.post(KEYS, body.clone()).await;
    assert_eq!(created.status, 201);
    let key = created.json["key"].as_str().unwrap();
    assert!(key.starts_with("gw_test_") && key.len() == 46, "{key}");
    let shop = TestClient::with_key(&f.api.root, key);
    shop.get(SESSIONS).await.assert_ok();

    // Two may be live, to change over from one to the other.
    let second = f.admin.post(KEYS, body.clone()).await;
    assert_eq!(second.status, 201);
    f.admin.post(KEYS, body.clone()).await.assert_error(409, "TOO_MANY_KEYS");
    let list = f.admin.get(KEYS).await;
    let list = list.json.as_array().unwrap();
    assert_eq!(list.len(), 3, "the sandbox's own is there too");
    assert!(list.iter().all(|entry| entry.get("key").is_none()));

    let id = &created.json["id"];
    assert_eq!(f.admin.delete(&format!("{KEYS}/{id}")).await.status, 204);
    shop.get(SESSIONS).await.assert_error(401, "UNAUTHENTICATED");
    let second = second.json["key"].as_str().unwrap();
    TestClient::with_key(&f.api.root, second).get(SESSIONS).await.assert_ok();
    f.admin.delete(&format!("{KEYS}/{id}")).await.assert_error(404, "NOT_FOUND");
    f.admin.delete(&format!("{KEYS}/nonsense")).await.assert_error(404, "NOT_FOUND");
    assert_eq!(f.admin.post(KEYS, body).await.status, 201);
}

#[tokio::test]
async fn both_keys_of_an_application_see_the_same_sessions() {
    let f = Fixture::new().await;
    let id = f.create(tutorial()).await;
    let second = f.admin.post(KEYS, json!({"application": "default"})).await;
    let second = TestClient::with_key(&f.api.root, second.json["key"].as_str().unwrap());
    second.get(&path(&id)).await.assert_ok();
}

#[tokio::test]
async fn the_admin_api_wants_its_token_and_is_not_public() {
    let f = Fixture::new().await;
    let anonymous = TestClient::new(&f.admin.root);
    let key = secrecy::ExposeSecret::expose_secret(&f.gateway.sandbox().application_key).to_owned();
    for client in [
        anonymous.clone(),
        anonymous.header("Authorization", "Bearer wrong"),
        anonymous.header("Authorization", &format!("Bearer {key}")),
        anonymous.header("X-RapidAPI-Key", &key),
    ] {
        client.get(KEYS).await.assert_error(401, "UNAUTHENTICATED");
        client.post(KEYS, json!({"application": "x"})).await.assert_error(401, "UNAUTHENTICATED");
        client.delete(&format!("{KEYS}/1")).await.assert_error(401, "UNAUTHENTICATED");
        client.get("/greenwave/v1/applications").await.assert_error(401, "UNAUTHENTICATED");
    }
    f.api.get(KEYS).await.assert_error(404, "NOT_FOUND");
    f.admin.get(SESSIONS).await.assert_error(404, "NOT_FOUND");
    let applications = f.admin.get("/greenwave/v1/applications").await;
    assert_eq!(applications.json[0]["name"], "default");
}

#[tokio::test]
async fn the_admin_api_takes_no_nonsense() {
    let f = Fixture::new().await;
    for body in [
        json!({}),
        json!({"application": ""}),
        json!({"application": "x".repeat(101)}),
        json!({"application": "a\nb"}),
        json!({"application": "a", "label": "\u{7}"}),
        json!({"application": "a", "unknown": 1}),
        json!([]),
    ] {
        f.admin.post(KEYS, body).await.assert_error(400, "INVALID_ARGUMENT");
    }
    let text = f.admin.header("content-type", "text/plain").send(Method::POST, KEYS, "{}").await;
    text.assert_error(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn devices_under_different_names_are_different_devices() {
    let f = Fixture::new().await;
    let address = json!({"publicAddress": "233.252.0.9", "privateAddress": "192.0.2.9"});
    let named = |name: &str| -> Value {
        let device = json!({"networkAccessIdentifier": name, "ipv4Address": address});
        with(request(name), "device", device)
    };
    f.create(named("one@testcsp.net")).await;
    f.create(named("two@testcsp.net")).await;
    // So a stranger's session for another device at the same address is no conflict.
    let stranger = f.stranger().await;
    stranger.post(SESSIONS, named("three@testcsp.net")).await.assert_ok();
    stranger.post(SESSIONS, named("one@testcsp.net")).await.assert_error(409, "CONFLICT");
    let count = async |device: Value| {
        let answer = f.api.post(RETRIEVE, json!({"device": device})).await;
        answer.json.as_array().unwrap().len()
    };
    assert_eq!(count(json!({"networkAccessIdentifier": "one@testcsp.net"})).await, 1);
    assert_eq!(count(json!({"networkAccessIdentifier": "two@testcsp.net"})).await, 1);
    assert_eq!(count(json!({"ipv4Address": address})).await, 1, "it was first seen with one");
}
