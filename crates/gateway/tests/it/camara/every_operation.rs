//! What holds for every operation: who may do it, for how often, and the correlator.

use greenwave_wire::camara::Release;
use http::Method;
use serde_json::{Value, json};

use super::{Camara, OTHER_PHONE, PHONE, assignment_request, operations, request, with};
use crate::client::{Answer, TestClient};

const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

async fn ask(api: &TestClient, method: &Method, path: &str, body: &str) -> Answer {
    let api = api.header("content-type", "application/json");
    api.send(method.clone(), path, body).await
}

#[tokio::test]
async fn every_401_no_token_or_none_that_is_valid() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let expired = c.with_token(json!({"application": "client-a", "expiresInS": -3600})).await;
        let none = TestClient::new(&c.f.api.root);
        let garbage = none.header("Authorization", "Bearer not.a.token");
        for (method, path, body, _) in operations(release, NOBODYS) {
            // Whatever else is wrong: who does not say who it is learns nothing more.
            for body in [&*body, "{", ""] {
                for api in [&none, &expired, &garbage] {
                    let api = api.header("x-correlator", "my-correlator");
                    let answer = ask(&api, &method, &path, body).await;
                    answer.assert_error(401, "UNAUTHENTICATED");
                    assert_eq!(answer.headers["x-correlator"], "my-correlator", "{path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_403_1_missing_access_token_scope() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        for (method, path, body, scope) in operations(release, NOBODYS) {
            let others: Vec<String> = operations(release, NOBODYS)
                .into_iter()
                .map(|(_, path, _, other)| whole(&path, other))
                .filter(|other| *other != whole(&path, scope))
                .collect();
            let form = json!({"application": "client-a", "scopes": others});
            let api = c.with_token(form).await;
            for body in [&*body, "{"] {
                let answer = ask(&api, &method, &path, body).await;
                let message = answer.assert_error(403, "PERMISSION_DENIED");
                assert!(message.contains(&whole(&path, scope)), "{message}");
            }
            let form = json!({"application": "client-a", "scopes": [whole(&path, scope)]});
            let answer = ask(&c.with_token(form).await, &method, &path, &body).await;
            assert_ne!(answer.status, 403, "{path}: {answer:?}");
        }
    }
}

/// The name of a scope, of which the table has the end.
fn whole(path: &str, scope: &str) -> String {
    if scope.contains("qos-profiles") {
        return scope.to_owned();
    }
    let api = path.split('/').nth(1).unwrap();
    format!("{api}:{scope}")
}

/// Every operation on what another application has: refused, and nothing has changed.
#[tokio::test]
async fn every_403_2_what_another_client_made() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let (session, assignment) =
            (c.live(request()).await, c.assigned(assignment_request()).await);
        let before =
            [c.api.get(&c.session(&session)).await, c.api.get(&c.assignment(&assignment)).await];
        let stranger = c.stranger().await;
        for id in [&session, &assignment] {
            for (method, path, body, _) in operations(release, id) {
                if !path.contains(id.as_str()) {
                    continue;
                }
                let answer = ask(&stranger, &method, &path, &body).await;
                let is_theirs = path.contains("sessions") == (id == &session);
                if is_theirs {
                    answer.assert_error(403, "PERMISSION_DENIED");
                } else {
                    // An assignment is no session, and the other way round.
                    let expected = (404, "NOT_FOUND");
                    let got = (answer.status, answer.json["code"].as_str().unwrap());
                    assert!(got == expected || got == (403, "PERMISSION_DENIED"), "{answer:?}");
                }
            }
        }
        let device = json!({"device": {"phoneNumber": PHONE}});
        let retrieved = stranger.post(&c.retrieve_sessions(), device.clone()).await;
        assert_eq!(retrieved.json, json!([]), "sessions of others are not told of");
        let retrieved = stranger.post(&c.retrieve_assignment(), device).await;
        retrieved.assert_error(403, "PERMISSION_DENIED");
        let after =
            [c.api.get(&c.session(&session)).await, c.api.get(&c.assignment(&assignment)).await];
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before.json, after.json);
        }
    }
}

/// A token that is bound to a device opens nothing of another device, even of the same client.
#[tokio::test]
async fn every_403_2_what_is_of_another_device() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let (session, assignment) =
            (c.live(request()).await, c.assigned(assignment_request()).await);
        let (same, other) = (c.of_device(PHONE).await, c.of_device(OTHER_PHONE).await);
        for id in [&session, &assignment] {
            for (method, path, body, _) in operations(release, id) {
                let is_theirs = path.contains("sessions") == (id == &session);
                if !path.contains(id.as_str()) || !is_theirs {
                    continue;
                }
                ask(&other, &method, &path, &body).await.assert_error(403, "PERMISSION_DENIED");
                if method == Method::GET {
                    ask(&same, &method, &path, &body).await.assert_ok();
                }
            }
        }
        let retrieved = other.post(&c.retrieve_sessions(), "{}").await;
        assert_eq!(retrieved.assert_ok().json, json!([]));
        let retrieved = same.post(&c.retrieve_sessions(), "{}").await;
        assert_eq!(retrieved.json[0]["sessionId"], session.as_str());
        let retrieved = same.post(&c.retrieve_assignment(), "{}").await;
        assert_eq!(retrieved.json["assignmentId"], assignment.as_str());
    }
}

#[tokio::test]
async fn every_400_x_correlator_is_echoed_or_refused() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        for (method, path, body, _) in operations(release, NOBODYS) {
            let correlator = "a-B_9:;./<>{}";
            let api = c.api.header("x-correlator", correlator);
            let answer = ask(&api, &method, &path, &body).await;
            assert_eq!(answer.headers["x-correlator"], correlator, "{path}");
            for wrong in ["with space", "ä", &"a".repeat(257)] {
                let api = c.api.header("x-correlator", wrong);
                let answer = ask(&api, &method, &path, &body).await;
                let message = answer.assert_error(400, "INVALID_ARGUMENT");
                assert!(message.starts_with("x-correlator"), "{message}");
            }
            let answer = ask(&c.api.header("x-correlator", ""), &method, &path, &body).await;
            assert_ne!(answer.json["code"], "INVALID_ARGUMENT", "an empty one is none");
        }
    }
}

#[tokio::test]
async fn every_429_1_too_many_requests() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let api = c.with_token(json!({"application": "limited"})).await;
        let applications = c.f.admin.get("/greenwave/v1/applications").await.json;
        let limited = |application: &&Value| application["name"] == "limited";
        let id = &applications.as_array().unwrap().iter().find(limited).unwrap()["id"];
        let path = format!("/greenwave/v1/applications/{id}/rate-limit");
        let admin = c.f.admin.header("content-type", "application/json");
        let limit = json!({"requests": 2, "perS": 3600}).to_string();
        admin.send(Method::PUT, &path, &limit).await.assert_ok();
        for (method, path, body, _) in operations(release, NOBODYS) {
            c.f.admin.post("/greenwave/v1/sandbox/reset", "{}").await.assert_ok();
            for _ in 0..2 {
                let answer = ask(&api, &method, &path, &body).await;
                assert_ne!(answer.status, 429, "{path}");
                assert!(answer.headers.contains_key("ratelimit"), "{path}: {answer:?}");
            }
            let answer = ask(&api, &method, &path, &body).await;
            answer.assert_error(429, "TOO_MANY_REQUESTS");
            assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn every_400_a_body_is_json_and_not_too_large() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        for (method, path, body, _) in operations(release, NOBODYS) {
            if method != Method::POST {
                continue;
            }
            for wrong in ["", "[]", "null", "{", "\"text\"", r#"{"device":1,"device":2}"#] {
                let answer = c.api.post(&path, wrong).await;
                answer.assert_error(400, "INVALID_ARGUMENT");
            }
            let plain = c.api.header("content-type", "text/plain");
            let answer = plain.send(Method::POST, &path, &body).await;
            answer.assert_error(415, "UNSUPPORTED_MEDIA_TYPE");
            let large = format!("{}{}", " ".repeat(70_000), body);
            c.api.post(&path, large).await.assert_error(413, "PAYLOAD_TOO_LARGE");
        }
    }
}

#[tokio::test]
async fn every_c01_the_device_is_identified_as_the_guide_says() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let three_legged = c.of_device(PHONE).await;
        for (method, path, body, scope) in operations(release, NOBODYS) {
            if method != Method::POST || path.ends_with("/extend") {
                continue;
            }
            let body: Value = serde_json::from_str(&body).unwrap();
            let ask = |device| c.api.post(&path, with(body.clone(), "device", device));
            // C01.01, C01.02
            for wrong in [
                json!({}),
                json!({"phoneNumber": "36721601234567"}),
                json!({"ipv4Address": {"publicAddress": "233.252.0.2"}}),
                json!({"ipv6Address": "2001:db8::/64"}),
                json!({"networkAccessIdentifier": 1}),
            ] {
                ask(wrong).await.assert_error(400, "INVALID_ARGUMENT");
            }
            // C01.03
            let unknown = ask(json!({"phoneNumber": "+15550100404"})).await;
            unknown.assert_error(404, "IDENTIFIER_NOT_FOUND");
            // C01.04
            let answer = three_legged.post(&path, body.clone()).await;
            answer.assert_error(422, "UNNECESSARY_IDENTIFIER");
            // C01.05
            let answer = ask(Value::Null).await;
            if scope == "qos-profiles:read" {
                answer.assert_ok();
            } else {
                answer.assert_error(422, "MISSING_IDENTIFIER");
            }
            // C01.06
            let unsupported = ask(json!({"networkAccessIdentifier": "device@testcsp.net"})).await;
            unsupported.assert_error(422, "UNSUPPORTED_IDENTIFIER");
            // C01.07
            let not_served = ask(json!({"phoneNumber": "+99999994220"})).await;
            not_served.assert_error(422, "SERVICE_NOT_APPLICABLE");
        }
    }
}
