//! What a refusal is called, as the API of the rules says it.

use greenwave_core::rules::Codes;
use greenwave_core::{InvalidRequest, Refusal, RuleSet, Subject};

use super::ErrorInfo;

impl ErrorInfo {
    /// A request that can be read but not accepted.
    #[must_use]
    pub fn of_invalid(invalid: &InvalidRequest, rules: &RuleSet) -> Self {
        match (invalid, rules.codes) {
            (InvalidRequest::DurationOutOfRange { .. }, Codes::Early) => {
                Self::out_of_range("duration", invalid)
            }
            (InvalidRequest::DurationOutOfRange { .. }, Codes::Stable) => {
                let code = "QUALITY_ON_DEMAND.DURATION_OUT_OF_RANGE";
                Self::new(400, code, format!("duration: {invalid}"))
            }
            (InvalidRequest::DurationMissing, _) => Self::invalid_argument("duration", invalid),
            (InvalidRequest::UnknownProfile { .. }, _)
            | (InvalidRequest::ProfileNotApplicable { .. }, Codes::Early) => {
                Self::invalid_argument("qosProfile", invalid)
            }
            (InvalidRequest::ProfileNotApplicable { .. }, Codes::Stable) => {
                let code = match rules.subject {
                    Subject::Session => "QUALITY_ON_DEMAND.QOS_PROFILE_NOT_APPLICABLE",
                    Subject::Assignment => "QOS_PROVISIONING.QOS_PROFILE_NOT_APPLICABLE",
                };
                Self::new(422, code, format!("qosProfile: {invalid}"))
            }
        }
    }

    /// A command that was refused.
    #[must_use]
    pub fn of_refusal(refusal: &Refusal, rules: &RuleSet) -> Self {
        match refusal {
            Refusal::Unknown => Self::unknown(rules.subject),
            Refusal::Foreign => Self::foreign(rules.subject),
            Refusal::Conflict => Self::new(
                409,
                "CONFLICT",
                "Another session exists for this device with an overlapping flow: choose another \
                 application server or other ports, or try again later",
            ),
            Refusal::OwnConflict(session) => Self::new(
                409,
                "CONFLICT",
                format!(
                    "Your session {session} exists for this device with an overlapping flow: \
                     extend it, or delete it first"
                ),
            ),
            Refusal::Assigned => Self::new(
                409,
                "CONFLICT",
                "A QoS assignment exists for this device: it has to be revoked first",
            ),
            Refusal::TooManySessions { limit } => Self::new(
                429,
                "QUOTA_EXCEEDED",
                format!("You have {limit} live sessions for this device: delete one of them first"),
            ),
            Refusal::DeviceBusy => Self::new(
                503,
                "UNAVAILABLE",
                "The network is still releasing past sessions of this device: try again later",
            ),
            Refusal::NoOrphan => Self::new(
                409,
                "CONFLICT",
                "The network is still asked to release this session: only an orphan can be cleared",
            ),
            Refusal::NotActive => match rules.codes {
                Codes::Early => {
                    Self::new(400, "INVALID_ARGUMENT", "The target session is inactive")
                }
                Codes::Stable => Self::new(
                    409,
                    "QUALITY_ON_DEMAND.SESSION_EXTENSION_NOT_ALLOWED",
                    "Only a session that is AVAILABLE can be extended: wait until it is, or \
                     create a new one",
                ),
            },
        }
    }

    /// None of this id, or none any more.
    #[must_use]
    pub fn unknown(subject: Subject) -> Self {
        let what = match subject {
            Subject::Session => "session",
            Subject::Assignment => "QoS assignment",
        };
        let message = format!("There is no {what} with this id: it has ended, or never existed");
        Self::new(404, "NOT_FOUND", message)
    }

    /// Another application's, or another device's.
    #[must_use]
    pub fn foreign(subject: Subject) -> Self {
        let what = match subject {
            Subject::Session => "session",
            Subject::Assignment => "QoS assignment",
        };
        let message = format!(
            "This {what} was created by another application, or for another device than the access \
             token is for: use the credential that created it"
        );
        Self::new(403, "PERMISSION_DENIED", message)
    }

    /// The device has none.
    #[must_use]
    pub fn no_assignment() -> Self {
        Self::new(404, "NOT_FOUND", "There is no QoS assignment for this device")
    }
}

#[cfg(test)]
mod tests {
    use greenwave_core::RuleSetId;

    use super::*;

    #[test]
    fn a_conflict_tells_nothing_of_the_other_application() {
        let error = ErrorInfo::of_refusal(&Refusal::Conflict, RuleSetId::NokiaV0.rules());
        assert_eq!((error.status, error.code), (409, "CONFLICT"));
        assert!(!error.message.contains('-'), "no session id: {}", error.message);
    }
}
