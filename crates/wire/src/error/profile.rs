//! What is said of profiles.

use std::fmt::Display;

use super::ErrorInfo;

impl ErrorInfo {
    /// No profile of this name, or none for the one who asks.
    #[must_use]
    pub fn unknown_profile() -> Self {
        Self::new(404, "NOT_FOUND", "There is no profile of this name that you can have")
    }

    /// The same for the operator, who can have every one.
    #[must_use]
    pub fn no_such_profile() -> Self {
        Self::new(404, "NOT_FOUND", "There is no profile of this name")
    }

    /// Profiles stay.
    #[must_use]
    pub fn profiles_stay() -> Self {
        Self::new(
            405,
            "METHOD_NOT_ALLOWED",
            "A profile is never removed, because sessions may have it: put it with the status \
             INACTIVE, and no new session gets it",
        )
    }

    /// The profile cannot be kept beside the others.
    pub fn profile_does_not_fit(wrong: impl Display) -> Self {
        Self::new(409, "CONFLICT", wrong.to_string())
    }
}
