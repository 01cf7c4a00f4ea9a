//! Examples: bodies that are asked with, and what the writers make of them.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::{
    ApplicationId, Asked, DeviceKey, Owed, Phase, RuleSetId, Session, SessionId, View,
};
use greenwave_wire::camara::{self, Shown};
use greenwave_wire::v0::{self, Times};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::operation::Example;

/// A name that every sandbox knows.
pub(super) const NAME: &str = "device@testcsp.net";
const NUMBER: &str = "+36721601234567";

/// The id of what stands in examples.
pub(super) fn id() -> String {
    session_id().to_string()
}

fn session_id() -> SessionId {
    SessionId::new([0x3f; 16], DeviceKey([0x8e; 16]).bucket())
}

/// Bodies for `/qod/v0`.
pub(super) fn v0_bodies() -> [Example; 2] {
    let short = json!({
        "device": {"networkAccessIdentifier": NAME},
        "applicationServer": {"ipv4Address": "203.0.113.5"},
        "qosProfile": "QOS_L",
        "duration": 600,
    });
    let long = json!({
        "device": {
            "ipv4Address": {"publicAddress": "233.252.0.2", "publicPort": 80},
            "phoneNumber": "36721601234567",
        },
        "applicationServer": {"ipv4Address": "198.51.100.0/24"},
        "devicePorts": {"ports": [50_000]},
        "applicationServerPorts": {"ranges": [{"from": 5_000, "to": 5_010}], "ports": [443]},
        "qosProfile": "DOWNLINK_L_UPLINK_L",
        "duration": 600,
        "webhook": {
            "notificationUrl": "https://example.com/events",
            "notificationAuthToken": "c8974e592c2fa383d4a3960714",
        },
    });
    [
        Example { name: "basic", summary: "All traffic with one server", value: short },
        Example { name: "full", summary: "Some ports, and events", value: long },
    ]
}

/// Bodies for CAMARA's Quality-On-Demand.
pub(super) fn session_bodies(rules: RuleSetId) -> Vec<Example> {
    let short = json!({
        "device": {"phoneNumber": NUMBER},
        "applicationServer": {"ipv4Address": "203.0.113.5"},
        "qosProfile": "QOS_L",
        "duration": 600,
    });
    let long = json!({
        "device": {"ipv4Address": {"publicAddress": "233.252.0.2", "publicPort": 80}},
        "applicationServer": {"ipv4Address": "198.51.100.0/24"},
        "devicePorts": {"ports": [50_000]},
        "applicationServerPorts": {"ranges": [{"from": 5_000, "to": 5_010}], "ports": [443]},
        "qosProfile": "DOWNLINK_L_UPLINK_L",
        "duration": 600,
        "sink": "https://example.com/events",
        "sinkCredential": credential(),
    });
    let mut all = vec![
        Example { name: "basic", summary: "All traffic with one server", value: short.clone() },
        Example { name: "full", summary: "Some ports, and events", value: long },
    ];
    if rules == RuleSetId::CamaraR41 {
        let mut value = short;
        value["applicationServer"] = json!({"ipAddresses": ["203.0.113.6", "2001:db8::6"]});
        all.push(Example { name: "list", summary: "Any of several servers", value });
    }
    all
}

/// Bodies for QoS Provisioning.
pub(super) fn assignment_bodies() -> [Example; 2] {
    let short = json!({"device": {"phoneNumber": NUMBER}, "qosProfile": "QOS_S"});
    let long = json!({
        "device": {"ipv6Address": "2001:db8:1234:5678:9abc:def0:fedc:ba98"},
        "qosProfile": "QOS_M",
        "sink": "https://example.com/events",
        "sinkCredential": credential(),
    });
    [
        Example { name: "basic", summary: "All traffic of a device", value: short },
        Example { name: "full", summary: "With events", value: long },
    ]
}

fn credential() -> Value {
    json!({
        "credentialType": "ACCESSTOKEN",
        "accessToken": "c8974e592c2fa383d4a3960714",
        "accessTokenExpiresUtc": "2030-01-01T00:00:00Z",
        "accessTokenType": "bearer",
    })
}

/// The body of a look-up by device.
pub(super) fn device(v0: bool) -> Example {
    let device = match v0 {
        true => json!({"networkAccessIdentifier": NAME}),
        false => json!({"phoneNumber": NUMBER}),
    };
    let value = json!({"device": device});
    Example { name: "device", summary: "By one of its names", value }
}

/// The body of an extension.
pub(super) fn extension() -> Example {
    let value = json!({"requestedAdditionalDuration": 300});
    Example { name: "fiveMinutes", summary: "Five minutes more", value }
}

/// What is shown of a session that such a body has made, once it is available, and of a list of
/// one.
pub(super) fn shown_v0(body: &Value, times: Times) -> Option<(Value, Value)> {
    let asked = v0::read_create(body.to_string().as_bytes()).ok()?.request.asked;
    let (session, view) = available(asked, RuleSetId::NokiaV0)?;
    let list = v0::session_list([(&session, &view)].into_iter(), times);
    Some((parsed(&v0::session_info(&session, &view, times))?, parsed(&list)?))
}

/// The same to CAMARA's Quality-On-Demand.
pub(super) fn shown_session(body: &Value, id: RuleSetId) -> Option<(Value, Value)> {
    let text = body.to_string();
    let asked = camara::read_create(text.as_bytes(), id.rules(), None).ok()?.request.asked;
    let (session, view) = available(asked, id)?;
    let list = camara::session_list([(&session, &view)].into_iter(), id.rules());
    Some((parsed(&camara::session_info(&session, &view, id.rules()))?, parsed(&list)?))
}

/// An assignment that is available, and one that is being revoked.
pub(super) fn shown_assignment(body: &Value, id: RuleSetId) -> Option<(Value, Value)> {
    let text = body.to_string();
    let asked = camara::read_assignment(text.as_bytes(), id.rules(), None).ok()?.request.asked;
    let (session, view) = available(asked, id)?;
    let info = |shown| parsed(&camara::assignment_info(&session, &view, id.rules(), shown));
    Some((info(Shown::AsItIs)?, info(Shown::BeingRevoked)?))
}

fn available(asked: Asked, rules: RuleSetId) -> Option<(Session, View)> {
    let started_at: Timestamp = "2026-11-22T16:27:45.123Z".parse().ok()?;
    let session = Session {
        id: session_id(),
        device: DeviceKey([0x8e; 16]),
        application: ApplicationId(1),
        rules,
        asked: Arc::new(asked),
        created_at: started_at,
        duration: Duration::from_secs(600),
        phase: Phase::Available { started_at },
        owed: Owed::Nothing,
        events: 1,
    };
    let view = session.view(started_at)?;
    Some((session, view))
}

fn parsed(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(text).ok()
}
