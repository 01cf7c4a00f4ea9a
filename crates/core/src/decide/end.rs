//! How a session comes to its end.

use jiff::Timestamp;

use super::{Changes, Effect, Refusal, due};
use crate::ids::EventId;
use crate::session::{Attempts, End, EndReason, Event, Owed, Phase, QosStatus, Session, Standing};

/// Deletes what a client can see. What the network had ended is only no longer shown.
pub(super) fn delete(session: &Session, now: Timestamp) -> Changes {
    match session.phase {
        Phase::Requested | Phase::Available { .. } => {
            end(session.clone(), EndReason::DeleteRequested, now, now)
        }
        Phase::Ending(end) => {
            let mut session = session.clone();
            session.phase = Phase::Ending(End { readable_until: None, ..end });
            Changes::of(session, Vec::new())
        }
        Phase::Ended(end) => retire(session.clone(), End { readable_until: None, ..end }),
    }
}

/// Ends a session that is requested or available: the network owes its release from now on, and
/// the application is told, unless it has deleted something that was never available.
pub(super) fn end(
    mut session: Session,
    reason: EndReason,
    ended_at: Timestamp,
    now: Timestamp,
) -> Changes {
    let started_at = match session.phase {
        Phase::Available { started_at } => Some(started_at),
        _ => None,
    };
    let rules = session.rules.rules();
    let readable = match reason {
        EndReason::NetworkTerminated => Some(rules.readable_after_network_end),
        EndReason::DeleteRequested => rules.readable_after_delete,
        EndReason::DurationExpired => None,
    };
    let readable_until = readable.map(|readable| ended_at + readable);
    session.phase = Phase::Ending(End { reason, started_at, ended_at, readable_until });
    session.owed = Owed::Release(Attempts { made: 0, next_at: now });

    let told = started_at.is_some() || reason != EndReason::DeleteRequested;
    let event = told.then(|| event(&mut session, QosStatus::Unavailable, Some(reason), ended_at));
    let mut changes = due::try_again(session, now);
    changes.effects.extend(event.map(Effect::Notify));
    changes
}

/// Ends a session, if it is not over, and hides it. Nobody is told.
pub(super) fn forget(session: &Session, now: Timestamp) -> Changes {
    match session.phase {
        Phase::Requested | Phase::Available { .. } => {
            let mut changes = end(session.clone(), EndReason::DeleteRequested, now, now);
            changes.effects.retain(|effect| !matches!(effect, Effect::Notify(_)));
            if let Some(Session { phase: Phase::Ending(end), events, .. }) = &mut changes.session {
                end.readable_until = None;
                *events = session.events;
            }
            changes
        }
        Phase::Ending(_) | Phase::Ended(_) => delete(session, now),
    }
}

/// The network has confirmed that nothing is left of a session.
pub(super) fn released(session: &Session, end: End, now: Timestamp) -> Changes {
    let mut session = session.clone();
    session.owed = Owed::Nothing;
    if end.readable_until.is_some_and(|until| now < until) {
        session.phase = Phase::Ended(end);
        Changes::of(session, Vec::new())
    } else {
        retire(session, end)
    }
}

/// Nobody can see it and nothing is owed for it: it is history.
pub(super) fn retire(mut session: Session, end: End) -> Changes {
    session.phase = Phase::Ended(end);
    Changes { session: Some(session), retired: true, effects: Vec::new() }
}

/// Nobody expects the network to let go of the session any more: it is history, whatever is left
/// of it there.
pub(super) fn abandon(session: &Session) -> Result<Changes, Refusal> {
    let mut session = session.clone();
    match session.phase {
        Phase::Ending(end) if session.standing() == Standing::Orphan => {
            session.owed = Owed::Nothing;
            Ok(retire(session, end))
        }
        _ => Err(Refusal::NoOrphan),
    }
}

/// The next event of a session.
pub(super) fn event(
    session: &mut Session,
    status: QosStatus,
    reason: Option<EndReason>,
    at: Timestamp,
) -> Event {
    session.events = session.events.saturating_add(1);
    Event {
        id: EventId { session: session.id, ordinal: session.events },
        application: session.application,
        rules: session.rules,
        at,
        status,
        reason,
        sink: session.asked.sink.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::testing::{
        APPLICATION, OTHER_APPLICATION, at, delete, due, events, live, network, requested, run,
    };
    use crate::decide::{Command, NetworkReport};
    use crate::rules::Subject;

    const SERVER: &str = "203.0.113.5";

    #[test]
    fn deleting_an_available_session_releases_it_and_tells_of_it() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let changes = run(&[&session], &delete(1, APPLICATION), at(10)).unwrap();
        assert_eq!(changes.effects[0], Effect::Release(session.order()));
        let told = events(&changes);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].id.ordinal, 2, "the first was that it became available");
        assert_eq!(told[0].reason, Some(EndReason::DeleteRequested));
        assert_eq!(changes.session.unwrap().view(at(10)), None);
    }

    #[test]
    fn only_an_orphan_can_be_abandoned() {
        let abandon = Command::Abandon { session: crate::decide::testing::id(1) };
        let session = live(1, APPLICATION, SERVER, at(0));
        assert_eq!(run(&[&session], &abandon, at(1)), Err(Refusal::NoOrphan));
        let mut session = run(&[session], &delete(1, APPLICATION), at(1)).unwrap().session.unwrap();
        while session.standing() != Standing::Orphan {
            assert_eq!(run(&[&session], &abandon, at(1)), Err(Refusal::NoOrphan));
            let failed = NetworkReport::ReleaseFailed { retry_after: None };
            let deadline = session.deadline().unwrap();
            session = run(&[&session], &network(1, failed), deadline).unwrap().session.unwrap();
        }
        assert!(session.deadline() > Some(at(900)), "not before a quarter of an hour");
        let abandoned = run(&[session], &abandon, at(2_000)).unwrap();
        assert!(abandoned.retired);
        assert_eq!(abandoned.session.unwrap().owed, Owed::Nothing);
    }

    #[test]
    fn deleting_what_was_never_available_tells_nothing() {
        let session = requested(1, APPLICATION, SERVER, at(0));
        let changes = run(&[&session], &delete(1, APPLICATION), at(1)).unwrap();
        assert_eq!(changes.effects, [Effect::Release(session.order())]);
    }

    #[test]
    fn a_deleted_session_is_unknown_at_once_and_history_once_released() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let deleted = run(&[session], &delete(1, APPLICATION), at(10)).unwrap().session.unwrap();
        let again = run(&[&deleted], &delete(1, APPLICATION), at(10));
        assert_eq!(again, Err(Refusal::Unknown));
        let released = run(&[deleted], &network(1, NetworkReport::Released), at(11)).unwrap();
        assert!(released.retired);
        assert!(released.effects.is_empty());
    }

    #[test]
    fn another_applications_session_is_foreign() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let command = delete(1, OTHER_APPLICATION);
        assert_eq!(run(&[&session], &command, at(10)), Err(Refusal::Foreign));
        assert_eq!(run(&[session], &command, at(60)), Err(Refusal::Unknown));
    }

    #[test]
    fn another_applications_assignment_is_foreign_and_no_session() {
        let revoke = |application, subject| Command::Delete {
            session: crate::decide::testing::id(1),
            application,
            subject,
        };
        let assigned = crate::decide::testing::assigned();
        let refused = |command| run(&[&assigned], &command, at(10)).unwrap_err();
        assert_eq!(refused(revoke(OTHER_APPLICATION, Subject::Assignment)), Refusal::Foreign);
        assert_eq!(refused(revoke(APPLICATION, Subject::Session)), Refusal::Unknown);
    }

    #[test]
    fn what_the_network_ended_is_shown_for_six_minutes_or_until_deleted() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let ended = run(&[session], &network(1, NetworkReport::Ended), at(10)).unwrap();
        assert_eq!(events(&ended)[0].reason, Some(EndReason::NetworkTerminated));
        let ended = ended.session.unwrap();
        let view = ended.view(at(369)).unwrap();
        assert_eq!(view.status, QosStatus::Unavailable);
        assert_eq!(view.reason, Some(EndReason::NetworkTerminated));
        assert_eq!(view.expires_at, Some(at(10)));
        assert_eq!(view.duration.as_secs(), 10);
        assert_eq!(ended.view(at(370)), None);

        let released = run(&[ended], &network(1, NetworkReport::Released), at(11)).unwrap();
        assert!(!released.retired, "it is still to be shown");
        let released = released.session.unwrap();
        let deleted = run(&[&released], &delete(1, APPLICATION), at(20)).unwrap();
        assert!(deleted.retired);
        assert!(deleted.effects.is_empty(), "its end has been told");
        assert!(run(&[released], &due(1), at(370)).unwrap().retired);
    }

    #[test]
    fn what_is_released_when_it_is_no_longer_shown_is_history_at_once() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let ended = run(&[session], &network(1, NetworkReport::Ended), at(10)).unwrap();
        let ended = ended.session.unwrap();
        let released = |now| run(&[&ended], &network(1, NetworkReport::Released), at(now)).unwrap();
        assert!(!released(369).retired);
        assert!(released(370).retired);
    }

    #[test]
    fn deleting_before_the_network_has_let_go_waits_for_it() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let ended = run(&[session], &network(1, NetworkReport::Ended), at(10)).unwrap();
        let deleted = run(&[ended.session.unwrap()], &delete(1, APPLICATION), at(11)).unwrap();
        assert!(!deleted.retired);
        let deleted = deleted.session.unwrap();
        assert_eq!(deleted.view(at(11)), None);
        assert!(run(&[deleted], &network(1, NetworkReport::Released), at(12)).unwrap().retired);
    }
}
