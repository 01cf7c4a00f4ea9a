//! What is said of a device that a request names, or does not (CAMARA design guide, "API device
//! identification").

use super::ErrorInfo;
use greenwave_core::RuleSet;
use greenwave_core::rules::Codes;

impl ErrorInfo {
    /// The directory knows no such device.
    #[must_use]
    pub fn unknown_device(field: &str, known: &str, rules: &RuleSet) -> Self {
        match rules.codes {
            Codes::Early => Self::new(
                400,
                "INVALID_ARGUMENT",
                format!("Unable to identify device: {field} is not known here; {known}"),
            ),
            Codes::Stable => Self::new(
                404,
                "IDENTIFIER_NOT_FOUND",
                format!("Device identifier not found: {field} is not known here; {known}"),
            ),
        }
    }

    /// None of the identifiers is one that these rules go by.
    #[must_use]
    pub fn unsupported_identifier(rules: &RuleSet) -> Self {
        match rules.codes {
            Codes::Early => Self::new(
                400,
                "INVALID_ARGUMENT",
                "device: none of the identifiers can say which device is meant",
            ),
            Codes::Stable => Self::new(
                422,
                "UNSUPPORTED_IDENTIFIER",
                "The identifier provided is not supported: name the device by phoneNumber, \
                 ipv4Address or ipv6Address",
            ),
        }
    }

    /// The device is known, and the service is not offered to it.
    #[must_use]
    pub fn not_served(rules: &RuleSet) -> Self {
        let message = "The service is not available for the provided identifier: the network \
                       does not offer it, or not this profile, to this device";
        match rules.codes {
            Codes::Early => Self::new(400, "INVALID_ARGUMENT", message),
            Codes::Stable => Self::new(422, "SERVICE_NOT_APPLICABLE", message),
        }
    }

    /// Neither the request nor its token says which device is meant.
    #[must_use]
    pub fn missing_identifier() -> Self {
        Self::new(
            422,
            "MISSING_IDENTIFIER",
            "The device cannot be identified: name it in the property device, or send a token \
             that is bound to one",
        )
    }

    /// The token says which device is meant, and the request does, too.
    #[must_use]
    pub fn unnecessary_identifier() -> Self {
        Self::new(
            422,
            "UNNECESSARY_IDENTIFIER",
            "The device is already identified by the access token: leave the property device out",
        )
    }
}
