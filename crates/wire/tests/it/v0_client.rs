//! The client's side: what it writes the gateway reads, and what the gateway writes it reads.

use greenwave_wire::v0::client::{
    CreateForm, DeviceForm, ExtendForm, Ipv4Form, PortsForm, RangeForm, RetrieveForm, ServerForm,
    WebhookForm, read_event, read_session, read_sessions,
};
use greenwave_wire::v0::{read_create, read_extend, read_retrieve};
use serde_json::{Value, json};

fn device() -> DeviceForm {
    DeviceForm {
        network_access_identifier: Some("Device@testcsp.net".to_owned()),
        phone_number: Some("36721601234567".to_owned()),
        ipv4_address: Some(Ipv4Form {
            public_address: Some("233.252.0.2".to_owned()),
            private_address: Some("192.0.2.25".to_owned()),
            public_port: Some(80),
        }),
        ipv6_address: Some("2001:DB8::1".to_owned()),
        imsi: None,
    }
}

fn create() -> CreateForm {
    CreateForm {
        device: device(),
        application_server: ServerForm {
            ipv4_address: Some("203.0.113.0/24".to_owned()),
            ipv6_address: None,
        },
        device_ports: Some(PortsForm { ranges: vec![], ports: vec![80] }),
        application_server_ports: Some(PortsForm {
            ranges: vec![RangeForm { from: 5_000, to: 5_010 }],
            ports: vec![],
        }),
        qos_profile: "QOS_L".to_owned(),
        duration: Some(60),
        webhook: Some(WebhookForm {
            notification_url: "https://example.com/e".to_owned(),
            notification_auth_token: Some("a-token-of-some-length".to_owned()),
        }),
    }
}

#[test]
fn the_gateway_reads_what_a_client_writes() {
    let body = serde_json::to_value(create()).unwrap();
    let expected = json!({
        "device": {
            "networkAccessIdentifier": "Device@testcsp.net",
            "phoneNumber": "36721601234567",
            "ipv4Address":
                {"publicAddress": "233.252.0.2", "privateAddress": "192.0.2.25", "publicPort": 80},
            "ipv6Address": "2001:DB8::1",
        },
        "applicationServer": {"ipv4Address": "203.0.113.0/24"},
        "devicePorts": {"ports": [80]},
        "applicationServerPorts": {"ranges": [{"from": 5_000, "to": 5_010}]},
        "qosProfile": "QOS_L",
        "duration": 60,
        "webhook": {
            "notificationUrl": "https://example.com/e",
            "notificationAuthToken": "a-token-of-some-length",
        },
    });
    assert_eq!(body, expected);
    let read = read_create(body.to_string().as_bytes()).unwrap();
    assert_eq!(read.request.duration_s, Some(60));
    assert!(read.credential.is_some());

    let extend = serde_json::to_vec(&ExtendForm { requested_additional_duration: 60 }).unwrap();
    assert_eq!(read_extend(&extend).unwrap().as_secs(), 60);
    let retrieve = serde_json::to_vec(&RetrieveForm { device: &device() }).unwrap();
    assert_eq!(read_retrieve(&retrieve).unwrap().phone_number().unwrap().text(), "36721601234567");
}

#[test]
fn a_client_reads_an_answer_with_little_in_it() {
    let body = br#"{"sessionId":"x","qosProfile":"P","qosStatus":"NEW_ONE"}"#;
    let session = read_session(body).unwrap();
    assert_eq!((session.session_id.as_str(), session.qos_status.as_str()), ("x", "NEW_ONE"));
    assert_eq!((session.duration, session.started_at, session.device), (None, None, None));
    assert_eq!(read_sessions(b"[]").unwrap(), []);
    for wrong in [&b"{}"[..], b"[]", b"", br#"{"sessionId":1}"#] {
        assert!(read_session(wrong).is_err());
    }
}

#[test]
fn a_client_reads_times_in_either_form() {
    let started = |value: Value| {
        let body =
            json!({"sessionId": "x", "qosProfile": "P", "qosStatus": "S", "startedAt": value});
        read_session(body.to_string().as_bytes()).map(|session| session.started_at)
    };
    let expected = "2026-11-22T16:27:45Z".parse().ok();
    assert_eq!(started(json!("2026-11-22T16:27:45Z")), Ok(expected));
    assert_eq!(started(json!("2026-11-22T17:27:45.000+01:00")), Ok(expected));
    assert_eq!(started(json!(1_795_364_865)), Ok(expected));
    assert_eq!(started(json!(null)), Ok(None));
    assert!(started(json!("soon")).unwrap_err().contains("seconds since 1970"));
    assert!(started(json!(u64::MAX)).is_err());
}

#[test]
fn a_receiver_reads_events_of_either_form() {
    let new = json!({
        "id": "x:1",
        "time": "2026-11-22T16:27:45.123Z",
        "data": {"sessionId": "x", "qosStatus": "AVAILABLE"},
    });
    let event = read_event(new.to_string().as_bytes()).unwrap();
    assert_eq!((event.session_id.as_str(), event.status_info), ("x", None));
    let old = json!({"event": {
        "eventType": "QOS_STATUS_CHANGED",
        "eventTime": "2026-11-22T16:27:45Z",
        "eventDetail": {"sessionId": "x", "qosStatus": "AVAILABLE", "statusInfo": ""},
    }});
    let event = read_event(old.to_string().as_bytes()).unwrap();
    assert_eq!((event.id, event.status_info), (None, None));
    assert!(event.time.is_some());
    assert!(read_event(b"{}").unwrap_err().contains("eventDetail"));
}

#[test]
fn no_form_tells_a_name_or_a_secret_to_a_log() {
    let shown = format!("{:?}", create());
    for secret in ["Device@", "3672", "233.252", "2001", "token-of", "example.com"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
