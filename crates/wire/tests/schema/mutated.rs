//! Bodies that are changed in one place. Most of them fit no schema any more.

use serde_json::{Value, json};

/// The body with one change each, and what that was.
pub(crate) fn mutations(body: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    collect(body, String::new(), &mut places);
    let mut all = Vec::new();
    for place in &places {
        let was = body.pointer(place).unwrap();
        for instead in replacements(was) {
            let mut changed = body.clone();
            *changed.pointer_mut(place).unwrap() = instead.clone();
            all.push((format!("{place} is {instead}"), changed));
        }
        let Some((parent, name)) = place.rsplit_once('/') else { continue };
        let mut changed = body.clone();
        if let Some(members) = changed.pointer_mut(parent).unwrap().as_object_mut() {
            members.remove(name);
            all.push((format!("{place} is gone"), changed));
        }
    }
    all
}

fn collect(value: &Value, path: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| collect(value, format!("{path}/{name}"), places));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| {
                collect(item, format!("{path}/{at}"), places);
            });
        }
        _ => {}
    }
    places.push(path);
}

fn replacements(was: &Value) -> Vec<Value> {
    let mut instead =
        vec![json!(null), json!(true), json!([]), json!({}), json!([1]), json!({"x": 1})];
    let numbers =
        [-1, 0, 1, 60, 65_535, 65_536, 86_399, 86_400, 86_401, 2_147_483_647, 2_147_483_648_i64];
    instead.extend(numbers.map(Value::from));
    instead.extend([json!(1.5), json!(60.0), json!(1e300), json!(-1e300)]);
    instead.extend(TEXTS.map(Value::from));
    instead.extend([254, 257, 4_097].map(|length| Value::from("a".repeat(length))));
    instead.push(Value::from(format!("https://example.com/{}", "a".repeat(2_048))));
    match was {
        Value::String(text) => instead.extend([
            json!(format!("{text} ")),
            json!(format!(" {text}")),
            json!(format!("{text}\n")),
            json!(text.to_uppercase()),
        ]),
        Value::Array(items) => {
            let mut doubled = items.clone();
            doubled.extend(items.first().cloned());
            instead.push(Value::Array(doubled));
        }
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("unknown".to_owned(), json!(1));
            instead.push(Value::Object(more));
        }
        _ => {}
    }
    instead
}

/// Some of each kind that a member can be, and some that are nearly that.
const TEXTS: [&str; 47] = [
    "",
    " ",
    "x",
    "xyz",
    "QOS_L",
    "QOS L",
    "é",
    "a@b",
    "a@b@c",
    "@b",
    "+4912345",
    "4912345",
    "+0123456",
    "+1234",
    "1234",
    "+1234567890123456",
    "1.2.3.4",
    "1.2.3.4/24",
    "1.2.3.4/33",
    "1.2.3",
    "256.1.1.1",
    "01.2.3.4",
    "::1",
    "::1/128",
    "::1/129",
    "1::2::3",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::",
    "1:2:3:4:5:6:7::8",
    "::ffff:1.2.3.4",
    "1::1.2.3.4/99",
    "https://example.com/",
    "http://example.com/",
    "ftp://example.com/",
    "https://a:b@example.com/",
    "https://",
    "example.com",
    "ACCESSTOKEN",
    "PRIVATE_KEY_JWT",
    "PLAIN",
    "bearer",
    "mac",
    "2026-11-22",
    "2026-11-22T16:27:45",
    "2026-11-22T16:27:45Z",
    "2026-11-22T16:27:45+01:00",
];
