//! Devices that leave the network and come back: a session ends with its device, an assignment does
//! not.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::client::{Answer, SOON, TestClient, within};
use crate::fixture::{Fixture, SLOW, request, rules_in, with};

const ASSIGNMENTS: &str = "/qos-provisioning/v0.3/qos-assignments";
const DETACH: &str = "/greenwave/v1/sandbox/network/devices/detach";
const ATTACH: &str = "/greenwave/v1/sandbox/network/devices/attach";

const PHONE: &str = "+36701234567";

/// A fixture, and a client of CAMARA's APIs for the same application.
async fn fixture() -> (Fixture, TestClient) {
    let f = Fixture::new().await;
    let camara = bearer(&f);
    (f, camara)
}

fn bearer(f: &Fixture) -> TestClient {
    let key = f.gateway.sandbox().application_key.expose_secret();
    TestClient::new(&f.api.root).header("Authorization", &format!("Bearer {key}"))
}

fn wanted() -> Value {
    json!({"device": {"phoneNumber": PHONE}, "qosProfile": "QOS_L"})
}

/// A session that outlives the test, for the same device.
fn long() -> Value {
    let session = with(request("x@testcsp.net"), "device", json!({"phoneNumber": PHONE}));
    with(session, "duration", json!(86_400))
}

impl Fixture {
    async fn detach(&self, device: &str) -> Answer {
        self.admin.post(DETACH, json!({"device": device})).await
    }

    async fn attach(&self, device: &str) -> Answer {
        self.admin.post(ATTACH, json!({"device": device})).await
    }
}

async fn until(api: &TestClient, id: &str, status: &str) -> Answer {
    let is = |answer: &Answer| answer.json["status"] == status;
    api.get_until(&format!("{ASSIGNMENTS}/{id}"), is).await
}

/// An assignment that is available.
async fn assigned(api: &TestClient) -> String {
    let made = api.post(ASSIGNMENTS, wanted()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json["assignmentId"].as_str().unwrap().to_owned();
    until(api, &id, "AVAILABLE").await;
    id
}

#[tokio::test]
async fn an_assignment_is_applied_again_when_its_device_is_back_and_a_session_is_over() {
    let (f, camara) = fixture().await;
    let assignment = assigned(&camara).await;
    let session = f.live(long()).await;
    let before = until(&camara, &assignment, "AVAILABLE").await.json;
    assert_eq!(f.detach(PHONE).await.json, json!({"rules": 2}));
    let ended = f.until(&session, "UNAVAILABLE").await;
    assert_eq!(ended.json["statusInfo"], "NETWORK_TERMINATED");
    f.until_rules(&[]).await;
    assert_eq!(until(&camara, &assignment, "AVAILABLE").await.json, before);
    assert_eq!(f.detach(PHONE).await.json, json!({"rules": 0}), "it is away already");

    assert_eq!(f.attach(PHONE).await.json, json!({"attached": true}));
    f.until_rules(std::slice::from_ref(&assignment)).await;
    assert_eq!(until(&camara, &assignment, "AVAILABLE").await.json, before);
    assert!(f.get(&session).await.is_status("UNAVAILABLE"), "what is over stays over");
    assert_eq!(f.attach(PHONE).await.json, json!({"attached": false}));
}

#[tokio::test]
async fn an_assignment_of_a_device_that_is_away_survives_a_crash_of_the_gateway() {
    let (f, camara) = fixture().await;
    let assignment = assigned(&camara).await;
    f.detach(PHONE).await.assert_ok();
    f.until_rules(&[]).await;
    // The simulated network keeps nobody away over a start.
    let f = f.crash().await;
    let camara = bearer(&f);
    let rules = f.directory.path().join("network.jsonl");
    let granting = async {
        while rules_in(&rules).is_empty() {
            f.timer.pass(SLOW);
            tokio::task::yield_now().await;
        }
    };
    within(SOON, "the rule", granting).await;
    until(&camara, &assignment, "AVAILABLE").await;
    camara.delete(&format!("{ASSIGNMENTS}/{assignment}")).await;
    f.until_rules(&[]).await;
}

#[tokio::test]
async fn what_is_asked_for_a_device_that_is_away_waits_for_it() {
    let (f, camara) = fixture().await;
    f.detach(PHONE).await.assert_ok();
    let made = camara.post(ASSIGNMENTS, wanted()).await;
    let assignment = made.json["assignmentId"].as_str().unwrap().to_owned();
    let session = f.create(long()).await;
    until(&camara, &assignment, "REQUESTED").await;
    f.attach(PHONE).await.assert_ok();
    until(&camara, &assignment, "AVAILABLE").await;
    f.until(&session, "AVAILABLE").await;
}

#[tokio::test]
async fn a_sandbox_that_is_reset_has_all_devices_in_its_network() {
    let (f, camara) = fixture().await;
    assigned(&camara).await;
    f.detach(PHONE).await.assert_ok();
    f.admin.post("/greenwave/v1/sandbox/reset", "").await.assert_ok();
    f.until_rules(&[]).await;
    assert_eq!(f.attach(PHONE).await.json, json!({"attached": false}));
    assigned(&camara).await;
}

#[tokio::test]
async fn a_device_that_cannot_be_is_told() {
    let (f, camara) = fixture().await;
    for path in [DETACH, ATTACH] {
        for (body, field) in [
            (json!({"device": "5"}), "device"),
            (json!({"device": "a@example.com"}), "networkAccessIdentifier"),
            (json!({"device": PHONE, "for": 1}), "for"),
            (json!({}), "device"),
        ] {
            let refused = f.admin.post(path, body).await;
            let message = refused.assert_error(400, "INVALID_ARGUMENT");
            assert!(message.contains(field), "{message}");
        }
        camara.post(path, json!({"device": PHONE})).await.assert_error(404, "NOT_FOUND");
        let stranger = TestClient::new(&f.admin.root);
        stranger.post(path, json!({"device": PHONE})).await.assert_error(401, "UNAUTHENTICATED");
    }
}
