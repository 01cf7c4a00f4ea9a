//! The body of an answer that is no success.

use std::collections::BTreeSet;

use utoipa::openapi::ObjectBuilder;
use utoipa::openapi::schema::Type;

use super::keyword::{Members, Required, object, text, whole, words};
use crate::ErrorInfo;
use crate::error::LONGEST_MESSAGE;

/// What it is called in a document that has it.
const NAME: &str = "ErrorInfo";

/// With its name.
#[must_use]
pub fn error_schema() -> (String, ObjectBuilder) {
    (NAME.to_owned(), body(whole("The HTTP status.", 400, Some(599)), text("A code for programs.")))
}

/// The same of these errors, which have one status: with the codes that there are.
#[must_use]
pub fn error_of(errors: &[ErrorInfo]) -> ObjectBuilder {
    let statuses: BTreeSet<u16> = errors.iter().map(|error| error.status).collect();
    let status = ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some(statuses));
    let codes: BTreeSet<&str> = errors.iter().map(|error| error.code).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    body(status.description(Some("The HTTP status.")), words("A code for programs.", &codes))
}

fn body(status: ObjectBuilder, code: ObjectBuilder) -> ObjectBuilder {
    let message = text("A text for people: which field is wrong, and what would be right.");
    object("Why there is no success.")
        .member("status", Required, status)
        .member("code", Required, code)
        .member("message", Required, message.max_length(Some(LONGEST_MESSAGE)))
}
