//! Where the published APIs differ in a rule, the difference is a value here.
//!
//! A rule set is chosen once for a request, from its path and credential. A session keeps the name
//! of the one it was made under, so that its later life follows the same rules.

use std::time::Duration;

use crate::device::IdentifierKind;

/// The name of a rule set, as a ledger keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleSetId {
    /// `/qod/v0`: CAMARA 0.10.1 with Nokia's additions.
    NokiaV0,
}

/// The rules of one API.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Its name.
    pub id: RuleSetId,
    /// What a phone number looks like.
    pub phone_number: PhoneNumberRule,
    /// The lowest port that can be asked for.
    pub lowest_port: u16,
    /// Which durations can be asked for.
    pub duration: DurationRule,
    /// What an extension may come to.
    pub extend: ExtendRule,
    /// Whether sessions of one application may overlap on one device.
    pub own_overlap: OwnOverlap,
    /// Of several identifiers, the first of these that was given says which device is meant.
    pub deciding_identifiers: &'static [IdentifierKind],
    /// How long a session that the network ended stays readable.
    pub readable_after_network_end: Duration,
}

/// What a phone number looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneNumberRule {
    /// `^\+?[0-9]{5,15}$`
    PlusOptional,
    /// `^\+[1-9][0-9]{4,14}$`
    E164,
}

/// Which durations can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationRule {
    /// What a request without a duration gets; `None` where it has to name one.
    pub default: Option<Duration>,
    /// The longest that any profile grants.
    pub maximum: Duration,
}

/// What an extension may come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtendRule {
    /// The time left is at most `maximum`; also while the session is still requested.
    Remaining {
        /// The most that may be left.
        maximum: Duration,
        /// The most that can be asked for in one go.
        largest_step: Duration,
    },
    /// The whole duration is at most the profile's; only while the session is available.
    Overall,
}

/// Whether sessions of one application may overlap on one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnOverlap {
    /// They may; precedence says which one a packet belongs to.
    Allowed,
    /// The second is refused.
    Conflict,
}

const DAY: Duration = Duration::from_secs(86_400);

const NOKIA_V0: RuleSet = RuleSet {
    id: RuleSetId::NokiaV0,
    phone_number: PhoneNumberRule::PlusOptional,
    lowest_port: 0,
    duration: DurationRule { default: Some(DAY), maximum: DAY },
    extend: ExtendRule::Remaining { maximum: DAY, largest_step: Duration::from_secs(86_399) },
    own_overlap: OwnOverlap::Allowed,
    deciding_identifiers: &[
        IdentifierKind::NetworkAccessIdentifier,
        IdentifierKind::PhoneNumber,
        IdentifierKind::Ipv4Address,
        IdentifierKind::Ipv6Address,
    ],
    readable_after_network_end: Duration::from_secs(360),
};

/// A number that is no port under its rule set. The message says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given} is not a port: a port is a whole number from {lowest} to 65535")]
pub struct PortOutOfRange {
    /// The number given.
    pub given: i64,
    /// The lowest port that can be asked for.
    pub lowest: u16,
}

impl RuleSet {
    /// The port of this number, if it is one.
    pub fn port(&self, given: i64) -> Result<u16, PortOutOfRange> {
        u16::try_from(given)
            .ok()
            .filter(|&port| port >= self.lowest_port)
            .ok_or(PortOutOfRange { given, lowest: self.lowest_port })
    }
}

impl RuleSetId {
    /// The rules of this name.
    #[must_use]
    pub fn rules(self) -> &'static RuleSet {
        match self {
            Self::NokiaV0 => &NOKIA_V0,
        }
    }

    /// The number by which a ledger keeps it; never used for anything else.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::NokiaV0 => 1,
        }
    }

    /// The rule set kept under this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::NokiaV0),
            _ => None,
        }
    }
}
