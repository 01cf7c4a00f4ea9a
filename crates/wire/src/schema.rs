//! What goes over the wire as JSON Schema, for OpenAPI documents.
//!
//! It is made of the `RuleSet` that bodies are read by, so that what differs between releases
//! differs here without being written down a second time. That it says the truth is what the tests
//! in `tests/schema` are for: what the writers write fits, what fits is read, what doesn't is not.

mod address;
mod assignment;
mod device;
mod error;
mod event;
mod flow;
mod keyword;
mod profile;
mod session;
mod sink;

use greenwave_core::rules::UnknownMembers;
use greenwave_core::{RuleSet, Subject};
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema};

use crate::v0::Times;

pub use error::{error_of, error_schema};

/// Schemas with their names in a document.
pub type Named = Vec<(String, RefOr<Schema>)>;

/// The schemas of one API. Their names begin with its own, so that those of all of them can stand
/// in one document.
#[derive(Clone, Debug)]
pub struct Schemas {
    prefix: String,
    rules: &'static RuleSet,
    times: Times,
}

impl Schemas {
    /// Those of the API with these rules. A name consists of letters, digits and `.`, `-`, `_`.
    #[must_use]
    pub fn new(name: &str, rules: &'static RuleSet) -> Self {
        Self { prefix: name.to_owned(), rules, times: Times::Iso }
    }

    /// The same with times as they are in early versions of `/qod/v0`.
    #[must_use]
    pub fn with_times(self, times: Times) -> Self {
        Self { times, ..self }
    }

    /// What a schema is called in the document.
    #[must_use]
    pub fn name(&self, schema: &str) -> String {
        format!("{}.{schema}", self.prefix)
    }

    /// Where a schema is in the document.
    #[must_use]
    pub fn at(&self, schema: &str) -> Ref {
        Ref::from_schema_name(self.name(schema))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Named {
        let mut all = match self.rules.subject {
            Subject::Session => self.of_sessions(),
            Subject::Assignment => self.of_assignments(),
        };
        all.extend(self.of_devices());
        all.extend(self.of_sinks());
        all
    }

    /// A part of a request: what is unknown in it is refused where the rules say so.
    fn asked(&self, object: ObjectBuilder) -> ObjectBuilder {
        match self.rules.unknown_members {
            UnknownMembers::Refused => {
                object.additional_properties(Some(AdditionalProperties::FreeForm(false)))
            }
            UnknownMembers::ReadOver => object,
        }
    }

    fn named(&self, schema: &str, is: impl Into<RefOr<Schema>>) -> (String, RefOr<Schema>) {
        (self.name(schema), is.into())
    }
}
