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
    /// `/quality-on-demand/v1` for Nokia's clients.
    NokiaV1,
    /// `/quality-on-demand/v1`: CAMARA r3.2.
    CamaraR32,
    /// `/quality-on-demand/v1rc3`: CAMARA r4.1.
    CamaraR41,
    /// `/qos-provisioning/v0.3`: CAMARA r3.2.
    ProvisioningR32,
    /// `/qos-provisioning/v0.4rc1`: CAMARA r4.1.
    ProvisioningR41,
}

/// What an API is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Quality for one flow of a device, for a while.
    Session,
    /// Quality for all traffic of a device, until somebody ends it. A device has one at most.
    Assignment,
}

/// How an API refuses: the codes that its clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codes {
    /// Those of CAMARA 0.10.1.
    Early,
    /// Those of CAMARA's first stable releases.
    Stable,
}

/// The rules of one API.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Its name.
    pub id: RuleSetId,
    /// What it is about.
    pub subject: Subject,
    /// How it refuses.
    pub codes: Codes,
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
    /// How long what was deleted stays readable, if it does.
    pub readable_after_delete: Option<Duration>,
    /// Whether identifiers that come with the deciding one become names of the same device.
    pub learns_names: bool,
    /// How an application server can be named.
    pub server: ServerRule,
    /// Which URLs events may go to.
    pub sink: SinkRule,
    /// What a receiver of events can be shown.
    pub sink_credential: CredentialRule,
    /// What of the kind of its sink's access token a request has to say.
    pub token_details: TokenDetails,
    /// What a client is shown of the device that it has named.
    pub device_shown: DeviceShown,
    /// What is to become of members of a request that no definition knows.
    pub unknown_members: UnknownMembers,
    /// What a member that is `null` is.
    pub null_members: NullMembers,
}

/// What is to become of members of a request that no definition knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownMembers {
    /// They are read over.
    ReadOver,
    /// The request is refused.
    Refused,
}

/// What a member that is `null` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullMembers {
    /// As good as not there.
    Absent,
    /// Of the wrong type.
    Refused,
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
    /// The longest that can be had, whatever a profile grants; `None` if the profile alone says.
    pub maximum: Option<Duration>,
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

/// How an application server can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerRule {
    /// By an address or network of each version.
    OneOfEach,
    /// Likewise, or by a list of single addresses.
    OneOfEachOrList,
}

/// What a receiver of events can be shown, beside an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialRule {
    /// Nothing; other kinds are known by name, and refused as such.
    TokenAlone,
    /// A token that the gateway gets for itself with `PRIVATE_KEY_JWT`, where that is arranged.
    TokenOrPrivateKey,
}

/// What of the kind of its sink's access token a request has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenDetails {
    /// When it expires, and of which type it is.
    Required,
    /// Nothing: it is a bearer token that lasts.
    Optional,
}

/// What a client is shown of the device that it has named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceShown {
    /// All that it said.
    Whole,
    /// The one identifier that counts.
    OneIdentifier,
}

/// Which URLs events may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkRule {
    /// `http` and `https`.
    Any,
    /// `https` alone.
    Https,
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

const SIX_MINUTES: Duration = Duration::from_secs(360);

const NOKIA_V0: RuleSet = RuleSet {
    id: RuleSetId::NokiaV0,
    subject: Subject::Session,
    codes: Codes::Early,
    phone_number: PhoneNumberRule::PlusOptional,
    lowest_port: 0,
    duration: DurationRule { default: Some(DAY), maximum: Some(DAY) },
    extend: ExtendRule::Remaining { maximum: DAY, largest_step: Duration::from_secs(86_399) },
    own_overlap: OwnOverlap::Allowed,
    deciding_identifiers: &[
        IdentifierKind::NetworkAccessIdentifier,
        IdentifierKind::PhoneNumber,
        IdentifierKind::Ipv4Address,
        IdentifierKind::Ipv6Address,
    ],
    readable_after_network_end: SIX_MINUTES,
    readable_after_delete: None,
    learns_names: true,
    server: ServerRule::OneOfEach,
    sink: SinkRule::Any,
    sink_credential: CredentialRule::TokenAlone,
    token_details: TokenDetails::Optional,
    device_shown: DeviceShown::Whole,
    unknown_members: UnknownMembers::ReadOver,
    null_members: NullMembers::Absent,
};

const NOKIA_V1: RuleSet = RuleSet { id: RuleSetId::NokiaV1, codes: Codes::Stable, ..NOKIA_V0 };

const CAMARA_R32: RuleSet = RuleSet {
    id: RuleSetId::CamaraR32,
    subject: Subject::Session,
    codes: Codes::Stable,
    phone_number: PhoneNumberRule::E164,
    lowest_port: 0,
    duration: DurationRule { default: None, maximum: None },
    extend: ExtendRule::Overall,
    own_overlap: OwnOverlap::Conflict,
    deciding_identifiers: &[
        IdentifierKind::PhoneNumber,
        IdentifierKind::Ipv4Address,
        IdentifierKind::Ipv6Address,
    ],
    readable_after_network_end: SIX_MINUTES,
    readable_after_delete: None,
    learns_names: false,
    server: ServerRule::OneOfEach,
    sink: SinkRule::Https,
    sink_credential: CredentialRule::TokenAlone,
    token_details: TokenDetails::Required,
    device_shown: DeviceShown::OneIdentifier,
    unknown_members: UnknownMembers::ReadOver,
    null_members: NullMembers::Refused,
};

const CAMARA_R41: RuleSet = RuleSet {
    id: RuleSetId::CamaraR41,
    lowest_port: 1,
    server: ServerRule::OneOfEachOrList,
    sink_credential: CredentialRule::TokenOrPrivateKey,
    unknown_members: UnknownMembers::Refused,
    ..CAMARA_R32
};

const PROVISIONING_R32: RuleSet = RuleSet {
    id: RuleSetId::ProvisioningR32,
    subject: Subject::Assignment,
    readable_after_delete: Some(SIX_MINUTES),
    ..CAMARA_R32
};

const PROVISIONING_R41: RuleSet = RuleSet {
    id: RuleSetId::ProvisioningR41,
    lowest_port: 1,
    sink_credential: CredentialRule::TokenOrPrivateKey,
    unknown_members: UnknownMembers::Refused,
    ..PROVISIONING_R32
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
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::NokiaV0,
        Self::NokiaV1,
        Self::CamaraR32,
        Self::CamaraR41,
        Self::ProvisioningR32,
        Self::ProvisioningR41,
    ];

    /// The rules of this name.
    #[must_use]
    pub fn rules(self) -> &'static RuleSet {
        match self {
            Self::NokiaV0 => &NOKIA_V0,
            Self::NokiaV1 => &NOKIA_V1,
            Self::CamaraR32 => &CAMARA_R32,
            Self::CamaraR41 => &CAMARA_R41,
            Self::ProvisioningR32 => &PROVISIONING_R32,
            Self::ProvisioningR41 => &PROVISIONING_R41,
        }
    }

    /// The number by which a ledger keeps it; never used for anything else.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::NokiaV0 => 1,
            Self::NokiaV1 => 2,
            Self::CamaraR32 => 3,
            Self::CamaraR41 => 4,
            Self::ProvisioningR32 => 5,
            Self::ProvisioningR41 => 6,
        }
    }

    /// The rule set kept under this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.code() == code)
    }

    /// What it is about.
    #[must_use]
    pub fn subject(self) -> Subject {
        self.rules().subject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_sets_are_found_by_their_codes_and_have_their_own_name() {
        for id in RuleSetId::ALL {
            assert_eq!(RuleSetId::from_code(id.code()), Some(id));
            assert_eq!(id.rules().id, id);
        }
        assert_eq!(RuleSetId::from_code(0), None);
        assert_eq!(RuleSetId::from_code(7), None);
    }
}
