//! getSession, deleteSession, extendQosSessionDuration, retrieveSessionsByDevice

use std::time::Duration;

use greenwave_wire::camara::Release;
use serde_json::{Value, json};

use super::{Camara, OTHER_PHONE, PHONE, request, with};
use crate::client::Answer;

const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn get_session_01_get_existing_session() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.live(request()).await;
        let seen = c.api.get(&c.session(&id)).await.assert_ok().json.clone();
        assert_eq!(seen["sessionId"], id.as_str());
        assert_eq!(seen["applicationServer"], request()["applicationServer"]);
        assert_eq!(seen["startedAt"], "2026-11-22T12:00:00.000Z");
        assert_eq!(seen["expiresAt"], "2026-11-22T13:00:00.000Z");
        assert_eq!((&seen["duration"], seen.get("statusInfo")), (&json!(3600), None));
    }
}

#[tokio::test]
async fn get_session_02_get_recent_unavailable() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        c.fault("provision", "refuses").await;
        let created = c.api.post(&c.sessions(), request()).await;
        let path = c.session(&created.id());
        let seen = c.api.get_until(&path, |seen| seen.is_status("UNAVAILABLE")).await;
        assert_eq!(seen.json["statusInfo"], "NETWORK_TERMINATED");
        assert_eq!(seen.json.get("startedAt"), None, "it never was");
        // It is in the way as long as it can be read.
        c.api.post(&c.sessions(), request()).await.assert_error(409, "CONFLICT");
        c.f.timer.pass(Duration::from_secs(359));
        assert!(c.api.get(&path).await.is_status("UNAVAILABLE"));
        c.f.timer.pass(Duration::from_secs(1));
        c.api.get(&path).await.assert_error(404, "NOT_FOUND");
        assert_eq!(c.api.post(&c.sessions(), request()).await.status, 201);
    }
}

#[tokio::test]
async fn get_session_400_1_and_404_1() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        for path in [c.session("not-a-uuid"), c.session("00000000000040008000000000000000")] {
            c.api.get(&path).await.assert_error(400, "INVALID_ARGUMENT");
            c.api.delete(&path).await.assert_error(400, "INVALID_ARGUMENT");
            let answer = c.api.post(&format!("{path}/extend"), extension(60)).await;
            answer.assert_error(400, "INVALID_ARGUMENT");
        }
        c.api.get(&c.session(NOBODYS)).await.assert_error(404, "NOT_FOUND");
        c.api.delete(&c.session(NOBODYS)).await.assert_error(404, "NOT_FOUND");
        let answer = c.api.post(&format!("{}/extend", c.session(NOBODYS)), extension(60)).await;
        answer.assert_error(404, "NOT_FOUND");
    }
}

fn extension(seconds: i64) -> Value {
    json!({"requestedAdditionalDuration": seconds})
}

#[tokio::test]
async fn delete_session_01_delete_existing_qod_session() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.live(request()).await;
        let deleted = c.api.delete(&c.session(&id)).await;
        assert_eq!((deleted.status, deleted.bytes.len()), (204, 0));
        c.api.get(&c.session(&id)).await.assert_error(404, "NOT_FOUND");
        c.api.delete(&c.session(&id)).await.assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn delete_session_of_one_that_the_network_ended() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.live(request()).await;
        c.end(&id).await;
        let seen = c.api.get_until(&c.session(&id), |seen| seen.is_status("UNAVAILABLE")).await;
        assert_eq!(seen.json["statusInfo"], "NETWORK_TERMINATED");
        assert_eq!(seen.json["duration"], 1, "at least a second, the schema says");
        assert_eq!(c.api.delete(&c.session(&id)).await.status, 204);
        c.api.get(&c.session(&id)).await.assert_error(404, "NOT_FOUND");
        assert_eq!(c.api.post(&c.sessions(), request()).await.status, 201);
    }
}

#[tokio::test]
async fn a_session_that_has_expired_is_gone() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.live(with(request(), "duration", json!(60))).await;
        c.f.timer.pass(Duration::from_secs(60));
        c.api.get(&c.session(&id)).await.assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn extend_01_generic_success_and_02_exceed_max_duration() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.live(request()).await;
        let path = format!("{}/extend", c.session(&id));
        let extend = async |seconds| c.api.post(&path, extension(seconds)).await;
        let extended = extend(600).await;
        assert_eq!(extended.assert_ok().json["duration"], 4_200);
        assert_eq!(extended.json["expiresAt"], "2026-11-22T13:10:00.000Z");
        // Overall it is at most what the profile grants, however often it is asked.
        for _ in 0..2 {
            let extended = extend(50_000_000).await;
            assert_eq!(extended.assert_ok().json["duration"], 86_400);
        }
    }
}

#[tokio::test]
async fn extend_400_bodies() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let path = format!("{}/extend", c.session(&c.live(request()).await));
        for wrong in ["", "{}", r#"{"requestedAdditionalDuration":"60"}"#] {
            c.api.post(&path, wrong).await.assert_error(400, "INVALID_ARGUMENT");
        }
        c.api.post(&path, extension(0)).await.assert_error(400, "INVALID_ARGUMENT");
    }
}

#[tokio::test]
async fn extend_409_1_not_available() {
    for release in Release::ALL {
        let c = Camara::slow(release).await;
        let created = c.api.post(&c.sessions(), request()).await;
        let path = format!("{}/extend", c.session(&created.id()));
        let code = "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED";
        c.api.post(&path, extension(60)).await.assert_error(409, code);
    }
}

fn ids(answer: &Answer) -> Vec<String> {
    let list = answer.assert_ok().json.as_array().unwrap();
    list.iter().map(|seen| seen["sessionId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn retrieve_sessions_01_by_device_and_02_none() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let device = json!({"phoneNumber": PHONE});
        let none = c.api.post(&c.retrieve_sessions(), json!({"device": device})).await;
        assert_eq!(none.assert_ok().json, json!([]));
        let first = c.live(request()).await;
        let server = json!({"ipv4Address": "192.0.2.9"});
        let second = c.live(with(request(), "applicationServer", server)).await;
        c.live(with(request(), "device", json!({"phoneNumber": OTHER_PHONE}))).await;
        let found = c.api.post(&c.retrieve_sessions(), json!({"device": device})).await;
        assert_eq!(ids(&found), [first, second]);
        let all = found.json.as_array().unwrap();
        assert!(all.iter().all(|seen| seen["device"] == device), "{found:?}");
    }
}

/// Several identifiers: one is used, and it comes back; nothing is said of the others.
#[tokio::test]
async fn one_of_several_identifiers_is_used() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let both = json!({"phoneNumber": PHONE, "ipv6Address": "2001:db8:9999::1"});
        let id = c.live(with(request(), "device", both)).await;
        let by = async |device: Value| {
            c.api.post(&c.retrieve_sessions(), json!({"device": device})).await
        };
        assert_eq!(ids(&by(json!({"phoneNumber": PHONE})).await), [id]);
        let other = by(json!({"ipv6Address": "2001:db8:9999::1"})).await;
        assert!(ids(&other).is_empty(), "the other identifier has not become a name of the device");
    }
}

/// A definition has no GET there, and Nokia's clients do.
#[tokio::test]
async fn all_sessions_are_listed_to_nokias_clients_only() {
    let c = Camara::new(Release::R32).await;
    let id = c.live(request()).await;
    let refused = c.api.get(&c.sessions()).await;
    refused.assert_error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(refused.headers["allow"], "POST");
    let body = json!({
        "device": {"networkAccessIdentifier": "device@testcsp.net"},
        "applicationServer": {"ipv4Address": "5.6.7.8", "ipv6Address": null},
        "qosProfile": "QOS_L",
    });
    let created = c.f.api.post(&c.sessions(), body.clone()).await;
    assert_eq!((created.status, &created.json["duration"]), (201, &json!(86_400)));
    assert_eq!(created.json["device"], body["device"]);
    let listed = ids(&c.f.api.get(&c.sessions()).await);
    assert_eq!(listed, [created.id()]);
    assert!(!listed.contains(&id), "another application's");
}
