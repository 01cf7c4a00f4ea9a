//! QoS profiles: what a session can ask for, as the operator's data.

mod availability;
mod catalogue;
mod defaults;
mod named;
mod period;
mod rate;

use std::num::NonZeroU8;
use std::time::Duration;

use self::named::named;
use crate::device::Device;

pub use availability::{Country, CountryCode, Plmn};
pub use catalogue::{Catalogue, CurrentCatalogue, InvalidCatalogue};
pub use period::{LARGEST_PERIOD, TimeUnit};
pub use rate::{BitRate, RateUnit};

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
    /// One sentence for people; may be empty.
    pub description: Box<str>,
    /// Whether it can be asked for.
    pub status: ProfileStatus,
    /// Where it can be had; empty where nothing is said of that.
    pub countries: Vec<Country>,
    /// The devices that it is for, and shown to; `None` if it is for all.
    pub only_for: Option<Vec<Device>>,
    /// From the network to the device.
    pub downlink: Rates,
    /// From the device to the network.
    pub uplink: Rates,
    /// The longest that a packet may take between device and network edge.
    pub packet_delay_budget: Duration,
    /// By how much the round trip may vary, for 99 of 100 packets (ITU-T Y.1540).
    pub jitter: Option<Duration>,
    /// The share of packets that may be lost, as a power of ten: 3 is one in a thousand.
    pub packet_error_loss_rate: Option<OneTo<10>>,
    /// CAMARA's priority, the lower the sooner.
    pub priority: OneTo<100>,
    /// What it does for traffic that reacts to congestion at once (RFC 9330).
    pub l4s_queue_type: Option<L4sQueueType>,
    /// What kind of application it is made for.
    pub service_class: Option<ServiceClass>,
    /// The 5QI (TS 23.501, table 5.7.4-1).
    pub five_qi: NonZeroU8,
    /// Allocation and retention priority (TS 23.501, 5.7.2.2).
    pub arp: Arp,
    /// The shortest duration that a session may ask for.
    pub min_duration: Duration,
    /// The longest duration that a session may ask for, extensions included: a second at least.
    pub max_duration: Duration,
}

impl QosProfile {
    /// Whether everybody can ask for it.
    #[must_use]
    pub fn is_offered_to_all(&self) -> bool {
        self.only_for.is_none() && self.status.can_be_asked_for()
    }
}

named! {
    /// Whether a profile can be asked for (CAMARA schema `QosProfileStatusEnum`). Sessions that
    /// have it keep it either way.
    pub enum ProfileStatus {
        /// It can.
        Active = "ACTIVE",
        /// It cannot, for now.
        Inactive = "INACTIVE",
        /// It cannot any more.
        Deprecated = "DEPRECATED",
    }
}

named! {
    /// Which queue the network has for L4S (RFC 9330; experimental in CAMARA).
    pub enum L4sQueueType {
        /// A queue that knows nothing of it.
        NonL4s = "non-l4s-queue",
        /// A queue for such traffic alone.
        L4s = "l4s-queue",
        /// One queue for such traffic and for other.
        Mixed = "mixed-queue",
    }
}

named! {
    /// What kind of application a profile is made for (RFC 4594; experimental in CAMARA).
    pub enum ServiceClass {
        /// Microsoft's `QOSTrafficTypeVoice` and `Control` (CS7).
        MicrosoftVoice = "microsoft_voice",
        /// Microsoft's `QOSTrafficTypeExcellentEffort` and `AudioVideo` (CS5).
        MicrosoftAudioVideo = "microsoft_audio_video",
        /// Conferences and games (CS4).
        RealTimeInteractive = "real_time_interactive",
        /// Video and audio on demand (AF31).
        MultimediaStreaming = "multimedia_streaming",
        /// Television and events as they happen (CS3).
        BroadcastVideo = "broadcast_video",
        /// Short exchanges that people wait for (AF21).
        LowLatencyData = "low_latency_data",
        /// Much that is stored and sent on (AF11).
        HighThroughputData = "high_throughput_data",
        /// What can wait (CS1).
        LowPriorityData = "low_priority_data",
        /// Everything else (DF).
        Standard = "standard",
    }
}

impl ProfileStatus {
    /// Whether new sessions can ask for it.
    #[must_use]
    pub fn can_be_asked_for(self) -> bool {
        self == Self::Active
    }
}

/// A whole number from 1 to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OneTo<const MOST: u8>(u8);

impl<const MOST: u8> OneTo<MOST> {
    /// The largest one.
    pub const MAX: Self = Self(MOST);

    /// The number, if it is one of these.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if 1 <= number && number <= MOST { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// Rates of one direction: guaranteed ≤ maximum ≤ burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    guaranteed: Option<BitRate>,
    maximum: BitRate,
    burst: Option<BitRate>,
}

/// Rates that contradict each other. The message says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRates {
    /// More is guaranteed than there is at most.
    #[error("the rate that is aimed at must not be above the maximum rate")]
    GuaranteedAboveMaximum,
    /// Bursts are slower than the rest.
    #[error("the burst rate must not be below the maximum rate")]
    BurstBelowMaximum,
}

impl Rates {
    /// Puts the rates of one direction together.
    pub fn new(
        guaranteed: Option<BitRate>,
        maximum: BitRate,
        burst: Option<BitRate>,
    ) -> Result<Self, InvalidRates> {
        if guaranteed.is_some_and(|guaranteed| guaranteed > maximum) {
            return Err(InvalidRates::GuaranteedAboveMaximum);
        }
        if burst.is_some_and(|burst| burst < maximum) {
            return Err(InvalidRates::BurstBelowMaximum);
        }
        Ok(Self { guaranteed, maximum, burst })
    }

    /// What goes first, up to this rate, and is promised no minimum.
    #[must_use]
    pub fn up_to(maximum: BitRate) -> Self {
        Self { guaranteed: None, maximum, burst: None }
    }

    /// What has exactly this rate, kept free for it.
    #[must_use]
    pub fn guaranteed_at(rate: BitRate) -> Self {
        Self { guaranteed: Some(rate), maximum: rate, burst: None }
    }

    /// What the network keeps free for the flow (GBR), which CAMARA calls the target minimum; none
    /// for a profile that only goes first.
    #[must_use]
    pub fn guaranteed(&self) -> Option<BitRate> {
        self.guaranteed
    }

    /// What the flow gets at most (MBR).
    #[must_use]
    pub fn maximum(&self) -> BitRate {
        self.maximum
    }

    /// What it gets at most for a moment, where that is more.
    #[must_use]
    pub fn burst(&self) -> Option<BitRate> {
        self.burst
    }
}

/// Who gives way when the network is full (TS 23.501, 5.7.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// The lower the more important; 9 to 15 are for ordinary services.
    pub priority_level: OneTo<15>,
    /// May take the place of a less important flow.
    pub preempts: bool,
    /// May lose its place to a more important flow.
    pub preemptible: bool,
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

    #[test]
    fn rates_do_not_contradict_each_other() {
        let mbps = BitRate::from_mbps;
        assert!(Rates::new(Some(mbps(1)), mbps(1), Some(mbps(1))).is_ok());
        let above = Rates::new(Some(mbps(2)), mbps(1), None);
        assert_eq!(above, Err(InvalidRates::GuaranteedAboveMaximum));
        let below = Rates::new(None, mbps(2), Some(mbps(1)));
        assert_eq!(below, Err(InvalidRates::BurstBelowMaximum));
    }

    #[test]
    fn a_number_is_one_of_its_range() {
        assert_eq!(OneTo::<10>::new(0), None);
        assert_eq!(OneTo::<10>::new(10).map(OneTo::get), Some(10));
        assert_eq!(OneTo::<10>::new(11), None);
    }

    #[test]
    fn statuses_have_camaras_names() {
        assert_eq!(ProfileStatus::names(), "ACTIVE, INACTIVE, DEPRECATED");
        assert_eq!(ProfileStatus::parse("active"), None);
        assert!(!ProfileStatus::Deprecated.can_be_asked_for());
    }
}
