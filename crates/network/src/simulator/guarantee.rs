//! What sessions are guaranteed, which their profiles say.
//!
//! A session keeps what its profile guaranteed when the network took it on, whatever becomes of the
//! profile. Only a network that is started again looks it up anew: its rules tell profiles by name.

use std::sync::Arc;

use greenwave_core::CurrentCatalogue;
use greenwave_core::profile::{BitRate, Rates};
use hashbrown::HashMap;

/// Which of a network's guarantees is meant. There are millions of sessions and few guarantees, so
/// a session keeps the number alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GuaranteeNumber(u16);

impl GuaranteeNumber {
    /// How many numbers there are.
    pub(super) const COUNT: usize = 1 << 14;

    /// That of nothing at all.
    pub(super) const NOTHING: Self = Self(0);

    /// The number, without the bits that no number has.
    pub(super) fn new(number: u16) -> Self {
        Self(number & (Self::COUNT as u16 - 1))
    }

    pub(super) fn get(self) -> u16 {
        self.0
    }
}

/// The guaranteed rates of a profile; 0 for one that only goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Guarantee {
    pub(super) downlink_bps: u64,
    pub(super) uplink_bps: u64,
}

/// All guarantees that profiles have had since the network was started.
#[derive(Debug)]
pub(super) struct Guarantees {
    catalogue: Arc<CurrentCatalogue>,
    /// The state of the catalogue that `profiles` is of.
    changes: u64,
    /// None for a profile that no number is left for.
    profiles: HashMap<Box<str>, Option<GuaranteeNumber>>,
    numbers: HashMap<Guarantee, GuaranteeNumber>,
    /// By their numbers.
    list: Vec<Guarantee>,
}

impl Guarantees {
    pub(super) fn new(catalogue: Arc<CurrentCatalogue>) -> Self {
        let nothing = Guarantee::default();
        let mut guarantees = Self {
            catalogue,
            changes: 0,
            profiles: HashMap::new(),
            numbers: HashMap::from([(nothing, GuaranteeNumber::NOTHING)]),
            list: vec![nothing],
        };
        guarantees.look();
        guarantees
    }

    /// What a profile guarantees now. One that is not known guarantees nothing; `None` if there are
    /// more guarantees than can be told apart, which takes thousands of changes.
    pub(super) fn of_profile(&mut self, profile: &str) -> Option<GuaranteeNumber> {
        if self.catalogue.changes() != self.changes {
            self.look();
        }
        self.profiles.get(profile).copied().unwrap_or(Some(GuaranteeNumber::NOTHING))
    }

    pub(super) fn get(&self, number: GuaranteeNumber) -> Guarantee {
        self.list.get(usize::from(number.get())).copied().unwrap_or_default()
    }

    fn look(&mut self) {
        let (catalogue, changes) = self.catalogue.now_with_changes();
        self.changes = changes;
        self.profiles.clear();
        for profile in catalogue.iter() {
            let bps = |rates: Rates| rates.guaranteed().map_or(0, BitRate::bps);
            let number = self.number(Guarantee {
                downlink_bps: bps(profile.downlink),
                uplink_bps: bps(profile.uplink),
            });
            let name = profile.name.as_str();
            if number.is_none() {
                tracing::error!(
                    profile = name,
                    "the simulated network tells no more guaranteed rates apart and refuses \
                     sessions with this profile until it is started again"
                );
            }
            self.profiles.insert(name.into(), number);
        }
    }

    fn number(&mut self, guarantee: Guarantee) -> Option<GuaranteeNumber> {
        if let Some(&known) = self.numbers.get(&guarantee) {
            return Some(known);
        }
        let number = u16::try_from(self.list.len()).ok();
        let number = number.filter(|&number| usize::from(number) < GuaranteeNumber::COUNT)?;
        self.list.push(guarantee);
        self.numbers.insert(guarantee, GuaranteeNumber(number));
        Some(GuaranteeNumber(number))
    }
}

#[cfg(test)]
mod tests {
    use greenwave_core::{Catalogue, QosProfile};

    use super::*;

    fn guaranteed(kbps: u32) -> QosProfile {
        let rates = Rates::guaranteed_at(BitRate::from_kbps(kbps));
        let profile = Catalogue::nokia().find("QOS_E").unwrap().clone();
        QosProfile { downlink: rates, uplink: rates, ..profile }
    }

    #[test]
    fn a_profile_guarantees_what_the_catalogue_says_now() {
        let catalogue = Arc::new(CurrentCatalogue::new(Catalogue::nokia()));
        let mut guarantees = Guarantees::new(Arc::clone(&catalogue));
        for profile in Catalogue::nokia().iter() {
            let number = guarantees.of_profile(profile.name.as_str()).unwrap();
            let Guarantee { downlink_bps, uplink_bps } = guarantees.get(number);
            assert_eq!(downlink_bps, profile.downlink.guaranteed().map_or(0, BitRate::bps));
            assert_eq!(uplink_bps, profile.uplink.guaranteed().map_or(0, BitRate::bps));
        }
        assert_eq!(guarantees.of_profile("unknown"), Some(GuaranteeNumber::NOTHING));

        let before = guarantees.of_profile("QOS_E").unwrap();
        catalogue.replace(Catalogue::new(vec![guaranteed(700)]).unwrap());
        let after = guarantees.of_profile("QOS_E").unwrap();
        assert_eq!(guarantees.get(after).uplink_bps, 700_000);
        assert_eq!(guarantees.get(before).uplink_bps, 500_000, "what is taken on stays");
    }

    #[test]
    fn there_are_only_so_many() {
        let catalogue = Arc::new(CurrentCatalogue::new(Catalogue::nokia()));
        let mut guarantees = Guarantees::new(Arc::clone(&catalogue));
        let first = guarantees.of_profile("QOS_E");
        let more = u32::try_from(GuaranteeNumber::COUNT).unwrap();
        for kbps in 1..=more {
            catalogue.replace(Catalogue::new(vec![guaranteed(kbps)]).unwrap());
            assert_eq!(guarantees.of_profile("QOS_E").is_some(), kbps < more, "{kbps}");
        }
        catalogue.replace(Catalogue::nokia());
        assert_eq!(guarantees.of_profile("QOS_E"), first);
    }
}
