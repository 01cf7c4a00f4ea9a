//! QoS profiles: what a session can ask for, as the operator's data.

mod defaults;

use std::time::Duration;

/// The name of a profile: 3 to 256 of `a-z A-Z 0-9 _ . -` (CAMARA schema `QosProfileName`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(Box<str>);

/// The text is not the name of any profile, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a profile's name is 3 to 256 letters, digits, '_', '.' or '-', such as QOS_L")]
pub struct InvalidProfileName;

/// A profile: what the network is asked for, in CAMARA's and in 3GPP's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QosProfile {
    /// What requests call it.
    pub name: ProfileName,
    /// One sentence for people.
    pub description: Box<str>,
    /// From the network to the device.
    pub downlink: Rates,
    /// From the device to the network.
    pub uplink: Rates,
    /// The longest that a packet may take between device and network edge.
    pub packet_delay_budget: Duration,
    /// CAMARA's priority, 1 to 100, the lower the sooner.
    pub priority: u8,
    /// The 5QI (TS 23.501, table 5.7.4-1).
    pub five_qi: u8,
    /// Allocation and retention priority (TS 23.501, 5.7.2.2).
    pub arp: Arp,
    /// The shortest duration that a session may ask for.
    pub min_duration: Duration,
    /// The longest duration that a session may ask for.
    pub max_duration: Duration,
}

/// Rates of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// What the network keeps free for the flow (GBR); none for a profile that only goes first.
    pub guaranteed: Option<BitRate>,
    /// What the flow gets at most (MBR).
    pub maximum: BitRate,
}

/// Bits per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BitRate(u64);

impl BitRate {
    /// Thousands of bits per second.
    #[must_use]
    pub const fn from_kbps(kbps: u64) -> Self {
        Self(kbps * 1_000)
    }

    /// Millions of bits per second.
    #[must_use]
    pub const fn from_mbps(mbps: u64) -> Self {
        Self(mbps * 1_000_000)
    }

    /// Bits per second.
    #[must_use]
    pub const fn bps(self) -> u64 {
        self.0
    }
}

/// Who gives way when the network is full (TS 23.501, 5.7.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// 1 to 15, the lower the more important; 9 to 15 are for ordinary services.
    pub priority_level: u8,
    /// May take the place of a less important flow.
    pub preempts: bool,
    /// May lose its place to a more important flow.
    pub preemptible: bool,
}

/// The profiles that one gateway offers.
#[derive(Clone, Debug)]
pub struct Catalogue {
    profiles: Vec<QosProfile>,
}

impl Catalogue {
    /// The thirteen profiles that Nokia's documentation names, with CAMARA's reference rates.
    #[must_use]
    pub fn nokia() -> Self {
        Self { profiles: defaults::profiles() }
    }

    /// The profile of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&QosProfile> {
        self.profiles.iter().find(|profile| profile.name.as_str() == name)
    }

    /// All profiles, in the order in which they are shown.
    pub fn iter(&self) -> impl Iterator<Item = &QosProfile> {
        self.profiles.iter()
    }
}

impl ProfileName {
    /// Takes `text` as it is, if it has the form of a name.
    pub fn parse(text: &str) -> Result<Self, InvalidProfileName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if (3..=256).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidProfileName)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(ProfileName::parse("QOS_L").is_ok());
        assert!(ProfileName::parse(&"x".repeat(256)).is_ok());
        for bad in ["", "Q", "QO", "QOS L", "QOS/L", "QÖS", &"x".repeat(257)] {
            assert_eq!(ProfileName::parse(bad), Err(InvalidProfileName), "{bad:?}");
        }
    }
}
