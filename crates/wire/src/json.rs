//! Reading a body, so that whoever sent it learns which member is wrong.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::ErrorInfo;

/// How deeply a body may be nested. No request needs more than five levels.
pub const MOST_NESTED: usize = 32;

/// Reads a body. The first try is quick; only if it fails, a second one finds out where.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ErrorInfo> {
    if too_deep(body) {
        let wrong = format!("is nested more than {MOST_NESTED} levels deep");
        return Err(ErrorInfo::invalid_body(wrong));
    }
    match serde_json::from_slice(body) {
        Ok(Object(value)) => Ok(value),
        Err(error) => Err(explain::<T>(body, &error)),
    }
}

fn explain<T: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> ErrorInfo {
    if body.iter().all(u8::is_ascii_whitespace) {
        return ErrorInfo::invalid_body("is empty: it has to be a JSON object");
    }
    if !error.is_data() {
        return ErrorInfo::invalid_body(format!("is not valid JSON: {error}"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, Object<T>>(&mut reader) {
        Err(error) => {
            let path = error.path().to_string();
            // The place in the text says less than the path does.
            let wrong = error.into_inner().to_string();
            let wrong = wrong.rsplit_once(" at line ").map_or(&*wrong, |(wrong, _)| wrong);
            match &*path {
                "." => ErrorInfo::invalid_body(format!("is not as it should be: {wrong}")),
                path => ErrorInfo::invalid_argument(path, wrong),
            }
        }
        Ok(_) => ErrorInfo::invalid_body(format!("is not as it should be: {error}")),
    }
}

/// Whether a text opens more levels of `[` and `{` than a body may have, read as far as it goes.
#[must_use]
pub fn too_deep(text: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > MOST_NESTED {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// A JSON object that is read as `T`. Without it an array would do as well, its items taken for the
/// members in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// A whole number, of any size; what is beyond `i64` is as good as its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WholeNumber(pub(crate) i64);

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_i64(WholeNumberVisitor)
    }
}

struct WholeNumberVisitor;

impl Visitor<'_> for WholeNumberVisitor {
    type Value = WholeNumber;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<WholeNumber, E> {
        Ok(WholeNumber(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<WholeNumber, E> {
        Ok(WholeNumber(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    /// `60.0` is a whole number to JSON Schema, and some clients write it so.
    fn visit_f64<E: Error>(self, number: f64) -> Result<WholeNumber, E> {
        if number.fract() == 0.0 {
            // A cast from float to integer saturates.
            Ok(WholeNumber(number as i64))
        } else {
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
    }
}

/// An object of any members, each of them there once, at any depth: of two, one reader would take
/// the first and another the last.
#[derive(Debug)]
pub(crate) struct Document(pub(crate) Map<String, Value>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ItemVisitor).and_then(|item| match item {
            Item(Value::Object(members)) => Ok(Self(members)),
            Item(_) => Err(D::Error::custom("expected a JSON object")),
        })
    }
}

struct Item(Value);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Item, E> {
        Ok(Item(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Item, E> {
        Ok(Item(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Item, E> {
        Ok(Item(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Item, E> {
        Ok(Item(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Item, E> {
        Ok(Item(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Item, E> {
        Ok(Item(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        let mut list = Vec::new();
        while let Some(Item(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Item(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Item, A::Error> {
        let mut object = Map::new();
        while let Some((name, Item(value))) = members.next_entry::<String, Item>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            object.insert(name, value);
        }
        Ok(Item(Value::Object(object)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Body {
        number: Option<WholeNumber>,
        inner: Option<Object<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        number: WholeNumber,
    }

    fn message(body: &str) -> String {
        read::<Body>(body.as_bytes()).unwrap_err().message
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(
            message(r#"{"inner":{"number":"60"}}"#),
            "inner.number: invalid type: string \"60\", expected a whole number"
        );
        assert_eq!(
            message(r#"{"number":1.5}"#),
            "number: invalid type: floating point `1.5`, expected a whole number"
        );
        assert!(message("[1]").contains("expected a JSON object"), "{}", message("[1]"));
        assert!(message(r#"{"inner":[1]}"#).contains("expected a JSON object"));
        let good = read::<Body>(br#"{"inner":{"number":1}}"#).unwrap();
        assert_eq!(good.inner.unwrap().0.number, WholeNumber(1));
        assert!(message("{").contains("not valid JSON"));
        assert!(message("\u{feff}{}").contains("not valid JSON"));
        assert!(message(" ").contains("is empty"));
        assert!(message(r#"{"number":1,"number":2}"#).contains("duplicate field `number`"));
    }

    #[test]
    fn whole_numbers_are_read_however_they_are_written() {
        let number = |text: &str| {
            read::<Body>(format!(r#"{{"number":{text}}}"#).as_bytes()).unwrap().number.unwrap().0
        };
        assert_eq!(number("60"), 60);
        assert_eq!(number("-1"), -1);
        assert_eq!(number("60.0"), 60);
        assert_eq!(number("1e3"), 1_000);
        assert_eq!(number("99999999999999999999"), i64::MAX);
        assert_eq!(number("-1e300"), i64::MIN);
    }

    #[test]
    fn depth_counts_outside_of_strings_only() {
        let deep = |levels: usize| "[".repeat(levels);
        assert!(!too_deep(deep(MOST_NESTED).as_bytes()));
        assert!(too_deep(deep(MOST_NESTED + 1).as_bytes()));
        assert!(too_deep(deep(100_000).as_bytes()));
        assert!(!too_deep(format!(r#"{{"a":"\"{}"}}"#, deep(100)).as_bytes()));
        assert!(message(&deep(100_000)).contains("32 levels"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = read::<Body>(&bytes);
        }
    }
}
