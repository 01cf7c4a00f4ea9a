//! Errors of callers that may not do what they ask for, or not so often.

use std::num::NonZeroU32;

use super::ErrorInfo;

impl ErrorInfo {
    /// The token is not good for this operation.
    #[must_use]
    pub fn missing_scope(scope: &str) -> Self {
        Self::new(
            403,
            "PERMISSION_DENIED",
            format!("The access token lacks the scope {scope}: ask for a token that has it"),
        )
    }

    /// The token is for one device, where requests are for any.
    #[must_use]
    pub fn token_of_device() -> Self {
        Self::new(
            403,
            "PERMISSION_DENIED",
            "The access token is for one device, and is not taken here: send it to \
             /quality-on-demand/v1",
        )
    }

    /// The application has asked for too much in too short a time.
    #[must_use]
    pub fn too_many_requests(requests: NonZeroU32, per_s: NonZeroU32, wait_s: u64) -> Self {
        let message = format!(
            "This application may make {requests} requests in {per_s} s and has made them: try \
             again after as many seconds as the header Retry-After says"
        );
        Self::new(429, "TOO_MANY_REQUESTS", message).after(wait_s)
    }

    /// The application has asked too often for what is not its own.
    #[must_use]
    pub fn too_many_misses(wait_s: u64) -> Self {
        let message = "This application has asked too often for ids that are not known, or not \
                       its own: ask for those that it was given, after as many seconds as the \
                       header Retry-After says";
        Self::new(429, "TOO_MANY_REQUESTS", message).after(wait_s)
    }

    fn after(self, wait_s: u64) -> Self {
        Self { retry_after_s: Some(wait_s.try_into().unwrap_or(u32::MAX)), ..self }
    }

    /// No such application.
    #[must_use]
    pub fn unknown_application() -> Self {
        Self::new(404, "NOT_FOUND", "There is no application with this id")
    }
}
