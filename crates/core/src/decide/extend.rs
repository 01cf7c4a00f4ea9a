//! A session that is to last longer.

use std::time::Duration;

use jiff::Timestamp;

use super::{Changes, Refusal};
use crate::rules::{ExtendRule, RuleSet};
use crate::session::{Phase, Session};

/// An extension never shortens: a session that already lasts as long as it may stays as it is.
pub(super) fn extend(
    session: &Session,
    rules: &RuleSet,
    by: Duration,
    overall_at_most: Duration,
    now: Timestamp,
) -> Result<Changes, Refusal> {
    let mut session = session.clone();
    let asked = session.duration.saturating_add(by);
    let longest = match (rules.extend, session.phase) {
        (ExtendRule::Remaining { maximum, .. }, Phase::Requested) => maximum,
        (ExtendRule::Remaining { maximum, .. }, Phase::Available { started_at }) => {
            let elapsed = now.duration_since(started_at).unsigned_abs();
            Duration::from_secs((elapsed + maximum).as_secs())
        }
        (ExtendRule::Overall, Phase::Available { .. }) => overall_at_most,
        _ => return Err(Refusal::NotActive),
    };
    session.duration = asked.min(longest).max(session.duration);
    Ok(Changes::of(session, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::testing::{
        APPLICATION, NONE, OTHER_APPLICATION, at, extend, live, live_for, network, requested, run,
    };
    use crate::decide::{Command, NetworkReport};
    use crate::rules::RuleSetId;

    fn extended(session: Session, by_s: u64, now: i64) -> Session {
        run(&[session], &extend(1, APPLICATION, by_s), at(now)).unwrap().session.unwrap()
    }

    #[test]
    fn the_time_left_grows_by_what_was_asked() {
        let session = extended(live(1, APPLICATION, "203.0.113.5", at(0)), 30, 10);
        assert_eq!(session.duration, Duration::from_secs(90));
        assert_eq!(session.view(at(10)).unwrap().expires_at, Some(at(90)));
    }

    #[test]
    fn at_most_a_day_is_left() {
        // The published example: 80,000 s, of which 10,000 have passed, extended by 20,000.
        let session = extended(live_for(80_000), 20_000, 10_000);
        assert_eq!(session.duration, Duration::from_secs(96_400));
        assert_eq!(session.view(at(10_000)).unwrap().expires_at, Some(at(96_400)));
    }

    #[test]
    fn a_full_day_is_not_shortened() {
        let day = live_for(86_400);
        assert_eq!(extended(day.clone(), 5, 0).duration, Duration::from_secs(86_400));
        assert_eq!(extended(day, 5, 1).duration, Duration::from_secs(86_401));
    }

    #[test]
    fn a_requested_session_is_scheduled_for_longer() {
        let session = extended(requested(1, APPLICATION, "203.0.113.5", at(0)), 30, 1);
        assert_eq!(session.duration, Duration::from_secs(90));
        assert_eq!(session.phase, Phase::Requested);
        let granted = run(&[session], &network(1, NetworkReport::Granted), at(2)).unwrap();
        let view = granted.session.unwrap().view(at(2)).unwrap();
        assert_eq!(view.expires_at, Some(at(92)));
    }

    #[test]
    fn where_the_rules_say_so_the_whole_duration_is_bounded() {
        let nokia = RuleSetId::NokiaV0.rules();
        let rules = RuleSet { extend: ExtendRule::Overall, ..nokia.clone() };
        let by = Duration::from_secs(86_000);
        let day = Duration::from_secs(86_400);
        let extended = super::extend(&live_for(60), &rules, by, day, at(30)).unwrap();
        assert_eq!(extended.session.unwrap().duration, Duration::from_secs(86_060));
        let extended = super::extend(&live_for(600), &rules, by, day, at(30)).unwrap();
        assert_eq!(extended.session.unwrap().duration, Duration::from_secs(86_400));
        let requested = requested(1, APPLICATION, "203.0.113.5", at(0));
        assert_eq!(super::extend(&requested, &rules, by, day, at(1)), Err(Refusal::NotActive));
    }

    #[test]
    fn what_is_over_is_not_extended() {
        let session = live(1, APPLICATION, "203.0.113.5", at(0));
        let ended = run(&[&session], &network(1, NetworkReport::Ended), at(5)).unwrap();
        let command = extend(1, APPLICATION, 30);
        assert_eq!(run(&[ended.session.unwrap()], &command, at(6)), Err(Refusal::NotActive));
        assert_eq!(run(&[&session], &command, at(60)), Err(Refusal::Unknown));
        let foreign = extend(1, OTHER_APPLICATION, 30);
        assert_eq!(run(&[session], &foreign, at(6)), Err(Refusal::Foreign));
        let unknown = Command::Extend {
            session: crate::decide::testing::id(9),
            application: APPLICATION,
            rules: RuleSetId::NokiaV0,
            by: Duration::from_secs(1),
            overall_at_most: Duration::MAX,
        };
        assert_eq!(run(&NONE, &unknown, at(0)), Err(Refusal::Unknown));
    }
}
