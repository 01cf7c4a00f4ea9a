//! QoS profiles, as applications and as their operator see them.

use std::time::Duration;

use greenwave_core::profile::{
    Arp, BitRate, Country, CountryCode, L4sQueueType, OneTo, Plmn, RateUnit, Rates, ServiceClass,
    TimeUnit,
};
use greenwave_core::{
    Catalogue, Device, NamedBy, ProfileName, ProfileStatus, QosProfile, RuleSet, RuleSetId,
};
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::profile::{self, operator};
use proptest::prelude::*;

const FULL: &str = concat!(
    r#"{"name":"voice","description":"for \"voice\"","status":"DEPRECATED","#,
    r#""countryAvailability":[{"countryName":"HU","networks":["21630","310410"]},"#,
    r#"{"countryName":"AT"}],"#,
    r#""targetMinUpstreamRate":{"value":100,"unit":"kbps"},"#,
    r#""maxUpstreamRate":{"value":1,"unit":"Mbps"},"#,
    r#""maxUpstreamBurstRate":{"value":2,"unit":"Mbps"},"#,
    r#""targetMinDownstreamRate":{"value":200,"unit":"kbps"},"#,
    r#""maxDownstreamRate":{"value":3,"unit":"Gbps"},"#,
    r#""maxDownstreamBurstRate":{"value":4,"unit":"Gbps"},"#,
    r#""minDuration":{"value":1,"unit":"Minutes"},"maxDuration":{"value":10,"unit":"Days"},"#,
    r#""priority":10,"packetDelayBudget":{"value":50,"unit":"Milliseconds"},"#,
    r#""jitter":{"value":5,"unit":"Milliseconds"},"packetErrorLossRate":3,"#,
    r#""l4sQueueType":"mixed-queue","serviceClass":"real_time_interactive""#,
);

const OPERATORS: &str = concat!(
    r#","5qi":1,"#,
    r#""arp":{"priorityLevel":2,"preemptCap":"MAY_PREEMPT","preemptVuln":"NOT_PREEMPTABLE"},"#,
    r#""onlyFor":[{"phoneNumber":"+99999991001"},{"networkAccessIdentifier":"a@testcsp.net"}]}"#,
);

fn full() -> QosProfile {
    let text = format!("{FULL}{OPERATORS}");
    operator::read(text.as_bytes(), ProfileName::parse("voice").unwrap()).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn an_application_sees_what_camara_knows_of_a_profile() {
    assert_eq!(text(profile::write(&full())), format!("{FULL}}}"));
    assert_eq!(text(profile::write_list([&full(), &full()])), format!("[{FULL}}},{FULL}}}]"));
    assert_eq!(text(profile::write_list([])), "[]");
}

#[test]
fn a_profile_says_nothing_that_it_does_not_know() {
    let catalogue = Catalogue::nokia();
    assert_eq!(
        text(profile::write(catalogue.find("QOS_S").unwrap())),
        concat!(
            r#"{"name":"QOS_S","description":"Goes first, up to 4 Mbit/s down and 4 Mbit/s up, "#,
            r#"without a guaranteed minimum","status":"ACTIVE","#,
            r#""maxUpstreamRate":{"value":4,"unit":"Mbps"},"#,
            r#""maxDownstreamRate":{"value":4,"unit":"Mbps"},"#,
            r#""minDuration":{"value":1,"unit":"Seconds"},"#,
            r#""maxDuration":{"value":1,"unit":"Days"},"priority":70,"#,
            r#""packetDelayBudget":{"value":100,"unit":"Milliseconds"}}"#,
        )
    );
}

#[test]
fn what_camara_cannot_write_is_rounded_down_for_applications_and_kept_for_the_operator() {
    let rates = Rates::up_to(BitRate::of(1_500, RateUnit::Mbps).unwrap());
    let profile = QosProfile { downlink: rates, ..full() };
    assert!(
        text(profile::write(&profile)).contains(r#""maxDownstreamRate":{"value":1,"unit":"Gbps"}"#)
    );
    let kept = text(operator::write(&profile));
    assert!(kept.contains(r#""maxDownstreamRate":{"value":1500,"unit":"Mbps"}"#), "{kept}");
}

#[test]
fn the_operator_sees_and_writes_everything() {
    let profile = full();
    assert_eq!(text(operator::write(&profile)), format!("{FULL}{OPERATORS}"));
    assert_eq!(profile.only_for.as_ref().unwrap().len(), 2);
    assert_eq!(profile.uplink.guaranteed(), BitRate::of(100, RateUnit::Kbps));
    assert_eq!(profile.downlink.burst(), BitRate::of(4, RateUnit::Gbps));
}

#[test]
fn what_is_left_out_has_a_default_where_there_is_one() {
    let least = concat!(
        r#"{"maxUpstreamRate":{"value":1,"unit":"Mbps"},"#,
        r#""maxDownstreamRate":{"value":1,"unit":"Mbps"},"priority":1,"#,
        r#""packetDelayBudget":{"value":1,"unit":"Seconds"},"5qi":9,"arp":{"priorityLevel":9}}"#,
    );
    let name = || ProfileName::parse("least").unwrap();
    let profile = operator::read(least.as_bytes(), name()).unwrap();
    assert_eq!(profile.status, ProfileStatus::Active);
    assert_eq!(profile.max_duration, Duration::from_secs(86_400));
    assert_eq!((profile.arp.preempts, profile.arp.preemptible), (false, true));
    assert_eq!((profile.only_for, profile.countries), (None, vec![]));

    for member in ["maxUpstreamRate", "priority", "packetDelayBudget", "5qi", "arp"] {
        let mut without: serde_json::Value = serde_json::from_str(least).unwrap();
        without.as_object_mut().unwrap().remove(member);
        let error = operator::read(without.to_string().as_bytes(), name()).unwrap_err();
        assert!(error.message.starts_with(&format!("{member}: ")), "{}", error.message);
    }
}

/// What is said of a full profile with one member replaced.
fn wrong(member: &str, value: serde_json::Value) -> ErrorInfo {
    let text = format!("{FULL}{OPERATORS}");
    let mut profile: serde_json::Value = serde_json::from_str(&text).unwrap();
    profile[member] = value;
    let name = ProfileName::parse("voice").unwrap();
    operator::read(profile.to_string().as_bytes(), name).unwrap_err()
}

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    use serde_json::json;
    for (member, value, place, right) in [
        ("name", json!("video"), "name", "voice"),
        ("status", json!("active"), "status", "ACTIVE, INACTIVE, DEPRECATED"),
        ("maxUpstreamRate", json!({"value": 1, "unit": "mbps"}), "maxUpstreamRate.unit", "Mbps"),
        ("maxUpstreamRate", json!({"value": -1, "unit": "bps"}), "maxUpstreamRate.value", "from 0"),
        (
            "maxUpstreamRate",
            json!({"value": 1025, "unit": "Tbps"}),
            "maxUpstreamRate.value",
            "1024",
        ),
        (
            "maxUpstreamRate",
            json!({"value": 1.5, "unit": "Mbps"}),
            "maxUpstreamRate.value",
            "whole",
        ),
        ("maxUpstreamRate", json!({"value": 1}), "maxUpstreamRate.unit", "one of bps"),
        ("maxUpstreamRate", json!([1, "Mbps"]), "maxUpstreamRate", "an object"),
        ("maxUpstreamRate", json!({"value": 1, "unit": "bps"}), "targetMinUpstreamRate", "maximum"),
        ("maxUpstreamBurstRate", json!({"value": 1, "unit": "bps"}), "maxUpstreamBurstRate", "max"),
        ("jitter", json!({"value": 0, "unit": "Seconds"}), "jitter.value", "from 1"),
        ("jitter", json!({"value": 1, "unit": "s"}), "jitter.unit", "Seconds"),
        ("maxDuration", json!({"value": 1, "unit": "Milliseconds"}), "maxDuration", "a second"),
        ("maxDuration", json!({"value": 25_000, "unit": "Days"}), "maxDuration", "at most"),
        ("maxDuration", json!({"value": 2, "unit": "Seconds"}), "minDuration", "maxDuration"),
        ("priority", json!(101), "priority", "1 to 100"),
        ("packetErrorLossRate", json!(0), "packetErrorLossRate", "1 to 10"),
        ("5qi", json!(256), "5qi", "1 to 255"),
        ("arp", json!({"priorityLevel": 16}), "arp.priorityLevel", "1 to 15"),
        ("arp", json!({"priorityLevel": 1, "x": 1}), "arp.x", "leave it out"),
        ("arp", json!({"priorityLevel": 1, "preemptCap": true}), "arp.preemptCap", "a string"),
        ("arp", json!({"priorityLevel": 1, "preemptCap": "YES"}), "arp.preemptCap", "MAY_PREEMPT"),
        ("l4sQueueType", json!("fast"), "l4sQueueType", "l4s-queue"),
        ("serviceClass", json!("gold"), "serviceClass", "broadcast_video"),
        ("countryAvailability", json!([{"countryName": "hu"}]), "countryAvailability[0].co", "HU"),
        (
            "countryAvailability",
            json!([{"countryName": "HU", "networks": ["1"]}]),
            "country",
            "5 or",
        ),
        ("onlyFor", json!([]), "onlyFor", "at least one"),
        ("onlyFor", json!([{}]), "onlyFor[0]", "phoneNumber"),
        ("onlyFor", json!([{"phoneNumber": "36"}]), "onlyFor[0].phoneNumber", "E.164"),
        ("description", json!("a\nb"), "description", "control"),
        ("fiveQi", json!(1), "fiveQi", "leave it out"),
        ("jitter", json!(null), "jitter", "an object"),
    ] {
        let ErrorInfo { status, message, .. } = wrong(member, value);
        assert!(message.starts_with(place) && message.contains(right), "{place}: {message}");
        assert_eq!(status, 400);
    }
}

#[test]
fn a_file_holds_all_profiles_and_is_read_as_it_was_written() {
    let catalogue = Catalogue::nokia().with(full()).unwrap();
    let file = operator::write_file(&catalogue);
    assert_eq!(operator::read_file(file.as_bytes()).unwrap(), catalogue);
    assert!(
        file.starts_with("{\n  \"profiles\": [\n    {\n      \"name\": \"QOS_E\",\n"),
        "{file}"
    );
    assert!(file.contains("\n      \"priority\": 30,\n"), "{file}");
    assert!(file.contains("\n      \"description\": \"for \\\"voice\\\"\",\n"), "{file}");
    assert!(file.ends_with("}\n    }\n  ]\n}\n") || file.ends_with("]\n    }\n  ]\n}\n"), "{file}");
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_the_profile() {
    let read = |text: &str| operator::read_file(text.as_bytes()).unwrap_err().to_string();
    let with = |profile: &str| read(&format!(r#"{{"profiles":[{profile}]}}"#));
    assert!(read("{\n]").contains("line 2"), "{}", read("{\n]"));
    assert!(read("[]").contains("not a JSON object"), "{}", read("[]"));
    assert!(read("{}").starts_with("profiles: "), "{}", read("{}"));
    assert!(read(r#"{"profiles":[],"x":1}"#).starts_with("profiles: has no item"));
    assert!(with("1").starts_with("profiles[0]: is a number"), "{}", with("1"));
    assert!(with(r#"{"name":"x"}"#).starts_with("profiles[0].name: a profile's name is 3"));
    assert!(with(r#"{"name":"voice"}"#).starts_with("voice.maxDownstreamRate: "));
    let twice = format!("{FULL}{OPERATORS},{FULL}{OPERATORS}");
    assert_eq!(with(&twice), "there are two profiles voice: each needs a name of its own");
    assert!(with(r#"{"name":"voice","name":"voice"}"#).contains("duplicate field `name`"));
    assert!(read(&"[".repeat(100_000)).contains("32 levels"));
}

fn r32() -> &'static RuleSet {
    RuleSetId::CamaraR32.rules()
}

fn r41() -> &'static RuleSet {
    RuleSetId::CamaraR41.rules()
}

fn phone() -> Device {
    let body = br#"{"device":{"phoneNumber":"+99999991001"}}"#;
    profile::read_filter(body, r32(), None).unwrap().device.unwrap().0
}

#[test]
fn a_filter_may_have_anything_or_nothing() {
    let read = |body: &str| profile::read_filter(body.as_bytes(), r32(), None);
    let nothing = profile::Filter { device: None, name: None, status: None };
    assert_eq!(read("{}"), Ok(nothing.clone()));
    assert_eq!(read(r#"{"x":1}"#), Ok(nothing));
    let all =
        read(r#"{"device":{"phoneNumber":"+99999991001"},"name":"QOS_L","status":"INACTIVE"}"#);
    let all = all.unwrap();
    assert_eq!(all.device, Some((phone(), NamedBy::Request)));
    assert_eq!(all.name.unwrap().as_str(), "QOS_L");
    assert_eq!(all.status, Some(ProfileStatus::Inactive));
}

#[test]
fn what_is_wrong_in_a_filter_is_named() {
    for (body, place) in [
        ("", "the request body is empty"),
        ("[]", "the request body"),
        (r#"{"device":{}}"#, "device"),
        (r#"{"device":{"phoneNumber":"36721601234567"}}"#, "device.phoneNumber"),
        (r#"{"device":{"ipv4Address":{"publicAddress":"10.0.0.1"}}}"#, "device.ipv4Address"),
        (r#"{"name":"QO"}"#, "name"),
        (r#"{"name":7}"#, "name"),
        (r#"{"status":"active"}"#, "status"),
    ] {
        let error = profile::read_filter(body.as_bytes(), r32(), None).unwrap_err();
        assert!(error.message.starts_with(place), "{}", error.message);
        assert_eq!((error.status, error.code), (400, "INVALID_ARGUMENT"), "{body}");
    }
    let strict = profile::read_filter(br#"{"x":1}"#, r41(), None).unwrap_err();
    assert_eq!((strict.status, strict.code), (400, "INVALID_ARGUMENT"));
}

#[test]
fn a_tokens_device_is_the_filter_and_no_other_may_be_named() {
    let phone = phone();
    let read = |body: &str| profile::read_filter(body.as_bytes(), r32(), Some(&phone));
    assert_eq!(read("{}").unwrap().device, Some((phone.clone(), NamedBy::Token)));
    let error = read(r#"{"device":{"phoneNumber":"+99999991001"}}"#).unwrap_err();
    assert_eq!((error.status, error.code), (422, "UNNECESSARY_IDENTIFIER"));
    // What is wrong with the body is said first.
    assert_eq!(read(r#"{"device":{},"name":1}"#).unwrap_err().status, 400);
}

prop_compose! {
    fn any_rates()(
        rates in prop::collection::vec(0..=1_024_000_000_000_000_u64, 3),
        which in any::<[bool; 2]>(),
    ) -> Rates {
        let mut rates = rates;
        rates.sort_unstable();
        let rate = |at: usize| BitRate::of(rates[at], RateUnit::Bps).unwrap();
        let (low, high) = (which[0].then(|| rate(0)), which[1].then(|| rate(2)));
        Rates::new(low, rate(1), high).unwrap()
    }
}

fn any_duration() -> impl Strategy<Value = Duration> {
    (1..=10_000_u64, prop::sample::select(TimeUnit::ALL))
        .prop_map(|(value, unit)| unit.times(value).unwrap())
}

prop_compose! {
    fn any_profile()(
        (name, description) in ("[a-zA-Z0-9_.-]{3,256}", "[^\\p{C}]{0,80}"),
        status in prop::sample::select(ProfileStatus::ALL),
        (downlink, uplink) in (any_rates(), any_rates()),
        (budget, jitter) in (any_duration(), prop::option::of(any_duration())),
        loss in prop::option::of(1..=10_u8),
        (priority, five_qi, level) in (1..=100_u8, 1..=255_u8, 1..=15_u8),
        queue in prop::option::of(prop::sample::select(L4sQueueType::ALL)),
        class in prop::option::of(prop::sample::select(ServiceClass::ALL)),
        (preempts, preemptible, somewhere, restricted) in any::<(bool, bool, bool, bool)>(),
        (min, more) in (1..=1_000_u64, 0..=1_000_000_u64),
    ) -> QosProfile {
        let hungary = Country {
            code: CountryCode::parse("HU").unwrap(),
            networks: vec![Plmn::parse("21630").unwrap()],
        };
        QosProfile {
            name: ProfileName::parse(&name).unwrap(),
            description: description.into(),
            status,
            countries: somewhere.then_some(hungary).into_iter().collect(),
            only_for: restricted.then(|| vec![phone()]),
            downlink,
            uplink,
            packet_delay_budget: budget,
            jitter,
            packet_error_loss_rate: loss.and_then(OneTo::new),
            priority: OneTo::new(priority).unwrap(),
            l4s_queue_type: queue,
            service_class: class,
            five_qi: five_qi.try_into().unwrap(),
            arp: Arp { priority_level: OneTo::new(level).unwrap(), preempts, preemptible },
            min_duration: Duration::from_secs(min),
            max_duration: Duration::from_secs(min + more),
        }
    }
}

proptest! {
    #[test]
    fn the_operators_form_keeps_all_of_a_profile(profile in any_profile()) {
        let written = operator::write(&profile);
        prop_assert_eq!(operator::read(&written, profile.name.clone()), Ok(profile.clone()));
        let catalogue = Catalogue::new(vec![profile]).unwrap();
        let file = operator::write_file(&catalogue);
        prop_assert_eq!(operator::read_file(file.as_bytes()), Ok(catalogue));
    }

    /// What an application is shown is what the operator said, with rates no higher.
    #[test]
    fn the_applications_form_is_camaras(profile in any_profile()) {
        let read: serde_json::Value = serde_json::from_slice(&profile::write(&profile)).unwrap();
        for (member, value) in read.as_object().unwrap() {
            if member.ends_with("Rate") && member != "packetErrorLossRate" {
                prop_assert!(value["value"].as_u64().unwrap() <= 1_024, "{}: {}", member, value);
            }
            prop_assert!(!["5qi", "arp", "onlyFor"].contains(&member.as_str()));
        }
        prop_assert_eq!(&read["name"], profile.name.as_str());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = operator::read_file(&bytes);
        let _ = profile::read_filter(&bytes, r41(), None);
    }
}
