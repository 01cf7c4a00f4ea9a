//! CAMARA's QoS Profiles, in each release; named after the scenarios of its test definitions.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, TestClient};
use crate::fixture::Fixture;
use crate::tokens::bearer;

const RELEASES: [&str; 2] = ["/qos-profiles/v1", "/qos-profiles/v1rc3"];
const PROFILES: &str = "/greenwave/v1/profiles";

/// The device that the restricted profile is for, and another one.
const SUITABLE: &str = "+99999991001";
const OTHER: &str = "+99999991002";

/// A gateway with an inactive profile, a deprecated one, and one that is for a device alone.
struct Profiles {
    f: Fixture,
    /// With a bearer token, as CAMARA's clients have.
    api: TestClient,
}

impl Profiles {
    async fn new() -> Self {
        let f = Fixture::new().await;
        for (name, member, value) in [
            ("INACTIVE_ONE", "status", json!("INACTIVE")),
            ("DEPRECATED_ONE", "status", json!("DEPRECATED")),
            ("RESTRICTED_ONE", "onlyFor", json!([{"phoneNumber": SUITABLE}])),
        ] {
            let mut profile = f.admin.get(&format!("{PROFILES}/QOS_L")).await.json;
            profile["name"] = json!(name);
            profile[member] = value;
            assert_eq!(put(&f.admin, &profile).await.status, 201);
        }
        let key = secrecy::ExposeSecret::expose_secret(&f.gateway.sandbox().application_key);
        let api = TestClient::new(&f.api.root).header("Authorization", &format!("Bearer {key}"));
        Self { f, api }
    }

    /// The same with a token that is bound to a device.
    async fn with_token_of(&self, device: &str) -> TestClient {
        let form = json!({"application": "default", "device": device});
        let issued = self.f.admin.post("/greenwave/v1/sandbox/tokens", form).await;
        bearer(&self.f, issued.json["access_token"].as_str().unwrap())
    }

    async fn retrieve(&self, release: &str, body: Value) -> Answer {
        self.api.post(&format!("{release}/retrieve-qos-profiles"), body).await
    }

    async fn get(&self, release: &str, name: &str) -> Answer {
        self.api.get(&format!("{release}/qos-profiles/{name}")).await
    }
}

async fn put(admin: &TestClient, profile: &Value) -> Answer {
    let path = format!("{PROFILES}/{}", profile["name"].as_str().unwrap());
    let admin = admin.header("content-type", "application/json");
    admin.send(Method::PUT, &path, &profile.to_string()).await
}

fn phone(number: &str) -> Value {
    json!({"device": {"phoneNumber": number}})
}

fn names(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/json");
    let profiles = answer.json.as_array().unwrap();
    profiles.iter().map(|profile| profile["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn get_qos_profile_01_generic_success() {
    let p = Profiles::new().await;
    for release in RELEASES {
        let api = p.api.header("x-correlator", "b4333c46:<x>");
        let answer = api.get(&format!("{release}/qos-profiles/QOS_E")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["x-correlator"], "b4333c46:<x>");
        assert_eq!(
            answer.bytes,
            concat!(
                r#"{"name":"QOS_E","description":"Stable delay under congestion, "#,
                r#"at 0.5 Mbit/s each way","status":"ACTIVE","#,
                r#""targetMinUpstreamRate":{"value":500,"unit":"kbps"},"#,
                r#""maxUpstreamRate":{"value":500,"unit":"kbps"},"#,
                r#""targetMinDownstreamRate":{"value":500,"unit":"kbps"},"#,
                r#""maxDownstreamRate":{"value":500,"unit":"kbps"},"#,
                r#""minDuration":{"value":1,"unit":"Seconds"},"#,
                r#""maxDuration":{"value":1,"unit":"Days"},"priority":30,"#,
                r#""packetDelayBudget":{"value":50,"unit":"Milliseconds"}}"#,
            )
        );
        assert_eq!(p.get(release, "INACTIVE_ONE").await.json["status"], "INACTIVE");
    }
}

#[tokio::test]
async fn get_qos_profile_400_a_name_that_is_none() {
    let p = Profiles::new().await;
    for release in RELEASES {
        for name in ["QO", "QOS%20L", "QOS%2FL", "%ff%ff%ff", "Q%C3%96S_L", &"x".repeat(257)] {
            p.get(release, name).await.assert_error(400, "INVALID_ARGUMENT");
        }
    }
}

#[tokio::test]
async fn get_qos_profile_401_without_a_valid_token() {
    let p = Profiles::new().await;
    let anonymous = TestClient::new(&p.api.root);
    for release in RELEASES {
        for client in [anonymous.clone(), anonymous.header("Authorization", "Bearer rubbish")] {
            let path = format!("{release}/qos-profiles/QOS_L");
            client.get(&path).await.assert_error(401, "UNAUTHENTICATED");
            // Who it is comes before what it asks for.
            let path = format!("{release}/qos-profiles/x");
            client.get(&path).await.assert_error(401, "UNAUTHENTICATED");
            let path = format!("{release}/retrieve-qos-profiles");
            client.post(&path, json!({})).await.assert_error(401, "UNAUTHENTICATED");
        }
    }
}

#[tokio::test]
async fn get_qos_profile_404_not_found_and_not_for_everybody() {
    let p = Profiles::new().await;
    for release in RELEASES {
        p.get(release, "no-such-profile").await.assert_error(404, "NOT_FOUND");
        let hidden = p.get(release, "RESTRICTED_ONE").await;
        hidden.assert_error(404, "NOT_FOUND");
        assert_eq!(hidden.bytes, p.get(release, "no-such-profile").await.bytes);
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_01_generic_success() {
    let p = Profiles::new().await;
    for release in RELEASES {
        let answer = p.retrieve(release, json!({})).await;
        assert_eq!(names(&answer).len(), 15, "thirteen and two");
        let one = &answer.json.as_array().unwrap()[1];
        assert_eq!(one["maxDownstreamRate"], json!({"value": 4, "unit": "Mbps"}));
        assert_eq!(one.get("targetMinDownstreamRate"), None, "nothing is promised");
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_02_filter_by_name_only() {
    let p = Profiles::new().await;
    for release in RELEASES {
        let found = p.retrieve(release, json!({"name": "QOS_M"})).await;
        assert_eq!(names(&found), ["QOS_M"]);
        assert!(names(&p.retrieve(release, json!({"name": "no-such"})).await).is_empty());
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_03_filter_by_status_only() {
    let p = Profiles::new().await;
    for release in RELEASES {
        for (status, count) in [("ACTIVE", 13), ("INACTIVE", 1), ("DEPRECATED", 1)] {
            let found = p.retrieve(release, json!({"status": status})).await;
            assert_eq!(names(&found).len(), count);
            let all = found.json.as_array().unwrap();
            assert!(all.iter().all(|profile| profile["status"] == status));
        }
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_04_restricted_returned_for_a_suitable_device() {
    let p = Profiles::new().await;
    for release in RELEASES {
        let found = p.retrieve(release, phone(SUITABLE)).await;
        assert!(names(&found).contains(&"RESTRICTED_ONE") && names(&found).contains(&"QOS_L"));
        assert!(!String::from_utf8_lossy(&found.bytes).contains(SUITABLE), "no names of devices");
        let mut both = phone(SUITABLE);
        both["name"] = json!("RESTRICTED_ONE");
        assert_eq!(names(&p.retrieve(release, both).await), ["RESTRICTED_ONE"]);
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_04_for_the_device_of_a_token() {
    let p = Profiles::new().await;
    let (suitable, other) = (p.with_token_of(SUITABLE).await, p.with_token_of(OTHER).await);
    // A token may name a device as a request may not.
    let named = p.with_token_of("device@testcsp.net").await;
    for release in RELEASES {
        let path = format!("{release}/retrieve-qos-profiles");
        let found = suitable.post(&path, json!({})).await;
        assert!(names(&found).contains(&"RESTRICTED_ONE"));
        for client in [&other, &named] {
            let found = client.post(&path, json!({})).await;
            assert_eq!(names(&found).len(), 15);
        }
        let one = json!({"name": "QOS_L"});
        assert_eq!(names(&suitable.post(&path, one).await), ["QOS_L"]);
    }
}

#[tokio::test]
async fn get_qos_profile_for_the_device_of_a_token() {
    let p = Profiles::new().await;
    let suitable = p.with_token_of(SUITABLE).await;
    for release in RELEASES {
        let path = |name: &str| format!("{release}/qos-profiles/{name}");
        assert_eq!(suitable.get(&path("RESTRICTED_ONE")).await.json["name"], "RESTRICTED_ONE");
        let other = p.with_token_of(OTHER).await;
        other.get(&path("RESTRICTED_ONE")).await.assert_error(404, "NOT_FOUND");
        other.get(&path("QOS_L")).await.assert_ok();
        for number in ["+99999992000", "+99999994220", "+15551234567"] {
            let without = p.with_token_of(number).await;
            without.get(&path("QOS_L")).await.assert_error(404, "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_c01_04_unnecessary_device() {
    let p = Profiles::new().await;
    let client = p.with_token_of(SUITABLE).await;
    for release in RELEASES {
        let path = format!("{release}/retrieve-qos-profiles");
        for number in [SUITABLE, OTHER] {
            let refused = client.post(&path, phone(number)).await;
            refused.assert_error(422, "UNNECESSARY_IDENTIFIER");
        }
        let wrong = json!({"device": {}});
        client.post(&path, wrong).await.assert_error(400, "INVALID_ARGUMENT");
        let without = p.with_token_of("+99999992000").await;
        assert_eq!(without.post(&path, json!({})).await.bytes, "[]");
        let refused = p.with_token_of("+99999994220").await.post(&path, json!({})).await;
        refused.assert_error(422, "SERVICE_NOT_APPLICABLE");
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_05_restricted_not_returned_without_device() {
    let p = Profiles::new().await;
    for release in RELEASES {
        for body in [json!({}), json!({"name": "RESTRICTED_ONE"}), phone(OTHER)] {
            let found = p.retrieve(release, body).await;
            assert!(!names(&found).contains(&"RESTRICTED_ONE"));
        }
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_06_device_without_profiles() {
    let p = Profiles::new().await;
    for release in RELEASES {
        assert_eq!(p.retrieve(release, phone("+99999992000")).await.bytes, "[]");
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_c01_devices() {
    let p = Profiles::new().await;
    for release in RELEASES {
        for device in [
            json!({}),
            json!({"phoneNumber": "36721601234567"}),
            json!({"phoneNumber": 1}),
            json!({"ipv4Address": {"publicAddress": "198.51.100.1"}}),
            json!({"ipv4Address": {"publicAddress": "198.51.100", "publicPort": 80}}),
            json!({"ipv6Address": "2001:db8::1/64"}),
            json!({"networkAccessIdentifier": {}}),
        ] {
            let answer = p.retrieve(release, json!({"device": device})).await;
            answer.assert_error(400, "INVALID_ARGUMENT");
        }
        let unknown = p.retrieve(release, phone("+15551234567")).await;
        unknown.assert_error(404, "IDENTIFIER_NOT_FOUND");
        let name = json!({"device": {"networkAccessIdentifier": "device@testcsp.net"}});
        p.retrieve(release, name).await.assert_error(422, "UNSUPPORTED_IDENTIFIER");
        let refused = p.retrieve(release, phone("+99999994220")).await;
        refused.assert_error(422, "SERVICE_NOT_APPLICABLE");
    }
}

#[tokio::test]
async fn retrieve_qos_profiles_400_bodies_that_are_not_as_they_should_be() {
    let p = Profiles::new().await;
    for release in RELEASES {
        for body in ["", "[]", "{", r#"{"name":"QO"}"#, r#"{"status":"active"}"#, r#"{"name":1}"#] {
            let path = format!("{release}/retrieve-qos-profiles");
            p.api.post(&path, body).await.assert_error(400, "INVALID_ARGUMENT");
        }
    }
    let unknown = json!({"profile": "QOS_L"});
    assert_eq!(p.retrieve(RELEASES[0], unknown.clone()).await.status, 200);
    p.retrieve(RELEASES[1], unknown).await.assert_error(400, "INVALID_ARGUMENT");
}

#[tokio::test]
async fn nokias_clients_may_name_a_device_as_ever() {
    let p = Profiles::new().await;
    let path = format!("{}/retrieve-qos-profiles", RELEASES[0]);
    let name = json!({"device": {"networkAccessIdentifier": "device@testcsp.net"}});
    assert_eq!(names(&p.f.api.post(&path, name).await).len(), 15);
    let without_plus = json!({"device": {"phoneNumber": &SUITABLE[1..]}});
    assert_eq!(names(&p.f.api.post(&path, without_plus).await).len(), 16);
}

const SESSIONS: [&str; 2] = ["/quality-on-demand/v1/sessions", "/quality-on-demand/v1rc3/sessions"];

fn session(profile: &str, number: &str) -> Value {
    json!({
        "device": {"phoneNumber": number},
        "applicationServer": {"ipv4Address": "203.0.113.5"},
        "qosProfile": profile,
        "duration": 60,
    })
}

#[tokio::test]
async fn a_session_has_a_profile_that_its_device_can_have() {
    let p = Profiles::new().await;
    for path in SESSIONS {
        for profile in ["INACTIVE_ONE", "DEPRECATED_ONE"] {
            let refused = p.api.post(path, session(profile, SUITABLE)).await;
            refused.assert_error(422, "QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE");
        }
        for (profile, number) in
            [("RESTRICTED_ONE", OTHER), ("QOS_L", "+99999994220"), ("QOS_L", "+99999992000")]
        {
            let refused = p.api.post(path, session(profile, number)).await;
            refused.assert_error(422, "SERVICE_NOT_APPLICABLE");
        }
        let unknown = p.api.post(path, session("no-such-profile", SUITABLE)).await;
        unknown.assert_error(400, "INVALID_ARGUMENT");
        let message = unknown.json["message"].as_str().unwrap();
        assert!(!message.contains("RESTRICTED_ONE"), "{message}");
    }
    let made = p.api.post(SESSIONS[0], session("RESTRICTED_ONE", SUITABLE)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let assigned = json!({"device": {"phoneNumber": OTHER}, "qosProfile": "INACTIVE_ONE"});
    let refused = p.api.post("/qos-provisioning/v0.3/qos-assignments", assigned).await;
    refused.assert_error(422, "QOS_PROVISIONING.QOS_PROFILE_NOT_APPLICABLE");
}

#[tokio::test]
async fn on_v0_what_cannot_be_had_is_an_invalid_argument() {
    let p = Profiles::new().await;
    for (profile, number) in [
        ("INACTIVE_ONE", SUITABLE),
        ("RESTRICTED_ONE", OTHER),
        ("QOS_L", "+99999994220"),
        ("QOS_L", "+99999992000"),
    ] {
        let refused = p.f.api.post("/qod/v0/sessions", session(profile, number)).await;
        refused.assert_error(400, "INVALID_ARGUMENT");
    }
    let none = p.f.api.post("/qod/v0/retrieve-sessions", phone("+99999994220")).await;
    assert_eq!((none.status, &*none.bytes), (200, &b"[]"[..]));
}

#[tokio::test]
async fn a_restricted_profile_is_for_a_device_by_whatever_name() {
    let p = Profiles::new().await;
    let mut profile = p.f.admin.get(&format!("{PROFILES}/QOS_L")).await.json;
    profile["name"] = json!("TUTORIAL_ONLY");
    profile["onlyFor"] = json!([{"networkAccessIdentifier": "device@testcsp.net"}]);
    put(&p.f.admin, &profile).await;
    for device in [
        json!({"phoneNumber": "+36721601234567"}),
        json!({"ipv4Address": {"publicAddress": "233.252.0.2", "publicPort": 80}}),
        json!({"ipv6Address": "2001:db8:1234:5678::1"}),
    ] {
        let found = p.retrieve(RELEASES[0], json!({"device": device})).await;
        assert!(names(&found).contains(&"TUTORIAL_ONLY"), "{device}");
    }
    profile["onlyFor"] = json!([
        {"ipv4Address": {"publicAddress": "203.0.113.7", "privateAddress": "10.0.0.1", "publicPort": 9}}
    ]);
    put(&p.f.admin, &profile).await;
    for way in ["publicPort", "privateAddress"] {
        let mut address = profile["onlyFor"][0]["ipv4Address"].clone();
        address.as_object_mut().unwrap().remove(way);
        let device = json!({"device": {"ipv4Address": address}});
        assert!(names(&p.retrieve(RELEASES[0], device).await).contains(&"TUTORIAL_ONLY"), "{way}");
    }
}
