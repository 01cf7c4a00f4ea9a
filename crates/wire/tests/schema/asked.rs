//! Requests: the readers take what fits the schema, and nothing else.

use greenwave_core::device::PhoneNumber;
use greenwave_core::{Catalogue, Device, InvalidRequest, ProfileName, RuleSet, RuleSetId};
use greenwave_wire::{ErrorInfo, camara, v0};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use serde_json::{Map, Value};

use crate::dialect::Dialect;
use crate::generated;
use crate::mutated::mutations;

/// Reads a body as the gateway does, up to where it has to know devices and profiles.
fn read(dialect: &Dialect, name: &str, body: &Value) -> Result<(), ErrorInfo> {
    let (text, rules) = (body.to_string(), dialect.rules.rules());
    // Where the body names no device, the token does.
    let token =
        Device::new(None, PhoneNumber::parse("+4912345", rules.phone_number).ok(), None, None);
    let token = token.ok().filter(|_| body["device"].is_null());
    let text = text.as_bytes();
    match (name, dialect.rules) {
        ("CreateSession", RuleSetId::NokiaV0) => {
            v0::read_create(text).and_then(|read| duration(read.request, rules))
        }
        ("CreateSession", _) => camara::read_create(text, rules, token.as_ref())
            .and_then(|read| duration(read.request, rules)),
        ("ExtendSessionDuration", RuleSetId::NokiaV0) => v0::read_extend(text).map(drop),
        ("ExtendSessionDuration", _) => camara::read_extend(text, rules).map(drop),
        ("RetrieveSessionsInput", RuleSetId::NokiaV0) => v0::read_retrieve(text).map(drop),
        ("QosProfileDeviceRequest", _) => camara::profile::read_filter(text, rules, None).map(drop),
        ("CreateAssignment", _) => camara::read_assignment(text, rules, token.as_ref()).map(drop),
        _ => camara::read_retrieve(text, rules, token.as_ref()).map(drop),
    }
}

/// The form may be right, or not: it is refused for another reason.
fn is_refused_anyway(read: &Result<(), ErrorInfo>) -> bool {
    read.as_ref().is_err_and(|error| error.code == "PRIVATE_KEY_JWT_NOT_CONFIGURED")
}

/// Where the API itself has a longest duration. Elsewhere it is the profile's.
fn duration(mut request: greenwave_core::CreateRequest, rules: &RuleSet) -> Result<(), ErrorInfo> {
    if rules.duration.maximum.is_none() {
        return Ok(());
    }
    request.asked.profile = ProfileName::parse("QOS_L").unwrap();
    let granted = request.granted_duration(rules, &Catalogue::nokia());
    granted.map(drop).map_err(|wrong: InvalidRequest| ErrorInfo::of_invalid(&wrong, rules))
}

/// What is said of Nokia's clients in a sentence and not in the schema: a member that is null, an
/// empty list of ports, an empty address, a webhook without a URL or an empty token is none, and an
/// IMSI may be anything.
fn without_what_is_as_good_as_absent(body: &Value, rules: RuleSetId, of: &str) -> Value {
    let Value::Object(members) = body else { return body.clone() };
    let v0 = rules == RuleSetId::NokiaV0;
    let mut kept = Map::new();
    for (name, value) in members {
        let value = without_what_is_as_good_as_absent(value, rules, name);
        let absent = match (&**name, of) {
            ("ports" | "ranges", _) => v0 && value == Value::Array(Vec::new()),
            ("ipv4Address", "device") => value.as_object().is_some_and(|address| match v0 {
                true => !ADDRESS.iter().any(|name| address.contains_key(*name)),
                false => address.is_empty(),
            }),
            ("imsi", _) => !value.is_u64(),
            ("webhook", _) => v0 && value.is_object() && value.get("notificationUrl").is_none(),
            ("notificationAuthToken", _) => value == "",
            _ => false,
        };
        if !absent && !value.is_null() {
            kept.insert(name.clone(), value);
        }
    }
    // The webhook decides, and without a URL a token has nobody to be shown to.
    let texts = |name| kept.get(name).is_none_or(Value::is_string);
    if v0 && texts("notificationUrl") && texts("notificationAuthToken") {
        if kept.contains_key("webhook") {
            kept.remove("notificationUrl");
        }
        if !kept.contains_key("notificationUrl") {
            kept.remove("notificationAuthToken");
        }
    }
    Value::Object(kept)
}

const ADDRESS: [&str; 3] = ["publicAddress", "privateAddress", "publicPort"];

/// A token may have spaces around it.
fn with_trimmed_tokens(body: &Value) -> Value {
    let Value::Object(members) = body else { return body.clone() };
    let trimmed = |(name, value): (&String, &Value)| {
        let value = match (name.ends_with("Token"), value.as_str()) {
            (true, Some(token)) => Value::from(token.trim()),
            _ => with_trimmed_tokens(value),
        };
        (name.clone(), value)
    };
    Value::Object(members.iter().map(trimmed).collect())
}

/// Wrong in a way that no schema can tell: a range of ports that goes downwards, or a token that is
/// nothing but the word for its kind.
fn is_wrong_all_the_same(body: &Value) -> bool {
    match body {
        Value::Object(members) => {
            let port = |name: &str| members.get(name).and_then(Value::as_f64);
            let downwards = port("from").zip(port("to")).is_some_and(|(from, to)| from > to);
            let token = members.get("accessToken").and_then(Value::as_str);
            let is_none = token.is_some_and(|token| token.trim().eq_ignore_ascii_case("bearer"));
            downwards || is_none || members.values().any(is_wrong_all_the_same)
        }
        Value::Array(items) => items.iter().any(is_wrong_all_the_same),
        _ => false,
    }
}

#[test]
fn what_fits_is_read_and_what_does_not_fit_is_refused() {
    for dialect in Dialect::all() {
        for name in dialect.requests() {
            let validator = dialect.validator(name);
            let mut runner = TestRunner::new(generated::few());
            let bodies = generated::value(&dialect, dialect.schema(name));
            let run = runner.run(&bodies, |body| {
                prop_assert!(validator.is_valid(&body), "{}: {}", name, body);
                let taken = read(&dialect, name, &body);
                let fine = taken.is_ok() || is_refused_anyway(&taken);
                prop_assert!(fine, "{:?} {name} {body}: {taken:?}", dialect.rules);
                let wrong: Vec<String> = mutations(&body)
                    .into_iter()
                    .filter_map(differs(&dialect, name, &validator))
                    .collect();
                prop_assert!(
                    wrong.is_empty(),
                    "{:?} {}: {}",
                    dialect.rules,
                    name,
                    wrong.join("\n")
                );
                Ok(())
            });
            if let Err(TestError::Fail(why, _)) = run {
                panic!("{why}");
            }
        }
    }
}

/// Tells where the schema and the reader are not of one mind.
fn differs<'a>(
    dialect: &'a Dialect,
    name: &'a str,
    validator: &'a Validator,
) -> impl Fn((String, Value)) -> Option<String> + 'a {
    move |(what, body)| {
        let mut looked_at = with_trimmed_tokens(&body);
        if dialect.is_nokias() {
            looked_at = without_what_is_as_good_as_absent(&looked_at, dialect.rules, "");
        }
        let fits = validator.is_valid(&looked_at) && !is_wrong_all_the_same(&looked_at);
        let taken = read(dialect, name, &body);
        let differs = taken.is_ok() != fits && !is_refused_anyway(&taken);
        differs.then(|| format!("{what}: fits: {fits}, {taken:?} in {body}"))
    }
}
