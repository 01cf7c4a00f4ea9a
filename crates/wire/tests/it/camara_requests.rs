//! Bodies of CAMARA's releases, as their definitions have them and as they must not be.

use std::time::Duration;

use greenwave_core::device::PhoneNumber;
use greenwave_core::rules::PhoneNumberRule;
use greenwave_core::{Catalogue, Device, NamedBy, RuleSetId};
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::{Create, read_assignment, read_create, read_extend, read_retrieve};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const R32: RuleSetId = RuleSetId::CamaraR32;
const R41: RuleSetId = RuleSetId::CamaraR41;

fn body() -> Value {
    json!({
        "device": {"phoneNumber": "+36721601234567",
                   "ipv4Address": {"publicAddress": "233.252.0.2", "publicPort": 80}},
        "applicationServer": {"ipv4Address": "198.51.100.0/24", "ipv6Address": "2001:db8::5"},
        "devicePorts": {"ranges": [{"from": 5010, "to": 5020}], "ports": [5060]},
        "applicationServerPorts": {"ports": [80, 443]},
        "qosProfile": "QOS_L",
        "duration": 3600,
        "sink": "https://example.com/events",
        "sinkCredential": {"credentialType": "ACCESSTOKEN", "accessToken": "secret",
                           "accessTokenExpiresUtc": "2026-12-01T00:00:00Z",
                           "accessTokenType": "bearer"},
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut body = body();
    let (path, last) = member.rsplit_once('.').unwrap_or(("", member));
    let mut at = &mut body;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        at = &mut at[part];
    }
    match value {
        Value::Null => drop(at.as_object_mut().unwrap().remove(last)),
        value => at[last] = value,
    }
    body
}

fn read(body: &Value, rules: RuleSetId) -> Result<Create, ErrorInfo> {
    read_create(body.to_string().as_bytes(), rules.rules(), None)
}

/// Status and code, and that the message begins with the member that is wrong.
fn refused(member: &str, value: Value, rules: RuleSetId) -> (u16, &'static str) {
    let error = read(&with(member, value.clone()), rules).unwrap_err();
    let named = member.split('.').next().unwrap();
    assert!(error.message.contains(named), "{member} = {value}: {}", error.message);
    (error.status, error.code)
}

fn device() -> Device {
    let phone = PhoneNumber::parse("+36721601234567", PhoneNumberRule::E164).unwrap();
    Device::new(None, Some(phone), None, None).unwrap()
}

#[test]
fn a_whole_request_is_read() {
    for rules in [R32, R41] {
        let read = read(&body(), rules).unwrap();
        let asked = &read.request.asked;
        assert_eq!(asked.device.phone_number().unwrap().text(), "+36721601234567");
        assert_eq!(asked.named_by, NamedBy::Request);
        assert_eq!(asked.flow().device_ports.to_string(), "5010-5020,5060");
        assert_eq!(asked.server.ipv4_address().unwrap().text(), "198.51.100.0/24");
        assert_eq!(
            asked.sink.as_ref().unwrap().url.expose().as_ref(),
            "https://example.com/events"
        );
        let credential = read.credential.unwrap();
        assert_eq!(credential.token.expose_secret(), "secret");
        assert_eq!(credential.expires_at.unwrap().to_string(), "2026-12-01T00:00:00Z");
        let granted = read.request.granted_duration(rules.rules(), &Catalogue::nokia());
        assert_eq!(granted, Ok(Duration::from_secs(3600)));
    }
}

#[test]
fn what_is_required_has_to_be_there() {
    for rules in [R32, R41] {
        for member in ["applicationServer", "qosProfile", "duration"] {
            assert_eq!(refused(member, Value::Null, rules), (400, "INVALID_ARGUMENT"));
        }
        for member in ["devicePorts", "applicationServerPorts", "sinkCredential", "device"] {
            assert_eq!(refused(member, json!({}), rules), (400, "INVALID_ARGUMENT"), "{member}");
            assert_eq!(refused(member, json!("x"), rules), (400, "INVALID_ARGUMENT"), "{member}");
        }
    }
}

#[test]
fn ports_are_in_range_and_in_order() {
    let ports = |ports: Value, rules| refused("devicePorts", ports, rules);
    for rules in [R32, R41] {
        for wrong in [json!({"ports": [65536]}), json!({"ports": [-1]})] {
            assert_eq!(ports(wrong, rules), (400, "OUT_OF_RANGE"));
        }
        let backwards = json!({"ranges": [{"from": 2, "to": 1}]});
        assert_eq!(ports(backwards, rules), (400, "OUT_OF_RANGE"));
        for wrong in [
            json!({"ports": []}),
            json!({"ranges": []}),
            json!({"ports": ["80"]}),
            json!({"ports": [1.5]}),
            json!({"ranges": [{"from": 1}]}),
            json!({"ranges": [1]}),
        ] {
            assert_eq!(ports(wrong.clone(), rules), (400, "INVALID_ARGUMENT"), "{wrong}");
        }
    }
    assert!(read(&with("devicePorts", json!({"ports": [0]})), R32).is_ok());
    assert_eq!(ports(json!({"ports": [0]}), R41), (400, "OUT_OF_RANGE"));
}

#[test]
fn a_list_of_servers_is_for_the_later_release() {
    let list = |texts: Value| with("applicationServer", json!({"ipAddresses": texts}));
    let asked = read(&list(json!(["203.0.113.5", "2001:db8::5"])), R41).unwrap().request.asked;
    assert_eq!(asked.server.networks().count(), 2);
    assert_eq!(read(&list(json!(["203.0.113.5"])), R32).unwrap_err().code, "INVALID_ARGUMENT");

    let many: Vec<_> = (0..17).map(|number| format!("203.0.113.{number}")).collect();
    for wrong in [
        json!({"ipAddresses": []}),
        json!({"ipAddresses": many}),
        json!({"ipAddresses": ["203.0.113.5", "203.0.113.5"]}),
        json!({"ipAddresses": ["203.0.113.0/24"]}),
        json!({"ipAddresses": ["example.com"]}),
        json!({"ipAddresses": ["203.0.113.5"], "ipv4Address": "203.0.113.6"}),
        json!({}),
        json!({"ipv4Address": "203.0.113.5/33"}),
        json!({"ipv6Address": "2001:db8:::/0"}),
    ] {
        let code = refused("applicationServer", wrong.clone(), R41);
        assert_eq!(code, (400, "INVALID_ARGUMENT"), "{wrong}");
    }
}

#[test]
fn sinks_and_their_credentials() {
    for rules in [R32, R41] {
        assert_eq!(refused("sink", json!("http://example.com"), rules), (400, "INVALID_SINK"));
        assert_eq!(refused("sink", json!("https://"), rules), (400, "INVALID_ARGUMENT"));
        assert_eq!(refused("sink", Value::Null, rules), (400, "INVALID_ARGUMENT"));
        let kind = |value| refused("sinkCredential.accessTokenType", value, rules);
        assert_eq!(kind(json!("mac")), (400, "INVALID_TOKEN"));
        assert_eq!(kind(Value::Null), (400, "INVALID_ARGUMENT"));
        for (member, value) in [
            ("accessToken", Value::Null),
            ("accessToken", json!("")),
            ("accessTokenExpiresUtc", Value::Null),
            ("accessTokenExpiresUtc", json!("2026-12-01T00:00:00")),
            ("accessTokenExpiresUtc", json!("tomorrow")),
            ("credentialType", json!("SOMETHING")),
        ] {
            let code = refused(&format!("sinkCredential.{member}"), value, rules);
            assert_eq!(code, (400, "INVALID_ARGUMENT"), "{member}");
        }
    }
    let kind =
        |kind: &str, rules| refused("sinkCredential", json!({"credentialType": kind}), rules);
    assert_eq!(kind("PLAIN", R32), (400, "INVALID_CREDENTIAL"));
    assert_eq!(kind("REFRESHTOKEN", R32), (400, "INVALID_CREDENTIAL"));
    assert_eq!(kind("PLAIN", R41), (400, "INVALID_ARGUMENT"));
    let body = with("sinkCredential", json!({"credentialType": "PRIVATE_KEY_JWT"}));
    let error = read(&body, R41).unwrap_err();
    assert_eq!((error.status, error.code), (422, "PRIVATE_KEY_JWT_NOT_CONFIGURED"));
}

#[test]
fn durations_are_of_the_schema_here_and_of_the_profile_later() {
    for wrong in [json!(0), json!(-1), json!(2_147_483_648_u64), json!("60"), json!(1.5)] {
        assert_eq!(refused("duration", wrong, R32), (400, "INVALID_ARGUMENT"));
    }
    let long = read(&with("duration", json!(86_401)), R32).unwrap();
    let invalid = long.request.granted_duration(R32.rules(), &Catalogue::nokia()).unwrap_err();
    let error = ErrorInfo::of_invalid(&invalid, R32.rules());
    assert_eq!((error.status, error.code), (400, "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE"));
}

#[test]
fn unknown_members_are_refused_by_the_later_release_wherever_they_are() {
    for path in ["x", "device.x", "applicationServer.x", "devicePorts.x", "sinkCredential.x"] {
        let body = with(path, json!(1));
        assert!(read(&body, R32).is_ok(), "{path}");
        let error = read(&body, R41).unwrap_err();
        assert_eq!(error.code, "INVALID_ARGUMENT");
        assert!(error.message.starts_with(path), "{path}: {}", error.message);
    }
    let body = with("devicePorts", json!({"ranges": [{"from": 1, "to": 2, "x": 3}]}));
    assert!(read(&body, R41).unwrap_err().message.starts_with("devicePorts.ranges[0].x"));
}

#[test]
fn identifiers_are_as_their_schema_has_them() {
    for rules in [R32, R41] {
        for wrong in [
            json!({"phoneNumber": "36721601234567"}),
            json!({"phoneNumber": "+036721"}),
            json!({"phoneNumber": 36_721}),
            json!({"ipv4Address": {"publicAddress": "233.252.0.2"}}),
            json!({"ipv4Address": {"publicPort": 80}}),
            json!({"ipv4Address": {"publicAddress": "233.252.0", "publicPort": 80}}),
            json!({"ipv4Address": {}}),
            json!({"ipv6Address": "2001:db8::/64"}),
            json!({"networkAccessIdentifier": 1}),
            json!({"phoneNumber": null}),
        ] {
            let code = refused("device", wrong.clone(), rules);
            assert_eq!(code, (400, "INVALID_ARGUMENT"), "{wrong}");
        }
    }
}

#[test]
fn the_token_and_the_request_name_a_device_between_them_once() {
    let create = |body: &Value, device: Option<&Device>| {
        read_create(body.to_string().as_bytes(), R41.rules(), device)
    };
    let without = with("device", Value::Null);
    let error = create(&without, None).unwrap_err();
    assert_eq!((error.status, error.code), (422, "MISSING_IDENTIFIER"));
    let error = create(&body(), Some(&device())).unwrap_err();
    assert_eq!((error.status, error.code), (422, "UNNECESSARY_IDENTIFIER"));
    let named = create(&without, Some(&device())).unwrap().request.asked;
    assert_eq!((named.device, named.named_by), (device(), NamedBy::Token));
    // What is wrong with the body is said first.
    let wrong = with("device", json!({}));
    assert_eq!(create(&wrong, Some(&device())).unwrap_err().status, 400);

    let retrieve = |body: &[u8], device| read_retrieve(body, R32.rules(), device);
    let own = device();
    assert_eq!(retrieve(b"{}", Some(&own)).unwrap(), (device(), NamedBy::Token));
    assert_eq!(retrieve(b"{}", None).unwrap_err().code, "MISSING_IDENTIFIER");
    assert_eq!(retrieve(b"", None).unwrap_err().code, "INVALID_ARGUMENT");
}

#[test]
fn an_assignment_is_about_everything_for_ever() {
    let rules = RuleSetId::ProvisioningR41.rules();
    let body = json!({"device": {"phoneNumber": "+36721601234567"}, "qosProfile": "QOS_L"});
    let read = |body: &Value| read_assignment(body.to_string().as_bytes(), rules, None);
    let asked = read(&body).unwrap().request;
    let networks: Vec<_> = asked.asked.server.networks().map(|net| net.to_string()).collect();
    assert_eq!(networks, ["0.0.0.0/0", "::/0"]);
    let granted = asked.granted_duration(rules, &Catalogue::nokia()).unwrap();
    assert_eq!(granted, greenwave_core::session::INDEFINITELY);
    let error = read(&json!({"qosProfile": "QOS_L", "duration": 60, "device": {"phoneNumber":
        "+36721601234567"}}));
    assert_eq!(error.unwrap_err().code, "INVALID_ARGUMENT");
}

#[test]
fn extensions() {
    let extend = |body: &str| read_extend(body.as_bytes(), R32.rules());
    let by = |seconds: i64| format!(r#"{{"requestedAdditionalDuration":{seconds}}}"#);
    assert_eq!(extend(&by(1)), Ok(Duration::from_secs(1)));
    assert_eq!(extend(&by(2_147_483_647)), Ok(Duration::from_secs(2_147_483_647)));
    assert_eq!(extend(&by(0)).unwrap_err().code, "INVALID_ARGUMENT");
    for wrong in ["", "{}", "[]", r#"{"requestedAdditionalDuration":"1"}"#] {
        assert_eq!(extend(wrong).unwrap_err().code, "INVALID_ARGUMENT", "{wrong}");
    }
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(text: String) {
        for rules in RuleSetId::ALL {
            let _ = read_create(text.as_bytes(), rules.rules(), None);
            let _ = read_assignment(text.as_bytes(), rules.rules(), None);
        }
    }

    /// A member may be anything: it is read or refused.
    #[test]
    fn no_member_makes_it_panic(at in 0usize..8, number: i64, text: String) {
        const MEMBERS: [&str; 8] = ["device", "applicationServer", "devicePorts", "qosProfile",
            "duration", "sink", "sinkCredential", "applicationServerPorts"];
        for value in [json!(number), json!(text), json!([text]), json!({ text.clone(): number })] {
            for rules in [R32, R41, RuleSetId::NokiaV1] {
                let _ = read(&with(MEMBERS[at], value.clone()), rules);
            }
        }
    }
}
