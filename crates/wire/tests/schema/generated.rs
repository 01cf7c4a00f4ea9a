//! Values that fit a schema.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::string::string_regex;
use serde_json::{Map, Value, json};

use crate::dialect::Dialect;

/// How many values are looked at: fewer than usual, because of each very much is asked. They are
/// not made smaller when something is wrong with one: what is said of it says enough.
pub(crate) fn few() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases.div_ceil(64),
        max_shrink_iters: 0,
        failure_persistence: None,
        ..usual
    }
}

/// Any value of this schema.
pub(crate) fn value(dialect: &Dialect, schema: &Value) -> BoxedStrategy<Value> {
    let schema = dialect.resolve(schema);
    if let Some(values) = schema["enum"].as_array() {
        return prop::sample::select(values.clone()).boxed();
    }
    let union = ["oneOf", "anyOf"].iter().find_map(|word| schema[word].as_array());
    match (schema["type"].as_str(), union) {
        (Some("object"), _) => object(dialect, schema),
        (Some("array"), _) => array(dialect, schema),
        (Some("string"), _) => text(schema),
        (Some("integer"), _) => {
            let least = schema["minimum"].as_i64().unwrap();
            let most = schema["maximum"].as_i64().unwrap_or(1 << 53);
            prop_oneof![Just(least), Just(most), least..=most].prop_map(Value::from).boxed()
        }
        (None, Some(forms)) => {
            let forms: Vec<_> = forms.iter().map(|form| value(dialect, form)).collect();
            prop::strategy::Union::new(forms).boxed()
        }
        other => panic!("{other:?} in {schema}"),
    }
}

/// The required members, one of the sets of which one is required, and some of the others.
fn object(dialect: &Dialect, schema: &Value) -> BoxedStrategy<Value> {
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let required = names(&schema["required"]);
    let sets = schema["anyOf"].as_array().into_iter().flatten();
    let sets: Vec<Vec<String>> = sets.map(|set| names(&set["required"])).collect();
    let sets = if sets.is_empty() { vec![Vec::new()] } else { sets };
    let needs = schema["dependentRequired"].clone();
    let members: Vec<_> = schema["properties"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, of)| (Just(name.clone()), any::<bool>(), value(dialect, of)))
        .collect();
    (members, prop::sample::select(sets))
        .prop_map(move |(members, set)| {
            let mut wanted: BTreeSet<String> = required.iter().chain(&set).cloned().collect();
            wanted.extend(
                members.iter().filter(|(_, there, _)| *there).map(|(name, ..)| name.clone()),
            );
            for (name, needed) in needs.as_object().into_iter().flatten() {
                if wanted.contains(name) {
                    wanted.extend(
                        needed.as_array().unwrap().iter().map(|n| n.as_str().unwrap().into()),
                    );
                }
            }
            let there = members.into_iter().filter(|(name, ..)| wanted.contains(name));
            Value::Object(in_order(there.map(|(name, _, value)| (name, value)).collect()))
        })
        .boxed()
}

/// A range of ports goes upwards, which a schema cannot say.
fn in_order(mut members: Map<String, Value>) -> Map<String, Value> {
    if let (Some(from), Some(to)) = (members.get("from").cloned(), members.get("to").cloned())
        && from.as_u64() > to.as_u64()
    {
        members.insert("from".to_owned(), to);
        members.insert("to".to_owned(), from);
    }
    members
}

fn array(dialect: &Dialect, schema: &Value) -> BoxedStrategy<Value> {
    let least = usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap();
    let items = prop::collection::vec(value(dialect, &schema["items"]), least..least + 3);
    let unique = schema["uniqueItems"] == json!(true);
    items
        .prop_map(move |mut items| {
            // Two texts can be one address; one of each kind is enough here.
            if unique {
                items.dedup_by_key(|item| item.as_str().unwrap().contains(':'));
                items.truncate(2);
            }
            Value::Array(items)
        })
        .boxed()
}

fn text(schema: &Value) -> BoxedStrategy<Value> {
    let length = |word: &str| schema[word].as_u64().map(|length| usize::try_from(length).unwrap());
    let (least, most) = (length("minLength").unwrap_or(0), length("maxLength"));
    let texts: BoxedStrategy<String> = match schema["format"].as_str() {
        Some("ipv4") => any::<std::net::Ipv4Addr>().prop_map(|a| a.to_string()).boxed(),
        Some("ipv6") => any::<std::net::Ipv6Addr>().prop_map(|a| a.to_string()).boxed(),
        Some("uuid") => any::<u128>().prop_map(uuid).boxed(),
        Some("date-time") => {
            string_regex("20[0-9]{2}-1[0-2]-[0-2][1-8]T1[0-9]:[0-5][0-9]:[0-5][0-9]Z")
                .unwrap()
                .boxed()
        }
        Some("uri") => {
            string_regex("https://[a-z]{1,9}\\.example(:[1-9][0-9]{2})?/[a-z0-9/?=&]{0,20}")
                .unwrap()
                .boxed()
        }
        None => match schema["pattern"].as_str() {
            Some(pattern) => {
                let inner = pattern.strip_prefix('^').unwrap().strip_suffix('$').unwrap();
                string_regex(inner).unwrap().boxed()
            }
            None => any::<String>().boxed(),
        },
        Some(other) => panic!("{other}"),
    };
    texts
        .prop_filter("a length that fits", move |text| {
            // The lengths of a schema count characters, some of ours bytes.
            text.chars().count() >= least && most.is_none_or(|most| text.len() <= most)
        })
        .prop_map(Value::from)
        .boxed()
}

fn uuid(number: u128) -> String {
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
