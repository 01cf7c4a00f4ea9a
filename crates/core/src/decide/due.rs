//! What time alone brings about.

use jiff::Timestamp;

use super::{Changes, Effect, end};
use crate::retry;
use crate::session::{Attempts, EndReason, Owed, Phase, Session};

/// Does whatever of the session is due at `now`, and nothing if nothing is.
pub(super) fn due(session: &Session, now: Timestamp) -> Changes {
    if session.deadline().is_none_or(|deadline| now < deadline) {
        return Changes::none();
    }
    match session.phase {
        Phase::Requested if now >= session.gives_up_at() => {
            end::end(session.clone(), EndReason::NetworkTerminated, now, now)
        }
        Phase::Requested | Phase::Ending(_) => try_again(session.clone(), now),
        Phase::Available { started_at } => {
            let due_at = session.course().expiry(started_at);
            match due_at {
                Some(due_at) if now >= due_at => {
                    end::end(session.clone(), EndReason::DurationExpired, due_at, now)
                }
                _ => try_again(session.clone(), now),
            }
        }
        Phase::Ended(end) => end::retire(session.clone(), end),
    }
}

/// After a start: nobody is working on what is owed, so it is tried now and not when the lost try
/// would have timed out.
pub(super) fn resume(session: &Session, now: Timestamp) -> Changes {
    let due = due(session, now);
    if due.session.is_some() || session.owed == Owed::Nothing {
        return due;
    }
    try_again(session.clone(), now)
}

/// Gives the order for what is owed, and sets the time of the next try should no answer come.
///
/// A new session is asked for during its first 30 s; after that only a late answer can still save
/// it.
pub(super) fn try_again(mut session: Session, now: Timestamp) -> Changes {
    let is_new = session.phase == Phase::Requested;
    let too_late = is_new && now >= session.created_at + retry::PROVISION_TRIED_FOR;
    let give_up = session.gives_up_at();
    let order = session.order();
    let effect = match &mut session.owed {
        Owed::Nothing => return Changes::none(),
        Owed::Provision(attempts) if too_late => {
            attempts.next_at = give_up;
            None
        }
        Owed::Provision(attempts) => {
            attempts.next_at = unless_answered(*attempts, now);
            Some(Effect::Provision(order))
        }
        Owed::Release(attempts) => {
            attempts.next_at = unless_answered(*attempts, now);
            Some(Effect::Release(order))
        }
    };
    Changes::of(session, effect.into_iter().collect())
}

/// When an order is given again if nothing is heard of it: its call would have failed by then.
fn unless_answered(attempts: Attempts, now: Timestamp) -> Timestamp {
    now + retry::NETWORK_CALL_TIMEOUT + retry::network_pause(attempts.made.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::NetworkReport;
    use crate::decide::testing::{
        APPLICATION, at, delete, due, events, live, live_for, network, requested, resume, run,
    };
    use crate::session::{QosStatus, Standing};

    const SERVER: &str = "203.0.113.5";

    #[test]
    fn a_session_ends_when_its_time_is_up_and_not_a_millisecond_before() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let early = Timestamp::from_millisecond(at(60).as_millisecond() - 1).unwrap();
        assert_eq!(run(&[&session], &due(1), early).unwrap(), Changes::none());
        assert!(session.view(early).is_some());
        let changes = run(&[&session], &due(1), at(60)).unwrap();
        assert_eq!(changes.effects[0], Effect::Release(session.order()));
        assert_eq!(events(&changes)[0].reason, Some(EndReason::DurationExpired));
    }

    #[test]
    fn a_late_worker_tells_the_true_time_of_the_end() {
        let session = live(1, APPLICATION, SERVER, at(0));
        assert_eq!(session.view(at(60)), None);
        let changes = run(&[session], &due(1), at(4_000)).unwrap();
        assert_eq!(events(&changes)[0].at, at(60));
    }

    /// What becomes of a session whose order was given at `at` and has no answer.
    fn unanswered(session: Session, at: Timestamp) -> Session {
        let report = match session.owed {
            Owed::Nothing => return session,
            Owed::Provision(_) => NetworkReport::ProvisionFailed { retry_after: None },
            Owed::Release(_) => NetworkReport::ReleaseFailed { retry_after: None },
        };
        let failed_at = at + retry::NETWORK_CALL_TIMEOUT;
        let changes = run(&[&session], &network(1, report), failed_at).unwrap();
        changes.session.unwrap_or(session)
    }

    /// Lets `session` come due again and again, each call fail for want of an answer, and tells
    /// when an order was given.
    fn orders_until(mut session: Session, last: i64) -> (Vec<i64>, Session) {
        let mut given = Vec::new();
        while let Some(deadline) = session.deadline().filter(|&deadline| deadline <= at(last)) {
            let changes = run(&[&session], &due(1), deadline).unwrap();
            if changes.effects.iter().any(|effect| !matches!(effect, Effect::Notify(_))) {
                given.push(deadline.duration_since(at(0)).as_secs());
            }
            session = changes.session.unwrap();
            session = unanswered(session, deadline);
        }
        (given, session)
    }

    #[test]
    fn without_an_answer_a_session_is_asked_for_again_and_given_up_after_a_minute() {
        let session = unanswered(requested(1, APPLICATION, SERVER, at(0)), at(0));
        let (orders, session) = orders_until(session, 60);
        // Asked at 0 s already; the order at 60 s is the release.
        assert_eq!(orders, [6, 13, 22, 60]);
        let view = session.view(at(60)).unwrap();
        assert_eq!(view.reason, Some(EndReason::NetworkTerminated));
    }

    #[test]
    fn a_release_is_never_given_up() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let ending = run(&[session], &delete(1, APPLICATION), at(0)).unwrap().session.unwrap();
        let (orders, session) = orders_until(unanswered(ending, at(0)), 86_400);
        assert_eq!(orders[..3], [6, 13, 22]);
        assert!(orders.len() > 100);
        assert!(orders[..19].windows(2).all(|pair| pair[1] - pair[0] <= 65));
        assert!(orders.windows(2).all(|pair| pair[1] - pair[0] <= 905));
        assert_eq!(session.standing(), Standing::Orphan);
        assert!(session.deadline().is_some());
    }

    #[test]
    fn what_the_network_has_lost_is_asked_for_again_and_given_up_after_five_tries() {
        let missing = network(1, NetworkReport::Missing);
        let lost = run(&[live_for(600)], &missing, at(10)).unwrap();
        assert!(matches!(lost.effects[..], [Effect::Provision(_)]), "and nobody is told");
        let session = lost.session.unwrap();
        assert_eq!(session.view(at(10)).unwrap().status, QosStatus::Available);
        let again = run(&[&session], &missing, at(11)).unwrap();
        assert_eq!(again, Changes::none(), "it is known already");

        // What is asked for and not heard of is asked for again, for as long as it takes.
        let mut waiting = session.clone();
        for _ in 0..20 {
            let deadline = waiting.deadline().unwrap();
            waiting = run(&[&waiting], &due(1), deadline).unwrap().session.unwrap();
        }
        assert_eq!(waiting.standing(), Standing::Lost);

        let (orders, session) = orders_until(unanswered(session, at(10)), 49);
        // Asked at 10 s already; the fifth call has failed at 50 s.
        assert_eq!(orders, [16, 23, 32, 45]);
        let view = session.view(at(50)).unwrap();
        assert_eq!(view.reason, Some(EndReason::NetworkTerminated));
    }

    #[test]
    fn what_is_lost_still_ends_in_time() {
        let lost = run(&[live_for(12)], &network(1, NetworkReport::Missing), at(10)).unwrap();
        let session = lost.session.unwrap();
        assert_eq!(session.deadline(), Some(at(12)));
        let ended = run(&[session], &due(1), at(12)).unwrap();
        assert_eq!(events(&ended)[0].reason, Some(EndReason::DurationExpired));
    }

    #[test]
    fn after_a_start_what_is_owed_is_tried_at_once() {
        let session = requested(1, APPLICATION, SERVER, at(0));
        let changes = run(&[&session], &resume(1), at(1)).unwrap();
        assert_eq!(changes.effects, [Effect::Provision(session.order())]);
        let late = run(&[session], &resume(1), at(3_600)).unwrap();
        assert_eq!(events(&late)[0].reason, Some(EndReason::NetworkTerminated));
        let available = live(1, APPLICATION, SERVER, at(0));
        assert_eq!(run(&[available], &resume(1), at(1)).unwrap(), Changes::none());
    }
}
