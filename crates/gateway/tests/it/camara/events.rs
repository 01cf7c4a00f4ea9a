//! What receivers are told, over https.

use std::time::Duration;

use greenwave_wire::camara::Release;
use serde_json::{Value, json};

use super::{Camara, assignment_request, request, with};
use crate::client::Answer;
use crate::receiver::{Received, Receiver};

const TOKEN: &str = "c8974e592c2fa383d4a3960714";

/// A body with a sink at the receiver, and a credential for it until then.
fn told(body: Value, receiver: &Receiver, expires: &str) -> Value {
    let credential = json!({
        "credentialType": "ACCESSTOKEN",
        "accessToken": TOKEN,
        "accessTokenExpiresUtc": expires,
        "accessTokenType": "bearer",
    });
    with(with(body, "sink", json!(receiver.url())), "sinkCredential", credential)
}

fn assert_event(received: &Received, kind: &str, source: &str, data: &Value) {
    assert_eq!(received.headers["content-type"], "application/cloudevents+json");
    assert_eq!(received.headers["authorization"], format!("Bearer {TOKEN}"));
    let event = &received.json;
    assert_eq!(event["type"], kind);
    assert_eq!(event["source"], source);
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(&event["data"], data);
}

const SESSION: &str = "org.camaraproject.quality-on-demand.v1.qos-status-changed";
const ASSIGNMENT: &str = "org.camaraproject.qos-provisioning.v0.status-changed";
const LATE: &str = "2099-01-01T00:00:00Z";

#[tokio::test]
async fn create_session_02_2_and_delete_session_02_events() {
    for release in Release::ALL {
        let (receiver, authority) = Receiver::start_tls().await;
        let c = Camara::trusting(release, authority).await;
        let id = c.live(told(request(), &receiver, LATE)).await;
        assert_eq!(c.api.delete(&c.session(&id)).await.status, 204);
        let received = receiver.until(2).await;
        let source = c.session(&id);
        let available = json!({"sessionId": id, "qosStatus": "AVAILABLE"});
        assert_event(&received[0], SESSION, &source, &available);
        let deleted = json!({
            "sessionId": id, "qosStatus": "UNAVAILABLE", "statusInfo": "DELETE_REQUESTED",
        });
        assert_event(&received[1], SESSION, &source, &deleted);
        assert_ne!(received[0].json["id"], received[1].json["id"]);
    }
}

#[tokio::test]
async fn revoke_qos_assignment_03_events() {
    for release in Release::ALL {
        let (receiver, authority) = Receiver::start_tls().await;
        let c = Camara::trusting(release, authority).await;
        let id = c.assigned(told(assignment_request(), &receiver, LATE)).await;
        assert_eq!(c.api.delete(&c.assignment(&id)).await.status, 204);
        let received = receiver.until(2).await;
        let source = c.assignment(&id);
        let data = |status: &str, reason: Option<&str>| {
            let mut data = json!({"assignmentId": id, "status": status});
            if release == Release::R32 {
                // Its schema requires both.
                data["qosStatus"] = json!(status);
            }
            if let Some(reason) = reason {
                data["statusInfo"] = json!(reason);
            }
            data
        };
        assert_event(&received[0], ASSIGNMENT, &source, &data("AVAILABLE", None));
        let deleted = data("UNAVAILABLE", Some("DELETE_REQUESTED"));
        assert_event(&received[1], ASSIGNMENT, &source, &deleted);
    }
}

#[tokio::test]
async fn a_session_that_expires_tells_so() {
    let (receiver, authority) = Receiver::start_tls().await;
    let c = Camara::trusting(Release::R32, authority).await;
    let id = c.live(told(with(request(), "duration", json!(60)), &receiver, LATE)).await;
    receiver.until(1).await;
    c.f.timer.pass(Duration::from_secs(60));
    let received = receiver.until(2).await;
    let expired = json!({
        "sessionId": id, "qosStatus": "UNAVAILABLE", "statusInfo": "DURATION_EXPIRED",
    });
    assert_event(&received[1], SESSION, &c.session(&id), &expired);
    assert_eq!(received[1].json["time"], "2026-11-22T12:01:00.000Z");
}

/// A receiver is not shown a token that it would not take.
#[tokio::test]
async fn after_its_credential_has_expired_a_receiver_is_told_nothing() {
    let (receiver, authority) = Receiver::start_tls().await;
    let c = Camara::trusting(Release::R32, authority).await;
    let body = told(with(request(), "duration", json!(60)), &receiver, "2026-11-22T12:00:30Z");
    c.live(body).await;
    receiver.until(1).await;
    c.f.timer.pass(Duration::from_secs(60));
    let given_up = |figures: &Answer| {
        let text = String::from_utf8_lossy(&figures.bytes);
        text.lines().any(|line| line == "greenwave_dead_letters_total 1")
    };
    c.f.admin.get_until("/metrics", given_up).await;
    // Another one is told afterwards, so what was not told before will not be.
    let next = with(request(), "applicationServer", json!({"ipv4Address": "192.0.2.1"}));
    let id = c.live(told(next, &receiver, LATE)).await;
    let received = receiver.until(2).await;
    assert_eq!(received[1].json["data"]["sessionId"], id.as_str());
}
