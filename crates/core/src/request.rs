//! A request to create or extend a session, on its way from a wire to a command.

use std::time::Duration;

use crate::profile::{Catalogue, ProfileName, ProfileStatus, QosProfile};
use crate::rules::{ExtendRule, RuleSet, Subject};
use crate::session::{Asked, INDEFINITELY};

/// A request to create a session, readable but not yet held against rules and catalogue.
#[derive(Clone, Debug)]
pub struct CreateRequest {
    /// What is asked for.
    pub asked: Asked,
    /// For how many seconds, if the request says so: any whole number.
    pub duration_s: Option<i64>,
}

/// Why a readable request is not acceptable. The message says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// The catalogue has no profile of this name.
    #[error("there is no profile {given}; the profiles are {}", known.join(", "))]
    UnknownProfile {
        /// The name given.
        given: Box<str>,
        /// The names that exist.
        known: Vec<Box<str>>,
    },
    /// The profile is there, but cannot be asked for now.
    #[error("the profile {} is {}: only an ACTIVE one can be asked for", .name.as_str(), .status.name())]
    ProfileNotApplicable {
        /// Its name.
        name: ProfileName,
        /// What it is instead.
        status: ProfileStatus,
    },
    /// The rule set wants a duration, and there is none.
    #[error("the duration is missing: give the seconds for which the session is wanted")]
    DurationMissing,
    /// The duration is not one that can be had.
    #[error("{given_s} is out of range: a duration is {min_s} to {max_s} seconds")]
    DurationOutOfRange {
        /// The seconds given.
        given_s: i64,
        /// The fewest seconds that can be had.
        min_s: u64,
        /// The most seconds that can be had.
        max_s: u64,
    },
}

impl CreateRequest {
    /// The duration that the session gets, once profile and duration are found acceptable.
    pub fn granted_duration(
        &self,
        rules: &RuleSet,
        catalogue: &Catalogue,
    ) -> Result<Duration, InvalidRequest> {
        let name = self.asked.profile.as_str();
        let Some(profile) = catalogue.find(name) else {
            let offered = catalogue.iter().filter(|profile| profile.is_offered_to_all());
            let known = offered.map(|profile| profile.name.as_str().into()).collect();
            return Err(InvalidRequest::UnknownProfile { given: name.into(), known });
        };
        let (name, status) = (&profile.name, profile.status);
        if !status.can_be_asked_for() {
            return Err(InvalidRequest::ProfileNotApplicable { name: name.clone(), status });
        }
        if rules.subject == Subject::Assignment {
            return Ok(INDEFINITELY);
        }
        let longest = rules.longest(profile);
        let Some(given_s) = self.duration_s else {
            let default = rules.duration.default.ok_or(InvalidRequest::DurationMissing)?;
            return Ok(default.min(longest));
        };
        in_range(given_s, profile.min_duration, longest)
    }
}

impl RuleSet {
    /// The longest that a profile can be had for.
    #[must_use]
    pub fn longest(&self, profile: &QosProfile) -> Duration {
        let most = self.duration.maximum.unwrap_or(Duration::MAX);
        profile.max_duration.min(most)
    }

    /// By how much a session may be extended in one go, if `given_s` is such an amount.
    pub fn extension(&self, given_s: i64) -> Result<Duration, InvalidRequest> {
        let largest = match self.extend {
            ExtendRule::Remaining { largest_step, .. } => largest_step,
            ExtendRule::Overall => Duration::from_secs(i32::MAX.unsigned_abs().into()),
        };
        in_range(given_s, Duration::from_secs(1), largest)
    }
}

fn in_range(given_s: i64, min: Duration, max: Duration) -> Result<Duration, InvalidRequest> {
    let (min_s, max_s) = (min.as_secs().max(1), max.as_secs());
    u64::try_from(given_s)
        .ok()
        .filter(|seconds| (min_s..=max_s).contains(seconds))
        .map(Duration::from_secs)
        .ok_or(InvalidRequest::DurationOutOfRange { given_s, min_s, max_s })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::testing;
    use crate::rules::RuleSetId;

    fn granted(profile: &str, duration_s: Option<i64>) -> Result<Duration, InvalidRequest> {
        let asked = Asked {
            profile: ProfileName::parse(profile).unwrap(),
            ..testing::asked("203.0.113.5")
        };
        let request = CreateRequest { asked, duration_s };
        request.granted_duration(RuleSetId::NokiaV0.rules(), &Catalogue::nokia())
    }

    #[test]
    fn without_a_duration_a_session_gets_a_day() {
        assert_eq!(granted("QOS_L", None), Ok(Duration::from_secs(86_400)));
    }

    #[test]
    fn a_duration_is_between_a_second_and_a_day() {
        assert_eq!(granted("QOS_L", Some(1)), Ok(Duration::from_secs(1)));
        assert_eq!(granted("QOS_L", Some(86_400)), Ok(Duration::from_secs(86_400)));
        for given_s in [0, -1, 86_401, i64::MAX, i64::MIN] {
            assert_eq!(
                granted("QOS_L", Some(given_s)),
                Err(InvalidRequest::DurationOutOfRange { given_s, min_s: 1, max_s: 86_400 })
            );
        }
    }

    #[test]
    fn an_unknown_profile_is_answered_with_the_known_ones() {
        let message = granted("QOS_XL", None).unwrap_err().to_string();
        assert!(message.contains("QOS_XL") && message.contains("DOWNLINK_L_UPLINK_L"), "{message}");
    }

    #[test]
    fn only_an_active_profile_can_be_asked_for_and_no_other_is_named() {
        let asked = Asked {
            profile: ProfileName::parse("QOS_S").unwrap(),
            ..testing::asked("203.0.113.5")
        };
        let request = CreateRequest { asked, duration_s: None };
        let granted = |catalogue: &Catalogue| {
            let rules = RuleSetId::NokiaV0.rules();
            request.granted_duration(rules, catalogue).unwrap_err().to_string()
        };
        let profile = Catalogue::nokia().find("QOS_S").unwrap().clone();
        for &status in &ProfileStatus::ALL[1..] {
            let catalogue = Catalogue::new(vec![QosProfile { status, ..profile.clone() }]);
            let message = granted(&catalogue.unwrap());
            assert!(message.contains(status.name()) && message.contains("QOS_S"), "{message}");
        }
        let named = |name: &str| ProfileName::parse(name).unwrap();
        let catalogue = Catalogue::new(vec![
            QosProfile { name: named("for-some"), only_for: Some(vec![]), ..profile.clone() },
            QosProfile {
                name: named("past"),
                status: ProfileStatus::Deprecated,
                ..profile.clone()
            },
            QosProfile { name: named("for-all"), ..profile },
        ]);
        assert!(granted(&catalogue.unwrap()).ends_with("the profiles are for-all"));
    }

    #[test]
    fn an_extension_is_at_most_a_day_less_a_second() {
        let rules = RuleSetId::NokiaV0.rules();
        assert_eq!(rules.extension(86_399), Ok(Duration::from_secs(86_399)));
        assert!(rules.extension(86_400).is_err());
        assert!(rules.extension(0).is_err());
    }
}
