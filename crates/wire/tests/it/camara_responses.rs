//! What clients of CAMARA's releases get to read.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::device::PhoneNumber;
use greenwave_core::rules::PhoneNumberRule;
use greenwave_core::session::{End, INDEFINITELY};
use greenwave_core::{
    ApplicationId, Device, DeviceKey, EndReason, Event, EventId, Owed, Phase, QosStatus, RuleSetId,
    Session, SessionId, Subject,
};
use greenwave_wire::camara::{
    Shown, assignment_info, event, read_assignment, read_create, session_info, session_list,
};
use jiff::Timestamp;
use serde_json::{Value, json};

const DEVICE: DeviceKey = DeviceKey([0xab; 16]);
const STARTED: Phase = Phase::Available { started_at: Timestamp::UNIX_EPOCH };

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn made(rules: RuleSetId, body: &Value, of_token: Option<&Device>, phase: Phase) -> Session {
    let body = body.to_string();
    let (asked, duration) = match rules.subject() {
        Subject::Session => {
            let read = read_create(body.as_bytes(), rules.rules(), of_token).unwrap();
            (read.request.asked, Duration::from_secs(3_600))
        }
        Subject::Assignment => {
            let read = read_assignment(body.as_bytes(), rules.rules(), of_token).unwrap();
            (read.request.asked, INDEFINITELY)
        }
    };
    Session {
        id: SessionId::new([0x11; 16], DEVICE.bucket()),
        device: DEVICE,
        application: ApplicationId(1),
        rules,
        asked: Arc::new(asked),
        created_at: at(0),
        duration,
        phase,
        owed: Owed::Nothing,
        events: 0,
    }
}

fn shown_to(session: &Session, rules: RuleSetId) -> Value {
    let view = session.view(at(10)).unwrap();
    serde_json::from_slice(&session_info(session, &view, rules.rules())).unwrap()
}

fn body() -> Value {
    json!({
        "device": {"phoneNumber": "+36721601234567", "ipv6Address": "2001:DB8::1"},
        "applicationServer": {"ipv4Address": "5.6.7.8/24", "ipv6Address": "2041:0:140F::875B:131B"},
        "devicePorts": {"ranges": [{"from": 80, "to": 90}], "ports": [9, 8]},
        "applicationServerPorts": {"ports": [443]},
        "qosProfile": "QOS_L",
        "duration": 3600,
        "sink": "https://example.com/e",
        "sinkCredential": {"credentialType": "ACCESSTOKEN", "accessToken": "secret",
                           "accessTokenExpiresUtc": "2026-12-01T00:00:00Z",
                           "accessTokenType": "bearer"},
    })
}

#[test]
fn what_was_sent_comes_back_with_one_identifier_and_no_secret() {
    let session = made(RuleSetId::CamaraR32, &body(), None, STARTED);
    let shown = shown_to(&session, RuleSetId::CamaraR32);
    for member in
        ["applicationServer", "devicePorts", "applicationServerPorts", "qosProfile", "sink"]
    {
        assert_eq!(shown[member], body()[member], "{member}");
    }
    assert_eq!(shown["device"], json!({"phoneNumber": "+36721601234567"}));
    assert!(!shown.to_string().contains("secret"), "{shown}");
    assert_eq!(shown["startedAt"], "1970-01-01T00:00:00.000Z");
    assert_eq!(shown["expiresAt"], "1970-01-01T01:00:00.000Z");
    assert_eq!((&shown["duration"], &shown["qosStatus"]), (&json!(3600), &json!("AVAILABLE")));
    assert_eq!(shown.get("statusInfo"), None);
}

#[test]
fn the_identifier_that_counts_comes_back_as_it_was_sent() {
    for device in [
        json!({"ipv4Address": {"publicAddress": "233.252.0.2", "privateAddress": "10.0.0.1"}}),
        json!({"ipv6Address": "2001:DB8::1"}),
    ] {
        let mut body = body();
        body["device"] = device.clone();
        let session = made(RuleSetId::CamaraR41, &body, None, STARTED);
        assert_eq!(shown_to(&session, RuleSetId::CamaraR41)["device"], device);
    }
}

#[test]
fn nokias_clients_see_all_that_they_sent() {
    let session = made(RuleSetId::NokiaV1, &body(), None, STARTED);
    assert_eq!(shown_to(&session, RuleSetId::NokiaV1)["device"], body()["device"]);
}

#[test]
fn a_requested_session_has_no_times() {
    let session = made(RuleSetId::CamaraR32, &body(), None, Phase::Requested);
    let shown = shown_to(&session, RuleSetId::CamaraR32);
    assert_eq!(shown["qosStatus"], "REQUESTED");
    assert_eq!((shown.get("startedAt"), shown.get("expiresAt")), (None, None));
    assert_eq!(shown["duration"], 3600);
}

#[test]
fn what_a_token_named_is_not_shown() {
    let phone = PhoneNumber::parse("+36721601234567", PhoneNumberRule::E164).unwrap();
    let device = Device::new(None, Some(phone), None, None).unwrap();
    let mut body = body();
    body.as_object_mut().unwrap().remove("device");
    for rules in [RuleSetId::CamaraR32, RuleSetId::CamaraR41] {
        let session = made(rules, &body, Some(&device), STARTED);
        assert_eq!(shown_to(&session, rules).get("device"), None);
    }
}

#[test]
fn a_list_of_servers_is_shown_to_those_who_know_lists() {
    let mut body = body();
    body["applicationServer"] = json!({"ipAddresses": ["2001:db8::1", "5.6.7.8", "5.6.7.9"]});
    let session = made(RuleSetId::CamaraR41, &body, None, STARTED);
    let server = |rules| shown_to(&session, rules)["applicationServer"].clone();
    assert_eq!(server(RuleSetId::CamaraR41), body["applicationServer"]);
    let first = json!({"ipv4Address": "5.6.7.8", "ipv6Address": "2001:db8::1"});
    assert_eq!(server(RuleSetId::CamaraR32), first);
}

#[test]
fn what_the_network_ended_tells_why_and_when() {
    let end = End {
        reason: EndReason::NetworkTerminated,
        started_at: Some(at(2)),
        ended_at: at(9),
        readable_until: Some(at(369)),
    };
    let session = made(RuleSetId::CamaraR32, &body(), None, Phase::Ended(end));
    let shown = shown_to(&session, RuleSetId::CamaraR32);
    assert_eq!(shown["qosStatus"], "UNAVAILABLE");
    assert_eq!(shown["statusInfo"], "NETWORK_TERMINATED");
    assert_eq!(shown["duration"], 7);
    assert_eq!(shown["expiresAt"], "1970-01-01T00:00:09.000Z");
}

#[test]
fn lists_are_arrays() {
    let session = made(RuleSetId::CamaraR32, &body(), None, STARTED);
    let view = session.view(at(10)).unwrap();
    let rules = RuleSetId::CamaraR32.rules();
    let list = session_list([(&session, &view), (&session, &view)].into_iter(), rules);
    let list: Value = serde_json::from_slice(&list).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(session_list(std::iter::empty(), rules), b"[]");
}

#[test]
fn an_assignment_has_no_end_and_no_server() {
    let body = json!({"device": {"phoneNumber": "+36721601234567"}, "qosProfile": "QOS_L"});
    let rules = RuleSetId::ProvisioningR32;
    let assignment = made(rules, &body, None, STARTED);
    let view = assignment.view(at(i64::from(i32::MAX))).unwrap();
    let shown = |shown| {
        let text = assignment_info(&assignment, &view, rules.rules(), shown);
        serde_json::from_slice::<Value>(&text).unwrap()
    };
    let id = assignment.id.to_string();
    let available = json!({
        "assignmentId": id,
        "device": {"phoneNumber": "+36721601234567"},
        "qosProfile": "QOS_L",
        "startedAt": "1970-01-01T00:00:00.000Z",
        "status": "AVAILABLE",
    });
    assert_eq!(shown(Shown::AsItIs), available);
    let revoked = shown(Shown::BeingRevoked);
    assert_eq!(
        (&revoked["status"], &revoked["statusInfo"]),
        (&json!("AVAILABLE"), &json!("DELETE_REQUESTED"))
    );
}

#[test]
fn events_tell_of_what_they_are_about() {
    let told = |rules, status, reason| {
        let session = SessionId::new([0x11; 16], DEVICE.bucket());
        let id = EventId { session, ordinal: 1 };
        let application = ApplicationId(1);
        let event_told = Event { id, application, rules, at: at(7), status, reason, sink: None };
        let told: Value = serde_json::from_slice(&event(&event_told)).unwrap();
        (told, session.to_string())
    };
    let (told_of, id) = told(RuleSetId::CamaraR41, QosStatus::Available, None);
    assert_eq!(told_of["type"], "org.camaraproject.quality-on-demand.v1.qos-status-changed");
    assert_eq!(told_of["source"], format!("/quality-on-demand/v1rc3/sessions/{id}"));
    assert_eq!(told_of["specversion"], "1.0");
    assert_eq!(told_of["time"], "1970-01-01T00:00:07.000Z");
    assert_eq!(told_of["data"], json!({"sessionId": id, "qosStatus": "AVAILABLE"}));

    let deleted = Some(EndReason::DeleteRequested);
    let (told_of, id) = told(RuleSetId::ProvisioningR41, QosStatus::Unavailable, deleted);
    assert_eq!(told_of["type"], "org.camaraproject.qos-provisioning.v0.status-changed");
    assert_eq!(told_of["source"], format!("/qos-provisioning/v0.4rc1/qos-assignments/{id}"));
    let data = json!({"assignmentId": id, "status": "UNAVAILABLE",
                      "statusInfo": "DELETE_REQUESTED"});
    assert_eq!(told_of["data"], data);
    let (told_of, _) = told(RuleSetId::ProvisioningR32, QosStatus::Unavailable, deleted);
    assert_eq!(told_of["data"]["qosStatus"], "UNAVAILABLE", "the schema of r3.2 requires it");
}
