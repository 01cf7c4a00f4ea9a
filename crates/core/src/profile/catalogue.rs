//! All the profiles of a gateway, which its operator can change while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::{QosProfile, defaults};

/// The profiles that one gateway offers, at one moment. Each has a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    profiles: Vec<QosProfile>,
}

/// Profiles that cannot be a catalogue. The message says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCatalogue {
    /// Two have the same name.
    #[error("there are two profiles {0}: each needs a name of its own")]
    Twice(Box<str>),
    /// There are more than can be kept.
    #[error("there are more than {} profiles", Catalogue::MOST_PROFILES)]
    TooMany,
}

impl Catalogue {
    /// The most profiles that a catalogue has.
    pub const MOST_PROFILES: usize = 1_000;

    /// These profiles, shown in this order.
    pub fn new(profiles: Vec<QosProfile>) -> Result<Self, InvalidCatalogue> {
        if profiles.len() > Self::MOST_PROFILES {
            return Err(InvalidCatalogue::TooMany);
        }
        for (at, profile) in profiles.iter().enumerate() {
            if profiles[..at].iter().any(|before| before.name == profile.name) {
                return Err(InvalidCatalogue::Twice(profile.name.as_str().into()));
            }
        }
        Ok(Self { profiles })
    }

    /// The thirteen profiles that Nokia's documentation names, with CAMARA's reference rates.
    #[must_use]
    pub fn nokia() -> Self {
        Self { profiles: defaults::profiles() }
    }

    /// The same with this profile: in the place of the one that has its name, or at the end.
    pub fn with(&self, profile: QosProfile) -> Result<Self, InvalidCatalogue> {
        let mut profiles = self.profiles.clone();
        match profiles.iter_mut().find(|known| known.name == profile.name) {
            Some(known) => *known = profile,
            None => profiles.push(profile),
        }
        Self::new(profiles)
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

/// The catalogue that counts now. Whoever looks takes all of it, as it is at that moment.
#[derive(Debug)]
pub struct CurrentCatalogue {
    catalogue: RwLock<Arc<Catalogue>>,
    /// How often it was replaced. It changes while the lock is held, so that nobody takes the one
    /// before for the one after; who only wants to know whether it has changed needs no lock.
    changes: AtomicU64,
}

impl CurrentCatalogue {
    /// A catalogue, until it is replaced.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        Self { catalogue: RwLock::new(Arc::new(catalogue)), changes: AtomicU64::new(0) }
    }

    /// The catalogue as it is now.
    #[must_use]
    pub fn now(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often it was replaced.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The catalogue and how often it was replaced until it became that.
    #[must_use]
    pub fn now_with_changes(&self) -> (Arc<Catalogue>, u64) {
        let catalogue = self.catalogue.read().unwrap_or_else(PoisonError::into_inner);
        (Arc::clone(&catalogue), self.changes())
    }

    /// From now on this one counts.
    pub fn replace(&self, catalogue: Catalogue) {
        let mut current = self.catalogue.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(catalogue);
        self.changes.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> QosProfile {
        let mut profile = Catalogue::nokia().find("QOS_L").unwrap().clone();
        profile.name = crate::ProfileName::parse(name).unwrap();
        profile
    }

    #[test]
    fn each_name_is_there_once() {
        let twice = Catalogue::new(vec![named("one"), named("two"), named("one")]);
        assert_eq!(twice, Err(InvalidCatalogue::Twice("one".into())));
        let many = (0..=Catalogue::MOST_PROFILES).map(|number| named(&format!("p-{number}")));
        let mut many: Vec<_> = many.collect();
        assert_eq!(Catalogue::new(many.clone()), Err(InvalidCatalogue::TooMany));
        many.pop();
        let full = Catalogue::new(many).unwrap();
        assert_eq!(full.with(named("one-more")), Err(InvalidCatalogue::TooMany));
        assert!(full.with(named("p-7")).is_ok());
    }

    #[test]
    fn a_profile_is_replaced_in_its_place() {
        let changed = QosProfile { priority: crate::profile::OneTo::MAX, ..named("QOS_S") };
        let catalogue = Catalogue::nokia().with(changed.clone()).unwrap().with(named("new"));
        let catalogue = catalogue.unwrap();
        assert_eq!(catalogue.find("QOS_S"), Some(&changed));
        let names = |catalogue: &Catalogue| -> Vec<String> {
            catalogue.iter().map(|profile| profile.name.as_str().to_owned()).collect()
        };
        let mut expected = names(&Catalogue::nokia());
        expected.push("new".to_owned());
        assert_eq!(names(&catalogue), expected);
    }

    #[test]
    fn who_looks_sees_the_catalogue_of_that_moment() {
        let current = CurrentCatalogue::new(Catalogue::nokia());
        let (before, changes) = current.now_with_changes();
        assert_eq!(current.changes(), changes);
        current.replace(before.with(named("new")).unwrap());
        assert!(before.find("new").is_none());
        assert!(current.now().find("new").is_some());
        assert_ne!(current.changes(), changes);
    }
}
