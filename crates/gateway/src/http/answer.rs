//! Answers: JSON, and failures with the body that CAMARA gives them.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use greenwave_core::RuleSet;
use greenwave_ledger::LedgerError;
use greenwave_wire::ErrorInfo;
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::directory::DirectoryError;
use crate::engine::EngineError;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON body with this status.
pub(super) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    (status, [(CONTENT_TYPE, JSON)], body.into()).into_response()
}

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Failure(Box<ErrorInfo>);

impl From<ErrorInfo> for Failure {
    fn from(error: ErrorInfo) -> Self {
        Self(Box::new(error))
    }
}

impl Failure {
    /// What an engine's error is called under these rules.
    pub(super) fn of(error: &EngineError, rules: &RuleSet) -> Self {
        let error = match error {
            EngineError::Invalid(invalid) => ErrorInfo::of_invalid(invalid, rules),
            EngineError::UnknownDevice(unknown) => {
                ErrorInfo::unknown_device(unknown.field, unknown.known, rules)
            }
            EngineError::NotServed => ErrorInfo::not_served(rules),
            EngineError::Refused(refusal) => ErrorInfo::of_refusal(refusal, rules),
            EngineError::KeyReused => ErrorInfo::idempotency_key_reused(),
            EngineError::Directory(DirectoryError::Unsupported) => {
                ErrorInfo::unsupported_identifier(rules)
            }
            EngineError::Ledger(LedgerError::Busy) => ErrorInfo::busy(),
            // The ledger has said so, once.
            EngineError::Ledger(LedgerError::Full) => ErrorInfo::unavailable(),
            EngineError::Ledger(error) => {
                tracing::error!(%error, "the ledger cannot answer");
                ErrorInfo::unavailable()
            }
            EngineError::Unsettled => ErrorInfo::unavailable(),
        };
        error.into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, self.0.to_json());
        let headers = response.headers_mut();
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            // What is left of the body is not read any more.
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}
