//! `/qod/v0`: what clients get to read.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::session::End;
use greenwave_core::{
    ApplicationId, DeviceKey, EndReason, Event, EventId, Owed, Phase, QosStatus, RuleSetId,
    Session, SessionId,
};
use greenwave_wire::v0::{Times, event, read_create, session_info, session_list};
use jiff::Timestamp;
use serde_json::{Value, json};

const DEVICE: DeviceKey = DeviceKey([0xab; 16]);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_364_864_123 + millis).unwrap()
}

fn session(body: &Value, phase: Phase) -> Session {
    Session {
        id: SessionId::new([0x11; 16], DEVICE.bucket()),
        device: DEVICE,
        application: ApplicationId(1),
        rules: RuleSetId::NokiaV0,
        asked: Arc::new(read_create(body.to_string().as_bytes()).unwrap().request.asked),
        created_at: at(0),
        duration: Duration::from_secs(3_600),
        phase,
        owed: Owed::Nothing,
        events: 0,
    }
}

fn shown(body: &Value, phase: Phase, times: Times) -> Value {
    let session = session(body, phase);
    let view = session.view(at(200)).unwrap();
    serde_json::from_slice(&session_info(&session, &view, times)).unwrap()
}

fn everything() -> Value {
    json!({
        "qosProfile": "DOWNLINK_L_UPLINK_S",
        "device": {
            "networkAccessIdentifier": "Device@testcsp.net",
            "phoneNumber": "36721601234567",
            "ipv4Address":
                {"publicAddress": "233.252.0.2", "privateAddress": "192.0.2.25", "publicPort": 80},
            "ipv6Address": "2001:DB8:1234:5678:9abc:def0:fedc:ba98",
            "imsi": 999_700_000_000_001_u64,
        },
        "applicationServer": {"ipv4Address": "5.6.7.8/24", "ipv6Address": "2041:0:140F::875B:131B"},
        "devicePorts": {"ranges": [{"from": 443, "to": 500}, {"from": 80, "to": 90}], "ports": [9, 8]},
        "applicationServerPorts": {"ports": [443]},
        "webhook": {"notificationUrl": "https://example.com/e", "notificationAuthToken": "secret"},
    })
}

#[test]
fn what_was_sent_comes_back_as_it_was() {
    let sent = everything();
    let shown = shown(&sent, Phase::Requested, Times::Iso);
    for member in
        ["device", "applicationServer", "devicePorts", "applicationServerPorts", "qosProfile"]
    {
        assert_eq!(shown[member], sent[member], "{member}");
    }
    assert_eq!(shown["webhook"], json!({"notificationUrl": "https://example.com/e"}));
}

#[test]
fn a_requested_session_has_both_times_already() {
    let shown = shown(&everything(), Phase::Requested, Times::Iso);
    assert_eq!(shown["qosStatus"], "REQUESTED");
    assert_eq!(shown["startedAt"], "2026-11-22T16:27:44.123Z");
    assert_eq!(shown["expiresAt"], "2026-11-22T17:27:44.123Z");
    assert_eq!(shown["duration"], 3_600);
    assert_eq!(shown.get("statusInfo"), None);
}

#[test]
fn early_clients_get_whole_seconds() {
    let shown = shown(&everything(), Phase::Available { started_at: at(100) }, Times::Epoch);
    assert_eq!(shown["qosStatus"], "AVAILABLE");
    assert_eq!(shown["startedAt"], 1_795_364_864);
    assert_eq!(shown["expiresAt"], 1_795_368_464);
}

#[test]
fn whole_seconds_still_have_three_digits() {
    let body = json!({"qosProfile": "QOS_L", "device": {"phoneNumber": "36721"},
        "applicationServer": {"ipv4Address": "5.6.7.8"}});
    let mut session = session(&body, Phase::Requested);
    session.created_at = Timestamp::from_second(1_795_364_864).unwrap();
    let view = session.view(session.created_at).unwrap();
    let json: Value = serde_json::from_slice(&session_info(&session, &view, Times::Iso)).unwrap();
    assert_eq!(json["startedAt"], "2026-11-22T16:27:44.000Z");
    assert_eq!(json.get("devicePorts"), None);
    assert_eq!(json.get("webhook"), None);
}

#[test]
fn what_the_network_ended_says_so() {
    let end = End {
        reason: EndReason::NetworkTerminated,
        started_at: Some(at(-5_900)),
        ended_at: at(100),
        readable_until: Some(at(360_000)),
    };
    let shown = shown(&everything(), Phase::Ending(end), Times::Iso);
    assert_eq!(shown["qosStatus"], "UNAVAILABLE");
    assert_eq!(shown["statusInfo"], "NETWORK_TERMINATED");
    assert_eq!(shown["startedAt"], "2026-11-22T16:27:38.223Z");
    assert_eq!(shown["expiresAt"], "2026-11-22T16:27:44.223Z");
    assert_eq!(shown["duration"], 6);
}

#[test]
fn a_list_is_an_array() {
    let session = session(&everything(), Phase::Requested);
    let view = session.view(at(0)).unwrap();
    let list = [(&session, &view), (&session, &view)];
    let json: Value = serde_json::from_slice(&session_list(list.into_iter(), Times::Iso)).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(session_list(std::iter::empty(), Times::Iso), b"[]");
}

fn told(status: QosStatus, reason: Option<EndReason>) -> Value {
    let event_id = EventId { session: SessionId::new([0x11; 16], DEVICE.bucket()), ordinal: 2 };
    let told = Event {
        id: event_id,
        application: ApplicationId(1),
        rules: RuleSetId::NokiaV0,
        at: at(0),
        status,
        reason,
        sink: None,
    };
    serde_json::from_slice(&event(&told)).unwrap()
}

#[test]
fn an_event_can_be_read_by_receivers_of_every_version() {
    let json = told(QosStatus::Unavailable, Some(EndReason::DurationExpired));
    let id = "aba11111-1111-4111-9111-111111111111";
    assert_eq!(
        json,
        json!({
            "id": format!("{id}-2"),
            "source": format!("/qod/v0/sessions/{id}"),
            "specversion": "1.0",
            "type": "org.camaraproject.qod.v0.qos-status-changed",
            "datacontenttype": "application/json",
            "time": "2026-11-22T16:27:44.123Z",
            "data": {"sessionId": id, "qosStatus": "UNAVAILABLE", "statusInfo": "DURATION_EXPIRED"},
            "event": {
                "eventType": "QOS_STATUS_CHANGED",
                "eventTime": "2026-11-22T16:27:44.123Z",
                "eventDetail": {
                    "sessionId": id,
                    "qosStatus": "UNAVAILABLE",
                    "statusInfo": "DURATION_EXPIRED",
                },
            },
        })
    );
}

#[test]
fn early_receivers_want_a_status_info_even_if_there_is_none() {
    let json = told(QosStatus::Available, None);
    assert_eq!(json["data"].get("statusInfo"), None);
    assert_eq!(json["event"]["eventDetail"]["statusInfo"], "");
}
