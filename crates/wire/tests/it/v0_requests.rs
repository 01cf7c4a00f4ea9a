//! `/qod/v0`: the bodies that clients really send, and what is wrong with others.

use std::time::Duration;

use greenwave_core::{Catalogue, Flow};
use greenwave_wire::ErrorInfo;
use greenwave_wire::v0::{CreateSession, read_create, read_extend, read_retrieve, rules};
use proptest::prelude::*;
use secrecy::ExposeSecret;

/// Python SDK 1.0 to 2.1: both ports members always there, an IPv4 address that is none.
const EARLIEST: &str = r#"{"qosProfile":"QOS_L","device":{"ipv4Address":{},
    "networkAccessIdentifier":"device@testcsp.net","phoneNumber":null},
    "applicationServer":{"ipv4Address":null,"ipv6Address":"2001:db8::5"},
    "devicePorts":null,"applicationServerPorts":{"ranges":[],"ports":[80]},
    "notificationUrl":"https://example.com/e","notificationAuthToken":"Bearer secret"}"#;

/// Python SDK 3.1: the tutorial's.
const TUTORIAL: &str = r#"{"qosProfile":"DOWNLINK_L_UPLINK_L","device":{
    "networkAccessIdentifier":"device@testcsp.net","phoneNumber":"36721601234567",
    "ipv4Address":{"publicAddress":"233.252.0.2","privateAddress":"192.0.2.25","publicPort":80},
    "ipv6Address":"2001:db8:1234:5678:9abc:def0:fedc:ba98"},
    "applicationServer":{"ipv4Address":"233.252.0.2","ipv6Address":"2001:db8:1234:5678::1"},
    "devicePorts":{"ranges":[{"from":80,"to":443}],"ports":[8080]},
    "applicationServerPorts":{"ranges":[{"from":80,"to":443}]},"duration":3600}"#;

/// Python SDK 7.0: a webhook, a duration that may be null, an IMSI.
const LATER: &str = r#"{"qosProfile":"QOS_E","device":{"phoneNumber":"+36721601234567","imsi":1},
    "applicationServer":{"ipv4Address":"5.6.7.8"},"duration":null,
    "webhook":{"notificationUrl":"https://example.com/e","notificationAuthToken":"Bearer secret"}}"#;

/// The generated clients of 10.0: a bare token, members nobody knows.
const GENERATED: &str = r#"{"device":{"networkAccessIdentifier":"device@testcsp.net"},
    "applicationServer":{"ipv4Address":"0.0.0.0/0"},"qosProfile":"QOS_S","duration":60,
    "webhook":{"notificationUrl":"https://example.com/e","notificationAuthToken":"secret"},
    "somethingNew":{"deep":[1,2,3]}}"#;

fn create(body: &str) -> Result<CreateSession, ErrorInfo> {
    read_create(body.as_bytes())
}

fn flow(body: &str) -> Flow {
    create(body).unwrap().request.asked.flow()
}

#[test]
fn every_clients_body_is_read() {
    let early = create(EARLIEST).unwrap();
    assert!(early.request.asked.device.ipv4_address().is_none());
    assert_eq!(early.request.duration_s, None);
    assert_eq!(flow(EARLIEST).server_ports.to_string(), "80");
    assert_eq!(flow(EARLIEST).device_ports.to_string(), "0-65535");

    assert_eq!(create(TUTORIAL).unwrap().request.duration_s, Some(3_600));
    assert_eq!(flow(TUTORIAL).device_ports.to_string(), "80-443,8080");
    assert_eq!(create(LATER).unwrap().request.duration_s, None);
    assert_eq!(flow(GENERATED).networks, ["0.0.0.0/0".parse().unwrap()]);
}

#[test]
fn a_token_is_the_same_with_and_without_bearer() {
    for body in [EARLIEST, LATER, GENERATED] {
        let read = create(body).unwrap();
        assert_eq!(read.credential.unwrap().token.expose_secret(), "secret");
        let sink = read.request.asked.sink.unwrap();
        assert_eq!(sink.url.expose().as_ref(), "https://example.com/e");
        assert_eq!(sink.credential, None, "it is not sealed here");
    }
}

#[test]
fn a_token_without_a_url_has_nowhere_to_go() {
    let body = r#"{"device":{"phoneNumber":"36721"},"applicationServer":{"ipv4Address":"5.6.7.8"},
        "qosProfile":"QOS_S","notificationAuthToken":"secret"}"#;
    let read = create(body).unwrap();
    assert_eq!(read.request.asked.sink, None);
    assert!(read.credential.is_none());
}

/// A good body in which one member, found by its path, has another value.
fn changed(path: &str, value: &str) -> String {
    let mut body: serde_json::Value = serde_json::from_str(TUTORIAL).unwrap();
    let value = if value == "absent" { None } else { Some(serde_json::from_str(value).unwrap()) };
    let mut at = &mut body;
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    for name in parents.split('.').filter(|name| !name.is_empty()) {
        at = &mut at[name];
    }
    match value {
        Some(value) => at[last] = value,
        None => drop(at.as_object_mut().unwrap().remove(last)),
    }
    body.to_string()
}

/// A member, the value that it cannot have, the field that is named, and a part of what is said to
/// be right.
const WRONG: &[(&str, &str, &str, &str)] = &[
    ("qosProfile", "absent", "qosProfile", "QOS_L"),
    ("qosProfile", r#""Q L""#, "qosProfile", "3 to 256"),
    ("qosProfile", "7", "qosProfile", "expected a string"),
    ("device", "absent", "device", "identifier"),
    ("device", "{}", "device", "phoneNumber"),
    ("device", "[]", "device", "a JSON object"),
    ("device.phoneNumber", r#""+36 72 160""#, "device.phoneNumber", "no spaces"),
    ("device.phoneNumber", r#""(36)72160""#, "device.phoneNumber", "parentheses"),
    ("device.networkAccessIdentifier", r#""""#, "device.networkAccessIdentifier", "local@domain"),
    ("device.ipv4Address", r#"{"publicAddress":"1.2.3.4"}"#, "device.ipv4Address", "publicPort"),
    (
        "device.ipv4Address",
        r#"{"privateAddress":"1.2.3.4"}"#,
        "device.ipv4Address",
        "publicAddress",
    ),
    ("device.ipv4Address", r#"{"publicPort":80}"#, "device.ipv4Address", "publicAddress"),
    ("device.ipv4Address.publicPort", "-1", "device.ipv4Address.publicPort", "0 to 65535"),
    ("device.ipv4Address.publicPort", "65536", "device.ipv4Address.publicPort", "0 to 65535"),
    ("device.ipv4Address.publicAddress", r#""1.2.3""#, "device.ipv4Address.publicAddress", "four"),
    ("device.ipv6Address", r#""fe80::/64""#, "device.ipv6Address", "2001:db8"),
    ("applicationServer", "absent", "applicationServer", "ipv4Address"),
    ("applicationServer", "{}", "applicationServer", "ipv4Address or ipv6Address"),
    ("applicationServer.ipv4Address", r#""x""#, "applicationServer.ipv4Address", "203.0.113.0/24"),
    ("applicationServer.ipv6Address", r#""x""#, "applicationServer.ipv6Address", "2001:db8::/64"),
    ("devicePorts", "{}", "devicePorts", "leave it out"),
    ("devicePorts", r#"{"ports":[],"ranges":[]}"#, "devicePorts", "leave it out"),
    ("devicePorts", r#"{"ports":[1,-1]}"#, "devicePorts.ports[1]", "0 to 65535"),
    ("devicePorts", r#"{"ports":["80"]}"#, "devicePorts.ports[0]", "a whole number"),
    (
        "applicationServerPorts",
        r#"{"ranges":[{"from":81,"to":80}]}"#,
        "applicationServerPorts.ranges[0]",
        "lower port",
    ),
    (
        "applicationServerPorts",
        r#"{"ranges":[{"from":1}]}"#,
        "applicationServerPorts.ranges[0]",
        "`to`",
    ),
    ("duration", "1.5", "duration", "a whole number"),
    ("duration", r#""60""#, "duration", "a whole number"),
    ("duration", "true", "duration", "a whole number"),
    ("notificationUrl", r#""example.com""#, "notificationUrl", "https://"),
    ("webhook", r#"{"notificationUrl":"ftp://a.b/"}"#, "webhook.notificationUrl", "https://"),
];

#[test]
fn what_is_wrong_is_named_and_what_would_be_right_is_said() {
    for (path, value, field, right) in WRONG {
        let error = create(&changed(path, value)).unwrap_err();
        assert_eq!(error.status, 400);
        let named = error.message.starts_with(&format!("{field}: "));
        assert!(named && error.message.contains(right), "{path} = {value}: {}", error.message);
    }
}

#[test]
fn numbers_out_of_range_have_a_code_of_their_own() {
    for (path, value) in [
        ("devicePorts", r#"{"ports":[65536]}"#),
        ("applicationServerPorts", r#"{"ranges":[{"from":2,"to":1}]}"#),
        ("device.ipv4Address.publicPort", "-1"),
    ] {
        assert_eq!(create(&changed(path, value)).unwrap_err().code, "OUT_OF_RANGE", "{path}");
    }
    for duration in ["0", "-1", "86401", "99999999999999999999"] {
        let read = create(&changed("duration", duration)).unwrap();
        let invalid = read.request.granted_duration(rules(), &Catalogue::nokia()).unwrap_err();
        let error = ErrorInfo::of_invalid(&invalid, rules());
        assert_eq!((error.status, error.code), (400, "OUT_OF_RANGE"));
        assert!(error.message.contains("1 to 86400"), "{}", error.message);
    }
}

#[test]
fn port_zero_is_a_port() {
    let body = changed("devicePorts", r#"{"ports":[0]}"#);
    assert_eq!(flow(&body).device_ports.to_string(), "0");
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    for body in ["", "null", "[]", "1", "{", "{} x", r#""text""#, "{\"device\":}"] {
        let error = create(body).unwrap_err();
        assert_eq!((error.status, error.code), (400, "INVALID_ARGUMENT"), "{body}");
        assert!(error.message.starts_with("the request body"), "{body}: {}", error.message);
    }
    assert!(create(&"[".repeat(100_000)).is_err());
    let deep = format!(r#"{{"unknown":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert!(create(&deep).unwrap_err().message.contains("levels deep"));
}

#[test]
fn an_extension_is_a_number_of_seconds() {
    let read = |value: &str| {
        read_extend(format!(r#"{{"requestedAdditionalDuration":{value}}}"#).as_bytes())
    };
    assert_eq!(read("60"), Ok(Duration::from_secs(60)));
    for bad in ["0", "-1", "86400"] {
        assert_eq!(read(bad).unwrap_err().code, "OUT_OF_RANGE", "{bad}");
    }
    for bad in ["null", "1.5", "\"60\""] {
        assert_eq!(read(bad).unwrap_err().code, "INVALID_ARGUMENT", "{bad}");
    }
    assert!(read_extend(b"{}").unwrap_err().message.starts_with("requestedAdditionalDuration: "));
}

#[test]
fn a_device_is_asked_about_in_the_body() {
    let device = read_retrieve(br#"{"device":{"phoneNumber":"+36721"}}"#).unwrap();
    assert_eq!(device.phone_number().unwrap().text(), "+36721");
    assert!(read_retrieve(b"{}").unwrap_err().message.starts_with("device: "));
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>) {
        let _ = (read_create(&bytes), read_extend(&bytes), read_retrieve(&bytes));
    }

    #[test]
    fn no_json_makes_a_reader_panic(path in 0..8usize, number: i64, text: String) {
        let paths = ["duration", "qosProfile", "device", "device.phoneNumber", "devicePorts",
            "device.ipv4Address", "applicationServer.ipv6Address", "notificationUrl"];
        let text = serde_json::to_string(&text).unwrap();
        for value in [text, number.to_string(), format!("[{number}]"), "{}".to_owned()] {
            let _ = create(&changed(paths[path], &value));
        }
    }
}
