//! A new session.

use jiff::Timestamp;

use super::{
    Changes, Create, DeviceState, KEPT_SESSIONS_PER_DEVICE, LIVE_SESSIONS_PER_DEVICE, Refusal, due,
};
use crate::rules::{OwnOverlap, Subject};
use crate::session::{Attempts, Owed, Phase, QosStatus, Session};

pub(super) fn create(
    state: &DeviceState,
    create: &Create,
    now: Timestamp,
) -> Result<Changes, Refusal> {
    check_room(state, create, now)?;
    let rules = create.rules.rules();
    match rules.subject {
        Subject::Session => check_flow(state, create, rules.own_overlap, now)?,
        Subject::Assignment => check_assignment(state, now)?,
    }
    let session = Session {
        id: create.id,
        device: create.device,
        application: create.application,
        rules: create.rules,
        asked: create.asked.clone(),
        created_at: now,
        duration: create.duration,
        phase: Phase::Requested,
        owed: Owed::Provision(Attempts { made: 0, next_at: now }),
        events: 0,
    };
    Ok(due::try_again(session, now))
}

fn check_room(state: &DeviceState, create: &Create, now: Timestamp) -> Result<(), Refusal> {
    if state.sessions.len() >= KEPT_SESSIONS_PER_DEVICE {
        return Err(Refusal::DeviceBusy);
    }
    let own = state.sessions.iter().filter(|session| session.application == create.application);
    if own.filter(|session| session.view(now).is_some()).count() >= LIVE_SESSIONS_PER_DEVICE {
        return Err(Refusal::TooManySessions { limit: LIVE_SESSIONS_PER_DEVICE });
    }
    Ok(())
}

/// A device has one assignment at most. One that is over is not in the way of the next.
fn check_assignment(state: &DeviceState, now: Timestamp) -> Result<(), Refusal> {
    let in_the_way = |session: &Session| {
        session.rules.subject() == Subject::Assignment
            && session.view(now).is_some_and(|view| view.status != QosStatus::Unavailable)
    };
    if state.sessions.iter().any(in_the_way) { Err(Refusal::Assigned) } else { Ok(()) }
}

/// A session is in the way as long as a client can see it, be it available or not.
fn check_flow(
    state: &DeviceState,
    create: &Create,
    own_overlap: OwnOverlap,
    now: Timestamp,
) -> Result<(), Refusal> {
    let own_may_overlap = own_overlap == OwnOverlap::Allowed;
    let may_be = |session: &&Session| {
        let harmless = own_may_overlap && session.application == create.application;
        !harmless && session.rules.subject() == Subject::Session && session.view(now).is_some()
    };
    if !state.sessions.iter().any(|session| may_be(&session)) {
        return Ok(());
    }
    let flow = create.asked.flow();
    let in_the_way = state.sessions.iter().filter(may_be);
    let in_the_way = in_the_way.filter(|session| session.asked.flow().overlaps(&flow));
    let mut own = None;
    for session in in_the_way {
        if session.application != create.application {
            return Err(Refusal::Conflict);
        }
        own = own.or(Some(session.id));
    }
    own.map_or(Ok(()), |id| Err(Refusal::OwnConflict(id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::testing::{
        APPLICATION, NONE, OTHER_APPLICATION, asked, at, create, live, network, run, sessions,
    };
    use crate::decide::{Command, Effect, NetworkReport, decide};
    use crate::session::QosStatus;

    #[test]
    fn a_new_session_is_requested_and_the_network_is_asked_at_once() {
        let changes = run(&NONE, &create(1, APPLICATION, "203.0.113.5"), at(0)).unwrap();
        let session = changes.session.unwrap();
        let view = session.view(at(0)).unwrap();
        assert_eq!(view.status, QosStatus::Requested);
        assert_eq!((view.started_at, view.expires_at), (None, None));
        assert_eq!(changes.effects, [Effect::Provision(session.order())]);
    }

    #[test]
    fn another_applications_overlapping_session_is_a_conflict() {
        let theirs = live(1, OTHER_APPLICATION, "203.0.113.0/24", at(0));
        let command = create(2, APPLICATION, "203.0.113.5");
        assert_eq!(run(&[&theirs], &command, at(1)), Err(Refusal::Conflict));
        let elsewhere = create(2, APPLICATION, "198.51.100.5");
        assert!(run(&[theirs], &elsewhere, at(1)).is_ok());
    }

    #[test]
    fn own_sessions_may_overlap_under_nokias_rules() {
        let mine = live(1, APPLICATION, "203.0.113.5", at(0));
        assert!(run(&[mine], &create(2, APPLICATION, "203.0.113.5"), at(1)).is_ok());
    }

    #[test]
    fn own_sessions_are_a_conflict_where_the_rules_say_so() {
        let check = |sessions: Vec<Session>, application| {
            let Command::Create(create) = create(9, application, "203.0.113.5") else {
                unreachable!()
            };
            check_flow(&DeviceState { sessions }, &create, OwnOverlap::Conflict, at(1))
        };
        let mine = live(1, APPLICATION, "203.0.113.5", at(0));
        let theirs = live(2, OTHER_APPLICATION, "203.0.113.5", at(0));
        assert_eq!(check(vec![mine.clone()], APPLICATION), Err(Refusal::OwnConflict(mine.id)));
        let both = vec![mine.clone(), theirs];
        assert_eq!(check(both, APPLICATION), Err(Refusal::Conflict), "nothing more may be told");
        let elsewhere = live(3, APPLICATION, "198.51.100.1", at(0));
        assert_eq!(check(vec![elsewhere], APPLICATION), Ok(()));
    }

    #[test]
    fn what_the_network_ended_is_in_the_way_until_it_is_gone() {
        let theirs = live(1, OTHER_APPLICATION, "203.0.113.5", at(0));
        let ended = run(&[theirs], &network(1, NetworkReport::Ended), at(10)).unwrap();
        let ended = ended.session.unwrap();
        let command = create(2, APPLICATION, "203.0.113.5");
        assert_eq!(run(&[&ended], &command, at(369)), Err(Refusal::Conflict));
        assert!(run(&[ended], &command, at(370)).is_ok());
    }

    #[test]
    fn what_has_expired_is_not_in_the_way_however_late_the_worker_is() {
        let theirs = live(1, OTHER_APPLICATION, "203.0.113.5", at(0));
        let command = create(2, APPLICATION, "203.0.113.5");
        assert_eq!(run(&[&theirs], &command, at(59)), Err(Refusal::Conflict));
        assert!(run(&[theirs], &command, at(60)).is_ok());
    }

    #[test]
    fn at_most_a_hundred_live_sessions_of_one_application() {
        let command = create(200, APPLICATION, "203.0.113.5");
        let mine = sessions(100, APPLICATION, at(0));
        let refusal = Refusal::TooManySessions { limit: 100 };
        assert_eq!(run(&mine, &command, at(1)), Err(refusal));
        assert!(run(&mine[1..], &command, at(1)).is_ok());
        assert!(run(&mine, &command, at(60)).is_ok(), "what has expired does not count");
        let state = DeviceState { sessions: mine };
        let mut theirs = create(200, OTHER_APPLICATION, "203.0.113.5");
        let Command::Create(inner) = &mut theirs else { unreachable!() };
        inner.asked = std::sync::Arc::new(asked("198.51.100.1"));
        assert!(decide(&state, &theirs, at(1)).is_ok());
    }

    #[test]
    fn what_waits_for_the_network_is_bounded_too() {
        let past = sessions(KEPT_SESSIONS_PER_DEVICE, APPLICATION, at(0));
        let command = create(2_000, APPLICATION, "203.0.113.5");
        assert_eq!(run(&past, &command, at(60)), Err(Refusal::DeviceBusy));
    }
}
