//! The profiles that a gateway starts with.
//!
//! S, M and L stand for 4, 8 and 20 Mbit/s (CAMARA's profile mapping table); they are put first and
//! promised no minimum. `QOS_E` is the one for stable delay, at a low, guaranteed rate.

use std::time::Duration;

use super::{Arp, BitRate, ProfileName, QosProfile, Rates};

const DAY: Duration = Duration::from_secs(86_400);

const SIZES: [(&str, BitRate); 3] =
    [("S", BitRate::from_mbps(4)), ("M", BitRate::from_mbps(8)), ("L", BitRate::from_mbps(20))];

/// The four `QOS_*` and the nine `DOWNLINK_*_UPLINK_*` profiles.
pub(super) fn profiles() -> Vec<QosProfile> {
    let mut profiles = vec![low_delay()];
    for (size, rate) in SIZES {
        profiles.push(prioritised(format!("QOS_{size}"), rate, rate));
    }
    for (down, downlink) in SIZES {
        for (up, uplink) in SIZES {
            profiles.push(prioritised(format!("DOWNLINK_{down}_UPLINK_{up}"), downlink, uplink));
        }
    }
    profiles
}

fn low_delay() -> QosProfile {
    let rate = BitRate::from_kbps(500);
    let rates = Rates { guaranteed: Some(rate), maximum: rate };
    QosProfile {
        name: ProfileName("QOS_E".into()),
        description: "Stable delay under congestion, at 0.5 Mbit/s each way".into(),
        downlink: rates,
        uplink: rates,
        packet_delay_budget: Duration::from_millis(50),
        priority: 30,
        five_qi: 3,
        arp: Arp { priority_level: 9, preempts: false, preemptible: true },
        min_duration: Duration::from_secs(1),
        max_duration: DAY,
    }
}

fn prioritised(name: String, downlink: BitRate, uplink: BitRate) -> QosProfile {
    let description = format!(
        "Goes first, up to {} Mbit/s down and {} Mbit/s up, without a guaranteed minimum",
        downlink.bps() / 1_000_000,
        uplink.bps() / 1_000_000
    );
    QosProfile {
        name: ProfileName(name.into()),
        description: description.into(),
        downlink: Rates { guaranteed: None, maximum: downlink },
        uplink: Rates { guaranteed: None, maximum: uplink },
        packet_delay_budget: Duration::from_millis(100),
        priority: 70,
        five_qi: 7,
        arp: Arp { priority_level: 11, preempts: false, preemptible: true },
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
            assert!((1..=100).contains(&profile.priority));
            assert!(profile.min_duration <= profile.max_duration);
        }
    }

    #[test]
    fn uplink_and_downlink_are_not_mixed_up() {
        let profiles = profiles();
        let find = |name| profiles.iter().find(|profile| profile.name.as_str() == name).unwrap();
        let profile = find("DOWNLINK_L_UPLINK_S");
        assert_eq!(profile.downlink.maximum, BitRate::from_mbps(20));
        assert_eq!(profile.uplink.maximum, BitRate::from_mbps(4));
        assert_eq!(profile.downlink.maximum.bps(), 20_000_000);
        assert_eq!(find("QOS_E").uplink.guaranteed, Some(BitRate::from_kbps(500)));
        assert_eq!(BitRate::from_kbps(500).bps(), 500_000);
    }
}
