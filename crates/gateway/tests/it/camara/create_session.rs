//! createSession

use greenwave_wire::camara::Release;
use serde_json::{Value, json};

use super::{Camara, OTHER_PHONE, PHONE, assignment_request, request, with};
use crate::client::TestClient;

#[tokio::test]
async fn create_session_01_generic_success() {
    for release in Release::ALL {
        let c = Camara::slow(release).await;
        let body = json!({
            "device": {"phoneNumber": PHONE,
                       "ipv4Address": {"publicAddress": "233.252.0.2", "publicPort": 80}},
            "applicationServer": {"ipv4Address": "198.51.100.10", "ipv6Address": "2001:db8::10"},
            "devicePorts": {"ranges": [{"from": 5010, "to": 5020}], "ports": [5060]},
            "applicationServerPorts": {"ports": [443]},
            "qosProfile": "QOS_L",
            "duration": 60,
            "sink": "https://example.com/events",
        });
        let created = c.api.post(&c.sessions(), body.clone()).await;
        assert_eq!(created.status, 201, "{created:?}");
        assert_eq!(created.headers["content-type"], "application/json");
        assert_eq!(created.headers["location"], c.session(&created.id()).as_str());
        for member in
            ["applicationServer", "devicePorts", "applicationServerPorts", "qosProfile", "sink"]
        {
            assert_eq!(created.json[member], body[member], "{member}");
        }
        assert_eq!(created.json["device"], json!({"phoneNumber": PHONE}));
        assert_eq!(created.json["duration"], 60);
        assert_eq!(created.json["qosStatus"], "REQUESTED");
        for absent in ["startedAt", "expiresAt", "statusInfo", "sinkCredential"] {
            assert_eq!(created.json.get(absent), None, "{absent}");
        }
    }
}

#[tokio::test]
async fn create_session_03_3_legged_missing_device() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let api = c.of_device(PHONE).await;
        let created = api.post(&c.sessions(), with(request(), "device", Value::Null)).await;
        assert_eq!(created.status, 201, "{created:?}");
        assert_eq!(created.json.get("device"), None);
        let path = c.session(&created.id());
        let seen = api.get_until(&path, |seen| seen.is_status("AVAILABLE")).await;
        assert_eq!(seen.json.get("device"), None);
        // It is the device's, whoever looks.
        let device = json!({"device": {"phoneNumber": PHONE}});
        let retrieved = c.api.post(&c.retrieve_sessions(), device).await;
        assert_eq!(retrieved.json[0]["sessionId"], created.id());
    }
}

#[tokio::test]
async fn create_session_04_1_and_2_application_server_subnets_and_lists() {
    let c = Camara::new(Release::R41).await;
    for server in [
        json!({"ipv4Address": "198.51.100.0/24", "ipv6Address": "2001:db8:a::/64"}),
        json!({"ipAddresses": ["203.0.113.5", "2001:db8:b::5"]}),
    ] {
        let body = with(request(), "applicationServer", server.clone());
        let created = c.api.post(&c.sessions(), body).await;
        assert_eq!(created.json["applicationServer"], server);
    }
    // What overlaps with any of them is a conflict.
    let server = json!({"ipAddresses": ["192.0.2.1", "2001:db8:b::5"]});
    let refused = c.api.post(&c.sessions(), with(request(), "applicationServer", server)).await;
    refused.assert_error(409, "CONFLICT");
}

#[tokio::test]
async fn create_session_400_4_empty_properties() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let body = with(request(), "sink", json!("https://example.com/events"));
        for member in
            ["applicationServer", "devicePorts", "applicationServerPorts", "sinkCredential"]
        {
            let answer = c.api.post(&c.sessions(), with(body.clone(), member, json!({}))).await;
            answer.assert_error(400, "INVALID_ARGUMENT");
        }
    }
}

#[tokio::test]
async fn create_session_400_8_unknown_profile() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let body = with(request(), "qosProfile", json!("QOS_XL"));
        let answer = c.api.post(&c.sessions(), body).await;
        let message = answer.assert_error(400, "INVALID_ARGUMENT");
        assert!(message.contains("QOS_L"), "{message}");
    }
}

/// The definition has a code of its own for it.
#[tokio::test]
async fn create_session_400_9_invalid_duration() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let answer = c.api.post(&c.sessions(), with(request(), "duration", json!(86_401))).await;
        answer.assert_error(400, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE");
        for none in [json!(0), json!("60"), Value::Null] {
            let answer = c.api.post(&c.sessions(), with(request(), "duration", none)).await;
            answer.assert_error(400, "INVALID_ARGUMENT");
        }
    }
}

#[tokio::test]
async fn create_session_409_1_session_conflict() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        c.live(request()).await;
        c.api.post(&c.sessions(), request()).await.assert_error(409, "CONFLICT");
        let other = with(request(), "device", json!({"phoneNumber": OTHER_PHONE}));
        assert_eq!(c.api.post(&c.sessions(), other).await.status, 201);
        let elsewhere = with(request(), "applicationServer", json!({"ipv4Address": "192.0.2.9"}));
        assert_eq!(c.api.post(&c.sessions(), elsewhere).await.status, 201);
    }
}

/// Of several requests for the same flow that come at once, one is granted.
#[tokio::test]
async fn create_session_409_1_holds_between_requests_at_the_same_time() {
    let c = Camara::new(Release::R32).await;
    let requests = (0..20).map(|_| {
        let (api, path) = (c.api.clone(), c.sessions());
        tokio::spawn(async move { api.post(&path, request()).await.status })
    });
    let mut statuses = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        statuses.push(request.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[..2], [201, 409], "{statuses:?}");
}

#[tokio::test]
async fn create_session_422_1_profile_not_applicable() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        for status in ["INACTIVE", "DEPRECATED"] {
            let mut profile = c.f.admin.get("/greenwave/v1/profiles/QOS_S").await.json;
            profile["name"] = json!("QOS_OLD");
            profile["status"] = json!(status);
            let admin = c.f.admin.header("content-type", "application/json");
            let path = "/greenwave/v1/profiles/QOS_OLD";
            admin.send(http::Method::PUT, path, &profile.to_string()).await.assert_ok();
            let body = with(request(), "qosProfile", json!("QOS_OLD"));
            let answer = c.api.post(&c.sessions(), body.clone()).await;
            answer.assert_error(422, "QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE");
            let answer = c.f.api.post("/qod/v0/sessions", body).await;
            answer.assert_error(400, "INVALID_ARGUMENT");
        }
    }
}

#[tokio::test]
async fn a_profile_that_is_for_others_is_not_to_be_had() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let mut profile = c.f.admin.get("/greenwave/v1/profiles/QOS_S").await.json;
        profile["name"] = json!("QOS_VIP");
        profile["onlyFor"] = json!([{"phoneNumber": OTHER_PHONE}]);
        let admin = c.f.admin.header("content-type", "application/json");
        let path = "/greenwave/v1/profiles/QOS_VIP";
        admin.send(http::Method::PUT, path, &profile.to_string()).await.assert_ok();
        let body = with(request(), "qosProfile", json!("QOS_VIP"));
        let answer = c.api.post(&c.sessions(), body.clone()).await;
        answer.assert_error(422, "SERVICE_NOT_APPLICABLE");
        let vip = with(body, "device", json!({"phoneNumber": OTHER_PHONE}));
        assert_eq!(c.api.post(&c.sessions(), vip).await.status, 201);
    }
}

#[tokio::test]
async fn create_session_422_2_private_key_jwt_not_configured() {
    let c = Camara::new(Release::R41).await;
    let body = with(request(), "sink", json!("https://example.com/events"));
    let body = with(body, "sinkCredential", json!({"credentialType": "PRIVATE_KEY_JWT"}));
    let answer = c.api.post(&c.sessions(), body).await;
    answer.assert_error(422, "PRIVATE_KEY_JWT_NOT_CONFIGURED");
}

#[tokio::test]
async fn a_create_that_is_made_again_with_its_key_makes_one_session() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let api = c.api.header("Idempotency-Key", "my-key");
        let first = api.post(&c.sessions(), request()).await;
        let again = api.post(&c.sessions(), request()).await;
        assert_eq!((first.status, again.status), (201, 201));
        assert_eq!(first.json, again.json);
        assert_eq!(again.headers["idempotent-replayed"], "true");
        let other = api.post(&c.sessions(), with(request(), "duration", json!(61))).await;
        other.assert_error(422, "IDEMPOTENCY_KEY_REUSED");
    }
}

/// The same words mean another device with another token.
#[tokio::test]
async fn a_reply_is_not_for_the_token_of_another_device() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let named = |api: &TestClient, key| api.header("Idempotency-Key", key);
        let (one, other) = (c.of_device(PHONE).await, c.of_device(OTHER_PHONE).await);
        let session = with(request(), "device", Value::Null);
        let created = named(&one, "create").post(&c.sessions(), session.clone()).await;
        assert_eq!(created.status, 201, "{created:?}");
        let extend = format!("{}/extend", c.session(&created.id()));
        one.get_until(&c.session(&created.id()), |seen| seen.is_status("AVAILABLE")).await;
        for (key, path, body) in [
            ("create", c.sessions(), session),
            ("extend", extend, json!({"requestedAdditionalDuration": 60})),
            ("assign", c.assignments(), with(assignment_request(), "device", Value::Null)),
        ] {
            let first = named(&one, key).post(&path, body.clone()).await;
            assert!(matches!(first.status, 200 | 201), "{first:?}");
            let refused = named(&other, key).post(&path, body.clone()).await;
            refused.assert_error(422, "IDEMPOTENCY_KEY_REUSED");
            assert_eq!(named(&one, key).post(&path, body).await.json, first.json);
        }
    }
}

/// What is made on one path can be read on another.
#[tokio::test]
async fn a_session_is_the_same_on_every_path() {
    let c = Camara::new(Release::R41).await;
    let server = json!({"ipAddresses": ["2001:db8::5", "198.51.100.10", "198.51.100.11"]});
    let id = c.live(with(request(), "applicationServer", server)).await;
    let first = json!({"ipv4Address": "198.51.100.10", "ipv6Address": "2001:db8::5"});
    for path in [format!("/quality-on-demand/v1/sessions/{id}"), format!("/qod/v0/sessions/{id}")] {
        let seen = c.api.get(&path).await;
        assert_eq!(seen.assert_ok().json["applicationServer"], first, "{path}");
    }
}
