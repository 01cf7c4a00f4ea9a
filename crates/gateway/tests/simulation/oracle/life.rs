//! What must hold for the life of each session, and between sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use greenwave_core::rules::OwnOverlap;
use greenwave_core::{EndReason, Phase, QosStatus, Session, SessionId, Subject};
use greenwave_ledger::{Notification, Outcome as Fate};
use jiff::Timestamp;

use super::State;
use crate::attachment::Whereabouts;

/// In a calm world, how late anything may be.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long the network may take to grant anything.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(60);

/// How long what is over can still be seen, if it can.
const READABLE: Duration = Duration::from_secs(360);

/// What the network has done to a session.
#[derive(Clone, Copy)]
pub(super) struct Blame {
    /// It was at least slow.
    pub(super) something: bool,
    /// It has refused the session, or said that it has ended.
    pub(super) denied: bool,
}

fn rank(phase: &Phase) -> u8 {
    match phase {
        Phase::Requested => 0,
        Phase::Available { .. } => 1,
        Phase::Ending(_) => 2,
        Phase::Ended(_) => 3,
    }
}

/// A life is a path of the legal graph.
pub(super) fn judge_step(before: &Session, after: &Session, now: Timestamp) {
    let (from, to) = (rank(&before.phase), rank(&after.phase));
    assert!(from <= to || (from == 3 && to == 2), "{before:?} became {after:?}");
    assert!(before.events <= after.events, "events were forgotten: {after:?}");
    assert_eq!((before.device, &before.asked), (after.device, &after.asked));
    match (before.phase, after.phase) {
        (Phase::Available { started_at: was }, Phase::Available { started_at }) => {
            assert!(was == started_at && before.duration <= after.duration, "{after:?}");
        }
        (Phase::Requested | Phase::Available { .. }, Phase::Ending(end) | Phase::Ended(end))
            if end.reason == EndReason::DurationExpired =>
        {
            assert!(now >= end.ended_at, "ended before its time: {after:?}");
            assert_eq!(end.started_at.map(|at| at + after.duration), Some(end.ended_at));
        }
        _ => {}
    }
}

/// No session ends without a cause.
pub(super) fn judge_end(state: &State, session: &Session, blame: Blame) {
    let (Phase::Ending(end) | Phase::Ended(end)) = session.phase else { return };
    let lasts = session.rules.subject() == Subject::Assignment;
    match end.reason {
        EndReason::DeleteRequested => {
            let wanted = state.deletes_begun(session.id) > 0;
            let forgotten = state.maybe_forgotten.contains(&session.id);
            assert!(wanted || forgotten, "nobody deleted {session:?}");
        }
        EndReason::DurationExpired => {
            assert!(!lasts, "an assignment has expired: {session:?}");
            let promised = state.promised.get(&session.id);
            assert!(promised.is_none_or(|&until| end.ended_at >= until), "early: {session:?}");
        }
        // The network had a hand in it, or was not asked in time because nobody was there to ask.
        // An assignment outlives what is not meant.
        EndReason::NetworkTerminated => {
            let in_vain = end.started_at.is_none() && end.ended_at >= session.gives_up_at();
            let blamed = if lasts { blame.denied } else { blame.something };
            assert!(blamed || in_vain, "without a cause: {session:?}");
        }
    }
}

/// What is over can be seen for as long as it should, unless somebody has no more need of it.
pub(super) fn judge_readable(state: &State, session: &Session) {
    let (Phase::Ending(end) | Phase::Ended(end)) = session.phase else { return };
    let lasts = session.rules.subject() == Subject::Assignment;
    let (readable, deletes) = match end.reason {
        EndReason::DurationExpired => (false, 0),
        EndReason::DeleteRequested => (lasts, 1),
        EndReason::NetworkTerminated => (true, 0),
    };
    let forgotten = state.maybe_forgotten.contains(&session.id);
    if !forgotten && state.deletes_begun(session.id) <= deletes {
        let until = readable.then(|| end.ended_at + READABLE);
        assert_eq!(end.readable_until, until, "{session:?}");
    }
}

/// In a calm world everything comes at its time; what finds its device away has longer.
pub(super) fn assert_punctual(session: &Session, stranded: bool, now: Timestamp) {
    let due_at = match session.phase {
        Phase::Requested if stranded => Some(session.created_at + GIVEN_UP_AFTER),
        Phase::Requested => Some(session.created_at),
        Phase::Available { started_at } => session.course().expiry(started_at),
        Phase::Ending(end) => Some(end.ended_at),
        Phase::Ended(_) => None,
    };
    assert!(due_at.is_none_or(|due_at| now < due_at + PATIENCE), "late: {session:?}");
}

/// In a calm world the network has the rules of what is available, soon after a device is back at
/// the latest, and none of what is over.
pub(super) fn assert_applied(
    session: &Session,
    has_rule: bool,
    device: Whereabouts,
    now: Timestamp,
) {
    match (session.phase, device) {
        (Phase::Available { .. }, Whereabouts::Here(since)) => {
            let settled = since.is_none_or(|since| since >= PATIENCE);
            assert!(!settled || has_rule, "not put back: {session:?}");
        }
        (Phase::Available { .. }, Whereabouts::Away(since)) => {
            let lasts = session.rules.subject() == Subject::Assignment;
            assert!(lasts || since < PATIENCE, "its device has left: {session:?}");
        }
        (Phase::Ended(end), _) => {
            assert!(!has_rule || now < end.ended_at + PATIENCE, "a rule is left: {session:?}");
        }
        (Phase::Requested | Phase::Ending(_), _) => {}
    }
}

/// Nobody gets into another one's way, nor into their own where the rules forbid it; and a device
/// has one assignment at most.
pub(super) fn judge_neighbours(state: &State, live: &[Session], now: Timestamp) {
    for (at, one) in live.iter().enumerate() {
        for other in &live[at + 1..] {
            let (Some(view), Some(others)) = (one.view(now), other.view(now)) else { continue };
            if one.device != other.device {
                continue;
            }
            match (one.rules.subject(), other.rules.subject()) {
                (Subject::Session, Subject::Session) => {
                    let overlap = one.asked.flow().overlaps(&other.asked.flow());
                    let allowed = !overlap || may_overlap(state, one, other);
                    assert!(allowed, "{one:?} and {other:?} are for one flow");
                }
                (Subject::Assignment, Subject::Assignment) => {
                    let over = |status| status == QosStatus::Unavailable;
                    let allowed = over(view.status) || over(others.status);
                    assert!(allowed, "{one:?} and {other:?} are for one device");
                }
                _ => {}
            }
        }
    }
}

/// The later one's rules decide, for sessions of one application.
fn may_overlap(state: &State, one: &Session, other: &Session) -> bool {
    let came = |session: &Session| (state.appeared.get(&session.id), session.created_at);
    let allows = |session: &Session| session.rules.rules().own_overlap == OwnOverlap::Allowed;
    let by_rules = match came(one).cmp(&came(other)) {
        std::cmp::Ordering::Less => allows(other),
        std::cmp::Ordering::Equal => allows(one) || allows(other),
        std::cmp::Ordering::Greater => allows(one),
    };
    one.application == other.application && by_rules
}

/// Each change of status has one event, which is waiting, delivered or given up.
pub(super) fn judge_events(
    state: &State,
    sessions: &BTreeMap<SessionId, Session>,
    outbox: &[Notification],
    deliveries: &[(Notification, Fate)],
) {
    let mut events: BTreeMap<SessionId, BTreeSet<u8>> = BTreeMap::new();
    let settled = deliveries.iter().map(|(notification, _)| notification);
    for Notification { event, .. } in outbox.iter().chain(settled) {
        let new = events.entry(event.id.session).or_default().insert(event.id.ordinal);
        assert!(new, "an event twice: {event:?}");
    }
    for session in sessions.values() {
        let told = events.remove(&session.id).unwrap_or_default();
        let made = if session.asked.sink.is_some() { session.events } else { 0 };
        assert!(told.into_iter().eq(1..=made), "events are missing: {session:?}");
        let changes = match session.phase {
            Phase::Requested => 0,
            Phase::Available { .. } => 1,
            Phase::Ending(end) | Phase::Ended(end) => {
                let silent = end.reason == EndReason::DeleteRequested && end.started_at.is_none();
                u8::from(end.started_at.is_some()) + u8::from(!silent)
            }
        };
        let told = session.events..=session.events + 1;
        let untold = is_untold(state, session);
        let told = untold.map_or(told, |untold| {
            let all = session.events + u8::from(untold);
            all..=all
        });
        assert!(told.contains(&changes), "not one event for each change: {session:?}");
    }
    assert!(events.is_empty(), "events of no session: {events:?}");
}

/// Whether its end was told to nobody, because it was forgotten; `None` if that, or a deletion, has
/// ended it.
fn is_untold(state: &State, session: &Session) -> Option<bool> {
    let (Phase::Ending(end) | Phase::Ended(end)) = session.phase else { return Some(false) };
    let by_somebody = end.reason == EndReason::DeleteRequested && end.started_at.is_some();
    let maybe = by_somebody && state.maybe_forgotten.contains(&session.id);
    if maybe && state.deletes_begun(session.id) > 0 { None } else { Some(maybe) }
}
