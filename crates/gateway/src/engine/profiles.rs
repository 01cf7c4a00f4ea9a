//! Which profiles there are for whom.

use greenwave_core::{Device, NamedBy, QosProfile, RuleSet, RuleSetId};

use super::requests::Who;
use super::{Engine, EngineError};
use crate::directory::Service;

impl Engine {
    /// The wanted ones of the profiles that a device can have, and what named it. Without a device,
    /// those that are for all.
    pub async fn profiles(
        &self,
        device: Option<(&Device, NamedBy)>,
        rules: &'static RuleSet,
        wanted: impl Fn(&QosProfile) -> bool,
    ) -> Result<Vec<QosProfile>, EngineError> {
        let who = match device {
            Some((device, named_by)) => Some(self.who(device, named_by, rules).await?),
            None => None,
        };
        let catalogue = self.parts.catalogue.now();
        let mut profiles = Vec::new();
        for profile in catalogue.iter().filter(|profile| wanted(profile)) {
            let is_shown = match &who {
                Some(who) => self.is_for(profile, who).await?,
                None => profile.only_for.is_none(),
            };
            if is_shown {
                profiles.push(profile.clone());
            }
        }
        Ok(profiles)
    }

    /// The profile of this name, if a token that names this device, or none, lets it be seen.
    pub async fn profile(
        &self,
        name: &str,
        of_token: Option<&Device>,
        rules: &'static RuleSet,
    ) -> Result<Option<QosProfile>, EngineError> {
        let device = of_token.map(|device| (device, NamedBy::Token));
        let is_it = |profile: &QosProfile| profile.name.as_str() == name;
        match self.profiles(device, rules, is_it).await {
            Ok(profiles) => Ok(profiles.into_iter().next()),
            // Nothing can be had by a device that has no part in it.
            Err(EngineError::UnknownDevice(_) | EngineError::NotServed) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether a device can have this profile.
    pub(super) async fn check_profile(
        &self,
        profile: Option<&QosProfile>,
        who: &Who,
    ) -> Result<(), EngineError> {
        let Some(profile) = profile else { return Ok(()) };
        if self.is_for(profile, who).await? { Ok(()) } else { Err(EngineError::NotServed) }
    }

    /// Names are held against names first, because an address can be given in several ways, of
    /// which each is the name of a device of its own until it has been seen with another.
    async fn is_for(&self, profile: &QosProfile, who: &Who) -> Result<bool, EngineError> {
        if who.service == Service::WithoutProfiles {
            return Ok(false);
        }
        let Some(devices) = &profile.only_for else { return Ok(true) };
        for device in devices {
            // The operator may name a device in every way that there is.
            let rules = RuleSetId::NokiaV0.rules();
            let names = self.parts.directory.look_up(device, rules).await?.names;
            if names.deciding.iter().any(|name| who.names.deciding.contains(name)) {
                return Ok(true);
            }
            let named = self.parts.ledger.device(&names).await?;
            if named.is_some_and(|named| named.device == who.named.device) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
