//! The few forms that our schemas have.

use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

/// Whether a member has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

pub(super) use Presence::{Optional, Required};

/// An object with these members.
pub(super) fn object(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object).description(Some(description))
}

/// Members of an object.
pub(super) trait Members {
    fn member(self, name: &str, presence: Presence, is: impl Into<RefOr<Schema>>) -> Self;
}

impl Members for ObjectBuilder {
    fn member(self, name: &str, presence: Presence, is: impl Into<RefOr<Schema>>) -> Self {
        let with = self.property(name, is);
        match presence {
            Required => with.required(name),
            Optional => with,
        }
    }
}

/// The keyword `anyOf` beside an object's members: one of these sets of them has to be there.
/// utoipa has no place for it, but what it calls extensions are written out as they are.
pub(super) fn any_of_sets(sets: &[&[&str]]) -> Extensions {
    let sets: Vec<Value> = sets.iter().map(|set| json!({"required": set})).collect();
    [("anyOf", Value::from(sets))].into_iter().collect()
}

/// The keyword `dependentRequired`: who gives the one gives the other.
pub(super) fn needs(member: &str, needed: &str) -> Extensions {
    [("dependentRequired", json!({member: [needed]}))].into_iter().collect()
}

pub(super) fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

pub(super) fn formatted(description: &str, format: &str) -> ObjectBuilder {
    text(description).format(Some(SchemaFormat::Custom(format.to_owned())))
}

pub(super) fn whole(description: &str, least: i64, most: Option<i64>) -> ObjectBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer).description(Some(description));
    number.minimum(Some(float(least))).maximum(most.map(float))
}

/// utoipa writes a limit without a fraction as a whole number.
fn float(limit: i64) -> f64 {
    limit as f64
}

pub(super) fn words(description: &str, words: &[&str]) -> ObjectBuilder {
    text(description).enum_values(Some(words.iter().copied()))
}
