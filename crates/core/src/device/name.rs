//! Names of devices: phone numbers and network access identifiers.

use crate::Pii;
use crate::rules::PhoneNumberRule;

/// A phone number that its rule set accepts, in the text of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneNumber(Pii<Box<str>>);

/// A name of a subscription in a network, `local@domain` (RFC 7542; 3GPP external identifier).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkAccessIdentifier(Pii<Box<str>>);

/// Why a text is not a name of a device. The message says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Not a phone number under [`PhoneNumberRule::PlusOptional`].
    #[error(
        "a phone number is 5 to 15 digits, with or without a leading '+', and has no spaces, \
         parentheses or dashes"
    )]
    PhoneNumber,
    /// Not a phone number under [`PhoneNumberRule::E164`].
    #[error(
        "a phone number is '+' and 5 to 15 digits, the first of them not 0 (E.164), and has no \
         spaces, parentheses or dashes"
    )]
    PhoneNumberE164,
    /// Not `local@domain`.
    #[error(
        "a network access identifier is local@domain, such as device@testcsp.net, without spaces \
         and of at most 253 characters"
    )]
    NetworkAccessIdentifier,
}

impl PhoneNumber {
    /// Takes `text` as it is, if `rule` accepts it.
    pub fn parse(text: &str, rule: PhoneNumberRule) -> Result<Self, InvalidName> {
        if rule.accepts(text) {
            return Ok(Self(Pii::new(text.into())));
        }
        Err(match rule {
            PhoneNumberRule::PlusOptional => InvalidName::PhoneNumber,
            PhoneNumberRule::E164 => InvalidName::PhoneNumberE164,
        })
    }

    /// The text of the request.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.expose()
    }

    /// The digits alone: the same for `+3672…` and `3672…`, which are one number.
    #[must_use]
    pub fn digits(&self) -> &str {
        let text = self.text();
        text.strip_prefix('+').unwrap_or(text)
    }
}

impl NetworkAccessIdentifier {
    const MAX_LENGTH: usize = 253;

    /// Takes `text` as it is, if it has the form `local@domain`.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let well_formed = text.len() <= Self::MAX_LENGTH
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && text.rsplit_once('@').is_some_and(|(local, domain)| {
                !local.is_empty() && !domain.is_empty() && !local.contains('@')
            });
        if well_formed {
            Ok(Self(Pii::new(text.into())))
        } else {
            Err(InvalidName::NetworkAccessIdentifier)
        }
    }

    /// The text of the request.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.expose()
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.text().rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// What stands after the `@`, in lower case: the case of a realm means nothing (RFC 7542, 2.4).
    #[must_use]
    pub fn domain(&self) -> String {
        self.text().rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_lowercase())
    }
}

impl PhoneNumberRule {
    /// Whether `text` is a phone number under this rule.
    #[must_use]
    pub fn accepts(self, text: &str) -> bool {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        match self {
            Self::PlusOptional => (5..=15).contains(&digits.len()),
            Self::E164 => {
                text.starts_with('+')
                    && (5..=15).contains(&digits.len())
                    && !digits.starts_with('0')
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_with_an_optional_plus() {
        let rule = PhoneNumberRule::PlusOptional;
        for good in ["36721601234567", "+36721601234567", "12345", "+123456789012345", "01234"] {
            assert_eq!(PhoneNumber::parse(good, rule).unwrap().text(), good);
        }
        for bad in [
            "",
            "+",
            "1234",
            "1234567890123456",
            "+36 72 160",
            "(36)7212345",
            "36-721601",
            "++36721",
            "36721a",
            "３６７２１６",
            " 36721601234567",
        ] {
            assert_eq!(PhoneNumber::parse(bad, rule), Err(InvalidName::PhoneNumber), "{bad:?}");
        }
    }

    #[test]
    fn phone_numbers_of_e164() {
        let rule = PhoneNumberRule::E164;
        assert!(PhoneNumber::parse("+36721601234567", rule).is_ok());
        for bad in ["36721601234567", "+06721601234567", "+1234", "+1234567890123456"] {
            assert_eq!(PhoneNumber::parse(bad, rule), Err(InvalidName::PhoneNumberE164));
        }
    }

    #[test]
    fn a_number_is_the_same_with_and_without_plus() {
        let parse = |text| PhoneNumber::parse(text, PhoneNumberRule::PlusOptional).unwrap();
        assert_eq!(parse("+36721").digits(), "36721");
        assert_eq!(parse("36721").digits(), "36721");
    }

    #[test]
    fn network_access_identifiers() {
        let nai = NetworkAccessIdentifier::parse("Device-1@TestCSP.net").unwrap();
        assert_eq!((nai.local(), nai.domain().as_str()), ("Device-1", "testcsp.net"));
        for bad in ["", "device", "@testcsp.net", "device@", "a b@c", "a@b@c", "a@b\n"] {
            assert_eq!(
                NetworkAccessIdentifier::parse(bad),
                Err(InvalidName::NetworkAccessIdentifier),
                "{bad:?}"
            );
        }
        assert!(NetworkAccessIdentifier::parse(&format!("{}@b.c", "a".repeat(250))).is_err());
    }
}
