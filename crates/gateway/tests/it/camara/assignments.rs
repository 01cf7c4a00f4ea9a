//! createQosAssignment, getQosAssignmentById, getQosAssignmentByDevice, revokeQosAssignment

use std::time::Duration;

use greenwave_wire::camara::Release;
use http::Method;
use serde_json::{Value, json};

use super::{Camara, OTHER_PHONE, PHONE, assignment_request, request, with};
use crate::client::Answer;

const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

fn device() -> Value {
    json!({"device": {"phoneNumber": PHONE}})
}

#[tokio::test]
async fn create_qos_assignment_01_generic_success() {
    for release in Release::ALL {
        let c = Camara::slow(release).await;
        let sink = "https://example.com/events";
        let body = with(assignment_request(), "sink", json!(sink));
        let created = c.api.post(&c.assignments(), body).await;
        assert_eq!(created.status, 201, "{created:?}");
        let id = created.json["assignmentId"].as_str().unwrap();
        assert_eq!(created.headers["location"], c.assignment(id).as_str());
        let expected = json!({
            "assignmentId": id, "device": {"phoneNumber": PHONE}, "qosProfile": "QOS_L",
            "sink": sink, "status": "REQUESTED",
        });
        assert_eq!(created.json, expected);
    }
}

#[tokio::test]
async fn create_qos_assignment_03_3_legged_and_409_1() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let api = c.of_device(PHONE).await;
        let created = api.post(&c.assignments(), json!({"qosProfile": "QOS_L"})).await;
        assert_eq!((created.status, created.json.get("device")), (201, None), "{created:?}");
        let again = c.api.post(&c.assignments(), assignment_request()).await;
        again.assert_error(409, "CONFLICT");
        let stranger = c.stranger().await.post(&c.assignments(), assignment_request()).await;
        let message = stranger.assert_error(409, "CONFLICT");
        assert!(!message.contains(created.json["assignmentId"].as_str().unwrap()), "{message}");
        // An assignment is in the way of no session.
        assert_eq!(c.api.post(&c.sessions(), request()).await.status, 201);
    }
}

#[tokio::test]
async fn create_qos_assignment_422_1_profile_not_applicable() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let mut profile = c.f.admin.get("/greenwave/v1/profiles/QOS_S").await.json;
        profile["name"] = json!("QOS_OLD");
        profile["status"] = json!("DEPRECATED");
        let admin = c.f.admin.header("content-type", "application/json");
        let path = "/greenwave/v1/profiles/QOS_OLD";
        admin.send(Method::PUT, path, &profile.to_string()).await.assert_ok();
        let body = with(assignment_request(), "qosProfile", json!("QOS_OLD"));
        let answer = c.api.post(&c.assignments(), body).await;
        answer.assert_error(422, "QOS_PROVISIONING.QOS_PROFILE_NOT_APPLICABLE");
    }
}

#[tokio::test]
async fn an_assignment_does_not_end_by_itself() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.assigned(assignment_request()).await;
        c.f.timer.pass(Duration::from_secs(10 * 365 * 86_400));
        let seen = c.api.get(&c.assignment(&id)).await;
        assert_eq!(seen.assert_ok().json["status"], "AVAILABLE");
        assert_eq!(seen.json["startedAt"], "2026-11-22T12:00:00.000Z");
    }
}

#[tokio::test]
async fn get_qos_assignment_by_id_02_recent_unavailable() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.assigned(assignment_request()).await;
        assert_eq!(c.api.delete(&c.assignment(&id)).await.status, 204);
        let seen = c.api.get(&c.assignment(&id)).await.assert_ok().json.clone();
        assert_eq!(
            (&seen["status"], &seen["statusInfo"]),
            (&json!("UNAVAILABLE"), &json!("DELETE_REQUESTED"))
        );
        let found = c.api.post(&c.retrieve_assignment(), device()).await;
        assert_eq!(found.assert_ok().json, seen, "there is no other");
        // It is in the way of nothing.
        let next = c.assigned(assignment_request()).await;
        let found = c.api.post(&c.retrieve_assignment(), device()).await;
        assert_eq!(found.json["assignmentId"], next.as_str());
        c.f.timer.pass(Duration::from_secs(360));
        c.api.get(&c.assignment(&id)).await.assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn an_assignment_that_the_network_ends_can_be_read_for_a_while() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.assigned(assignment_request()).await;
        c.end(&id).await;
        let unavailable = |seen: &Answer| seen.json["status"] == "UNAVAILABLE";
        let seen = c.api.get_until(&c.assignment(&id), unavailable).await;
        assert_eq!(seen.json["statusInfo"], "NETWORK_TERMINATED");
        assert_eq!(c.api.delete(&c.assignment(&id)).await.status, 204);
        c.api.get(&c.assignment(&id)).await.assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn get_qos_assignment_400_1_and_404_1() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        c.api.get(&c.assignment("no")).await.assert_error(400, "INVALID_ARGUMENT");
        c.api.delete(&c.assignment("no")).await.assert_error(400, "INVALID_ARGUMENT");
        c.api.get(&c.assignment(NOBODYS)).await.assert_error(404, "NOT_FOUND");
        c.api.delete(&c.assignment(NOBODYS)).await.assert_error(404, "NOT_FOUND");
        let session = c.live(request()).await;
        c.api.get(&c.assignment(&session)).await.assert_error(404, "NOT_FOUND");
        c.api.delete(&c.assignment(&session)).await.assert_error(404, "NOT_FOUND");
        let assignment = c.assigned(assignment_request()).await;
        for path in [c.session(&assignment), format!("/qod/v0/sessions/{assignment}")] {
            c.api.get(&path).await.assert_error(404, "NOT_FOUND");
            c.api.delete(&path).await.assert_error(404, "NOT_FOUND");
        }
        let listed = c.api.get("/qod/v0/sessions").await;
        assert_eq!(listed.json.as_array().unwrap().len(), 1, "an assignment is no session");
    }
}

#[tokio::test]
async fn get_qos_assignment_by_device_01_and_404_1() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        c.api.post(&c.retrieve_assignment(), device()).await.assert_error(404, "NOT_FOUND");
        let id = c.assigned(assignment_request()).await;
        let found = c.api.post(&c.retrieve_assignment(), device()).await;
        assert_eq!(found.assert_ok().json["assignmentId"], id.as_str());
        let other = json!({"device": {"phoneNumber": OTHER_PHONE}});
        c.api.post(&c.retrieve_assignment(), other).await.assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn revoke_qos_assignment_01_sync() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.assigned(assignment_request()).await;
        let revoked = c.api.delete(&c.assignment(&id)).await;
        assert_eq!((revoked.status, revoked.bytes.len()), (204, 0));
        // Once more, and it is gone.
        assert_eq!(c.api.delete(&c.assignment(&id)).await.status, 204);
        c.api.delete(&c.assignment(&id)).await.assert_error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn revoke_qos_assignment_02_async() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let id = c.assigned(assignment_request()).await;
        c.fault("release", "never-answers").await;
        let path = c.assignment(&id);
        let revoking = tokio::spawn({
            let (api, path) = (c.api.clone(), path.clone());
            async move { api.delete(&path).await }
        });
        let over = |seen: &Answer| seen.json["status"] == "UNAVAILABLE";
        c.api.get_until(&path, over).await;
        c.f.timer.pass(Duration::from_secs(1));
        let revoked = revoking.await.unwrap();
        assert_eq!(revoked.status, 202, "{revoked:?}");
        let expected = json!({
            "assignmentId": id, "device": {"phoneNumber": PHONE}, "qosProfile": "QOS_L",
            "startedAt": "2026-11-22T12:00:00.000Z",
            "status": "AVAILABLE", "statusInfo": "DELETE_REQUESTED",
        });
        assert_eq!(revoked.json, expected);
    }
}
