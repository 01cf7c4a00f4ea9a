//! The profiles that a gateway starts with.
//!
//! S, M and L stand for 4, 8 and 20 Mbit/s (CAMARA's profile mapping table); they are put first and
//! promised no minimum. `QOS_E` is the one for stable delay, at a low, guaranteed rate.

use std::num::NonZeroU8;
use std::time::Duration;

use super::{Arp, BitRate, OneTo, ProfileName, ProfileStatus, QosProfile, Rates};

const DAY: Duration = Duration::from_secs(86_400);

const SIZES: [(&str, BitRate); 3] =
    [("S", BitRate::from_mbps(4)), ("M", BitRate::from_mbps(8)), ("L", BitRate::from_mbps(20))];

/// The four `QOS_*` and the nine `DOWNLINK_*_UPLINK_*` profiles.
pub(super) fn profiles() -> Vec<QosProfile> {
    let mut profiles = vec![low_delay()];
    for (size, rate) in SIZES {
        profiles.push(prioritised(&format!("QOS_{size}"), rate, rate));
    }
    for (down, downlink) in SIZES {
        for (up, uplink) in SIZES {
            profiles.push(prioritised(&format!("DOWNLINK_{down}_UPLINK_{up}"), downlink, uplink));
        }
    }
    profiles
}

fn low_delay() -> QosProfile {
    let rates = Rates::guaranteed_at(BitRate::from_kbps(500));
    QosProfile {
        packet_delay_budget: Duration::from_millis(50),
        priority: const { OneTo::new(30).unwrap() },
        five_qi: const { NonZeroU8::new(3).unwrap() },
        arp: Arp { priority_level: const { OneTo::new(9).unwrap() }, ..ARP },
        ..profile("QOS_E", "Stable delay under congestion, at 0.5 Mbit/s each way", rates, rates)
    }
}

fn prioritised(name: &str, downlink: BitRate, uplink: BitRate) -> QosProfile {
    let description = format!(
        "Goes first, up to {} Mbit/s down and {} Mbit/s up, without a guaranteed minimum",
        downlink.bps() / 1_000_000,
        uplink.bps() / 1_000_000
    );
    profile(name, &description, Rates::up_to(downlink), Rates::up_to(uplink))
}

const ARP: Arp =
    Arp { priority_level: const { OneTo::new(11).unwrap() }, preempts: false, preemptible: true };

/// A profile with what most of them have.
fn profile(name: &str, description: &str, downlink: Rates, uplink: Rates) -> QosProfile {
    QosProfile {
        name: ProfileName(name.into()),
        description: description.into(),
        status: ProfileStatus::Active,
        countries: Vec::new(),
        only_for: None,
        downlink,
        uplink,
        packet_delay_budget: Duration::from_millis(100),
        jitter: None,
        packet_error_loss_rate: None,
        priority: const { OneTo::new(70).unwrap() },
        l4s_queue_type: None,
        service_class: None,
        five_qi: const { NonZeroU8::new(7).unwrap() },
        arp: ARP,
        min_duration: Duration::from_secs(1),
        max_duration: DAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirteen_profiles_with_good_names() {
        let profiles = profiles();
        assert_eq!(profiles.len(), 13);
        for profile in &profiles {
            assert_eq!(ProfileName::parse(profile.name.as_str()).as_ref(), Ok(&profile.name));
            assert_eq!(profile.status, ProfileStatus::Active);
            assert!(profile.min_duration <= profile.max_duration);
        }
    }

    #[test]
    fn uplink_and_downlink_are_not_mixed_up() {
        let profiles = profiles();
        let find = |name| profiles.iter().find(|profile| profile.name.as_str() == name).unwrap();
        let profile = find("DOWNLINK_L_UPLINK_S");
        assert_eq!(profile.downlink.maximum(), BitRate::from_mbps(20));
        assert_eq!(profile.uplink.maximum(), BitRate::from_mbps(4));
        assert_eq!(profile.downlink.maximum().bps(), 20_000_000);
        assert_eq!(find("QOS_E").uplink.guaranteed(), Some(BitRate::from_kbps(500)));
        assert_eq!(BitRate::from_kbps(500).bps(), 500_000);
    }
}
