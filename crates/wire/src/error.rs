//! Error bodies: `{status, code, message}` (CAMARA Commonalities, schema `ErrorInfo`), and which
//! status and code each refusal has.
//!
//! A message names the field, what is wrong with it, and what would be right. It is for the one who
//! sent the request, and never tells anything of another application.

mod access;
mod device;
mod profile;
mod refused;
mod sink;

use std::fmt::Display;

use serde::Serialize;

/// The longest message that CAMARA allows.
pub(crate) const LONGEST_MESSAGE: usize = 512;

/// The body of an answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorInfo {
    /// The HTTP status.
    pub status: u16,
    /// A code for programs.
    pub code: &'static str,
    /// A text for people.
    pub message: String,
    /// After how many seconds to try again, if that can be said: for the header `Retry-After`.
    #[serde(skip)]
    pub retry_after_s: Option<u32>,
}

impl ErrorInfo {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > LONGEST_MESSAGE {
            let end = message.floor_char_boundary(LONGEST_MESSAGE - "…".len());
            message.truncate(end);
            message.push('…');
        }
        Self { status, code, message, retry_after_s: None }
    }

    /// A field has a value that it cannot have.
    pub fn invalid_argument(field: &str, wrong: impl Display) -> Self {
        Self::new(400, "INVALID_ARGUMENT", format!("{field}: {wrong}"))
    }

    /// A number is outside of its range.
    pub fn out_of_range(field: &str, wrong: impl Display) -> Self {
        Self::new(400, "OUT_OF_RANGE", format!("{field}: {wrong}"))
    }

    /// The token, or key, does not allow the operation.
    #[must_use]
    pub fn scope_missing(scope: &str) -> Self {
        let wrong = format!(
            "Client does not have sufficient permissions to perform this action: ask for a token \
             with the scope {scope}"
        );
        Self::new(403, "PERMISSION_DENIED", wrong)
    }

    /// The body as a whole cannot be read.
    pub fn invalid_body(wrong: impl Display) -> Self {
        Self::new(400, "INVALID_ARGUMENT", format!("the request body {wrong}"))
    }

    /// The idempotency key names another request.
    #[must_use]
    pub fn idempotency_key_reused() -> Self {
        Self::new(
            422,
            "IDEMPOTENCY_KEY_REUSED",
            "This Idempotency-Key was used for another request in the last 24 hours: use a new key \
             for each request, and the same one only to make it again as it was",
        )
    }

    /// A request with the same idempotency key is being worked on.
    #[must_use]
    pub fn idempotency_in_progress() -> Self {
        let message = "A request with this Idempotency-Key is being worked on: try again after as \
                       many seconds as the header Retry-After says";
        let error = Self::new(409, "IDEMPOTENCY_IN_PROGRESS", message);
        Self { retry_after_s: Some(1), ..error }
    }

    /// The same for a missing credential and a wrong one.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(
            401,
            "UNAUTHENTICATED",
            "Request not authenticated: send a valid application key as X-RapidAPI-Key, or a valid \
             key or access token as Authorization: Bearer",
        )
    }

    /// The same for whoever runs the gateway.
    #[must_use]
    pub fn unauthenticated_operator() -> Self {
        Self::new(
            401,
            "UNAUTHENTICATED",
            "Request not authenticated: send the token in the file admin.token of the gateway's \
             data directory as Authorization: Bearer",
        )
    }

    /// An application has as many keys as it may.
    pub fn too_many_keys(wrong: impl Display) -> Self {
        Self::new(409, "TOO_MANY_KEYS", wrong.to_string())
    }

    /// No such key.
    pub fn unknown_key(wrong: impl Display) -> Self {
        Self::new(404, "NOT_FOUND", wrong.to_string())
    }

    /// The simulated network has as many faults, or rules, as it may.
    pub fn too_many(wrong: impl Display) -> Self {
        Self::new(409, "CONFLICT", wrong.to_string())
    }

    /// No such fault.
    #[must_use]
    pub fn unknown_fault() -> Self {
        Self::new(
            404,
            "NOT_FOUND",
            "There is no fault with this id: it was removed, has struck as often as it was to, or \
             never existed",
        )
    }

    /// The simulated network has nothing for this session.
    #[must_use]
    pub fn unknown_rule() -> Self {
        Self::new(404, "NOT_FOUND", "The network has no rule of the gateway's for this session")
    }

    /// No such path.
    pub fn unknown_path(path: &str, known: &[&str]) -> Self {
        let known = known.join(", ");
        Self::new(404, "NOT_FOUND", format!("There is nothing at {path}; there is: {known}"))
    }

    /// The path has no such method. What it has is in the header `Allow`.
    #[must_use]
    pub fn method_not_allowed(method: &str) -> Self {
        Self::new(
            405,
            "METHOD_NOT_ALLOWED",
            format!("{method} is not possible here: the header Allow says what is"),
        )
    }

    /// The body is too large.
    #[must_use]
    pub fn payload_too_large(limit_kib: usize) -> Self {
        Self::new(
            413,
            "PAYLOAD_TOO_LARGE",
            format!("The request body is larger than {limit_kib} KiB, which no request needs"),
        )
    }

    /// The body is not said to be JSON.
    #[must_use]
    pub fn unsupported_media_type() -> Self {
        Self::new(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "The request body has to be JSON: send Content-Type: application/json",
        )
    }

    /// The body did not arrive in time.
    #[must_use]
    pub fn request_timeout() -> Self {
        Self::new(408, "TIMEOUT", "The request body did not arrive in time: send it without pauses")
    }

    /// The gateway cannot do it at the moment.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(
            503,
            "UNAVAILABLE",
            "The gateway cannot serve this at the moment: try again later",
        )
    }

    /// The gateway has as much to do as it takes on.
    #[must_use]
    pub fn busy() -> Self {
        Self::new(
            503,
            "UNAVAILABLE",
            "Too many requests are under way: try again after as many seconds as the header \
             Retry-After says",
        )
    }

    /// Something is broken here.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            500,
            "INTERNAL",
            "Something is broken in the gateway: its log says what, under this x-correlator",
        )
    }

    /// The body's bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Two strings and a number can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_three_members() {
        let error = ErrorInfo::invalid_argument("duration", "is \"odd\"");
        let json = String::from_utf8(error.to_json()).unwrap();
        let expected =
            r#"{"status":400,"code":"INVALID_ARGUMENT","message":"duration: is \"odd\""}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn a_message_is_cut_where_camara_says() {
        let error = ErrorInfo::invalid_argument("x", "ä".repeat(600));
        assert!(error.message.len() <= LONGEST_MESSAGE);
        assert!(error.message.ends_with('…'));
    }
}
