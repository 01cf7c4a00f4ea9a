//! What is said of a sink and its credential.

use super::ErrorInfo;

impl ErrorInfo {
    /// Events only go to `https` URLs.
    #[must_use]
    pub fn invalid_sink(field: &str) -> Self {
        let wrong = format!("{field}: an https URL such as https://example.com/events");
        Self::new(400, "INVALID_SINK", wrong)
    }

    /// A kind of credential that is only there by name.
    #[must_use]
    pub fn invalid_credential(field: &str) -> Self {
        let wrong = format!("{field}: only access tokens are supported: give ACCESSTOKEN");
        Self::new(400, "INVALID_CREDENTIAL", wrong)
    }

    /// A kind of token that nothing is known of.
    #[must_use]
    pub fn invalid_token_type(field: &str) -> Self {
        let wrong = format!("{field}: only bearer tokens are supported: give bearer");
        Self::new(400, "INVALID_TOKEN", wrong)
    }

    /// The application and the operator have not arranged for it.
    #[must_use]
    pub fn private_key_jwt_not_configured() -> Self {
        Self::new(
            422,
            "PRIVATE_KEY_JWT_NOT_CONFIGURED",
            "PRIVATE_KEY_JWT has not been arranged for this application's sink: use ACCESSTOKEN",
        )
    }
}
