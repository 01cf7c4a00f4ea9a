//! Devices that leave the network and come back.

use jiff::Timestamp;

use super::{Changes, due, network};
use crate::retry;
use crate::rules::Subject;
use crate::session::{Attempts, Owed, Phase, Session};

/// A session is over when its device leaves. An assignment lasts: it is asked for when the device
/// comes back, and now and then until that is heard of. One that was never granted has no more time
/// for that than any other.
pub(super) fn left(session: &Session, now: Timestamp) -> Changes {
    match (session.rules.subject(), session.phase) {
        (Subject::Assignment, Phase::Available { .. }) => put_off(session.clone(), 0, now),
        (Subject::Assignment, _) => Changes::none(),
        (Subject::Session, _) => network::terminated(session, now),
    }
}

/// The device is not there for what the network has lost: that it left was not heard of.
pub(super) fn away(session: &Session, now: Timestamp) -> Changes {
    match (session.rules.subject(), session.owed) {
        (Subject::Assignment, Owed::Provision(attempts)) => {
            put_off(session.clone(), attempts.made.saturating_add(1), now)
        }
        _ => network::terminated(session, now),
    }
}

/// The device is back, and nothing that was there for it before is. What counts as honoured is
/// asked for, too: that the device was away may not have been heard of.
pub(super) fn back(session: &Session, now: Timestamp) -> Changes {
    match session.phase {
        Phase::Requested => due::try_again(session.clone(), now),
        _ => network::restore(session, now),
    }
}

/// Nothing can come of a try before the device is back.
fn put_off(mut session: Session, made: u32, now: Timestamp) -> Changes {
    let next_at = now + retry::away_pause(made);
    session.owed = Owed::Provision(Attempts { made, next_at });
    Changes::of(session, Vec::new())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::decide::testing::{
        APPLICATION, assigned, assignment, at, delete, due, events, live, live_for, network,
        requested, resume, run,
    };
    use crate::decide::{Command, Effect, NetworkReport};
    use crate::session::{EndReason, QosStatus, Standing};

    const SERVER: &str = "203.0.113.5";

    /// What is left of a session after a report that changes it.
    fn after(session: &Session, report: NetworkReport, second: i64) -> Session {
        run(&[session], &network(1, report), at(second)).unwrap().session.unwrap()
    }

    fn reason(session: &Session, report: NetworkReport, second: i64) -> Option<EndReason> {
        let changes = run(&[session], &network(1, report), at(second)).unwrap();
        events(&changes).first().and_then(|event| event.reason)
    }

    #[test]
    fn a_session_ends_with_its_device() {
        for session in [live_for(600), requested(1, APPLICATION, SERVER, at(0))] {
            let changes = run(&[&session], &network(1, NetworkReport::Detached), at(10)).unwrap();
            assert_eq!(changes.effects[0], Effect::Release(session.order()));
            assert_eq!(events(&changes)[0].reason, Some(EndReason::NetworkTerminated));
        }
    }

    #[test]
    fn an_assignment_outlives_the_absence_of_its_device_and_nobody_is_told() {
        let changes = run(&[assigned()], &network(1, NetworkReport::Detached), at(10)).unwrap();
        assert_eq!(changes.effects, [], "nothing can come of a try now");
        let away = changes.session.unwrap();
        assert_eq!(away.standing(), Standing::Lost);
        assert_eq!(away.view(at(10)).unwrap().status, QosStatus::Available);
        assert_eq!(away.deadline(), Some(at(70)));

        let back = run(&[&away], &network(1, NetworkReport::Attached), at(20)).unwrap();
        assert_eq!(back.effects, [Effect::Provision(away.order())], "and at once");
        let restored = after(&back.session.unwrap(), NetworkReport::Granted, 21);
        assert_eq!(restored, assigned(), "as if nothing had happened");
    }

    #[test]
    fn an_assignment_is_asked_for_slowly_and_never_given_up() {
        let mut away = after(&assigned(), NetworkReport::Detached, 0);
        let mut pauses = Vec::new();
        let mut last = at(0);
        for _ in 0..100 {
            let deadline = away.deadline().unwrap();
            pauses.push(deadline.duration_since(last).as_secs());
            let tried = run(&[&away], &due(1), deadline).unwrap();
            assert_eq!(tried.effects, [Effect::Provision(away.order())]);
            let failed = network(1, NetworkReport::NotAttached);
            away = run(&[&tried.session.unwrap()], &failed, deadline).unwrap().session.unwrap();
            last = deadline;
        }
        assert_eq!(pauses[..20], [60; 20]);
        assert_eq!(pauses[20..], [900; 80]);
        assert_eq!(away.view(last).unwrap().status, QosStatus::Available);
        let back = run(&[away], &network(1, NetworkReport::Attached), last).unwrap();
        assert!(matches!(back.effects[..], [Effect::Provision(_)]));
    }

    #[test]
    fn an_assignment_is_not_given_up_for_a_network_that_fails() {
        let mut lost = after(&assigned(), NetworkReport::Missing, 1);
        for _ in 0..100 {
            let failed = NetworkReport::ProvisionFailed { retry_after: None };
            let deadline = lost.deadline().unwrap();
            lost = run(&[lost], &network(1, failed), deadline).unwrap().session.unwrap();
            assert_eq!(lost.standing(), Standing::Lost);
        }
    }

    #[test]
    fn an_assignment_ends_if_the_network_refuses_or_ends_it() {
        let away = after(&assigned(), NetworkReport::Detached, 1);
        let terminated = Some(EndReason::NetworkTerminated);
        assert_eq!(reason(&away, NetworkReport::Refused, 2), terminated);
        assert_eq!(reason(&away, NetworkReport::Ended, 2), terminated);
        assert_eq!(reason(&assigned(), NetworkReport::Ended, 2), terminated);
        let asked = assignment(at(0));
        assert_eq!(reason(&asked, NetworkReport::Refused, 2), terminated);
    }

    #[test]
    fn an_assignment_of_a_device_that_is_away_can_be_revoked() {
        let away = after(&assigned(), NetworkReport::Detached, 1);
        let mut revoke = delete(1, APPLICATION);
        let Command::Delete { subject, .. } = &mut revoke else { unreachable!() };
        *subject = Subject::Assignment;
        let revoked = run(&[&away], &revoke, at(2)).unwrap();
        assert_eq!(revoked.effects[0], Effect::Release(away.order()));
        let revoked = revoked.session.unwrap();
        assert_eq!(
            run(&[revoked], &network(1, NetworkReport::Attached), at(3)).unwrap(),
            Changes::none()
        );
    }

    #[test]
    fn that_a_device_has_left_is_found_out_by_asking_too() {
        let lost = |session: &Session| after(session, NetworkReport::Missing, 1);
        let away = after(&lost(&assigned()), NetworkReport::NotAttached, 2);
        assert_eq!(away.standing(), Standing::Lost);
        assert_eq!(away.deadline(), Some(at(62)));
        let terminated = Some(EndReason::NetworkTerminated);
        assert_eq!(reason(&lost(&live_for(600)), NetworkReport::NotAttached, 2), terminated);
        let late = network(1, NetworkReport::NotAttached);
        for honoured in [assigned(), live_for(600)] {
            assert_eq!(run(&[honoured], &late, at(2)).unwrap(), Changes::none());
        }
    }

    #[test]
    fn what_was_never_granted_waits_for_its_device_as_long_as_for_any_answer() {
        for asked in [requested(1, APPLICATION, SERVER, at(0)), assignment(at(0))] {
            let mut waiting = after(&asked, NetworkReport::NotAttached, 1);
            assert_eq!(waiting.deadline(), Some(at(2)));
            let back = run(&[&waiting], &network(1, NetworkReport::Attached), at(1)).unwrap();
            assert_eq!(back.effects, [Effect::Provision(asked.order())]);
            while waiting.phase == Phase::Requested {
                let deadline = waiting.deadline().unwrap();
                waiting = run(&[&waiting], &due(1), deadline).unwrap().session.unwrap();
            }
            let view = waiting.view(at(60)).unwrap();
            assert_eq!(view.reason, Some(EndReason::NetworkTerminated));
            assert_eq!(view.expires_at, Some(at(60)));
        }
        let asked = assignment(at(0));
        let left = run(&[asked], &network(1, NetworkReport::Detached), at(1)).unwrap();
        assert_eq!(left, Changes::none());
    }

    #[test]
    fn what_was_not_heard_to_leave_is_asked_for_when_it_is_back() {
        for honoured in [assigned(), live(1, APPLICATION, SERVER, at(0))] {
            let back = run(&[&honoured], &network(1, NetworkReport::Attached), at(1)).unwrap();
            assert_eq!(back.effects, [Effect::Provision(honoured.order())]);
            let restored = after(&back.session.unwrap(), NetworkReport::Granted, 2);
            assert_eq!(restored, honoured);
        }
    }

    #[test]
    fn after_a_start_an_assignment_is_tried_at_once_and_then_slowly_again() {
        let away = after(&assigned(), NetworkReport::Detached, 1);
        let resumed = run(&[&away], &resume(1), at(5)).unwrap();
        assert_eq!(resumed.effects, [Effect::Provision(away.order())]);
        let again = after(&resumed.session.unwrap(), NetworkReport::NotAttached, 6);
        assert_eq!(again.deadline(), Some(at(6) + Duration::from_secs(60)));
    }
}
