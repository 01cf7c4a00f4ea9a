//! What must hold: the promises, written down as checks on what is on the disk, in the network, at
//! the receivers, and on what clients were told.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenwave::engine::EngineError;
use greenwave_core::{
    ApplicationId, Clock, EndReason, EventId, Owed, Phase, QosStatus, Session, SessionId,
};
use greenwave_ledger::{MemoryDisk, Notification, Outcome as Fate, Seen};
use jiff::Timestamp;

use crate::network::SimulatedNetwork;
use crate::receiver::Receivers;
use crate::world::{Outcome, WorldClock};

/// In a calm world, how late anything may be.
const PATIENCE: Duration = Duration::from_millis(500);

pub(crate) struct Oracle {
    disk: MemoryDisk,
    clock: Arc<WorldClock>,
    calm: bool,
    network: Arc<SimulatedNetwork>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was on the disk when it was looked at last, history included.
    last: BTreeMap<SessionId, Session>,
    history: BTreeSet<SessionId>,
    /// The sessions that a client was told of.
    created: Vec<(SessionId, ApplicationId)>,
    /// Until when a client was promised a session that is available.
    promised: BTreeMap<SessionId, Timestamp>,
    deleting: BTreeSet<SessionId>,
    deleted: BTreeSet<SessionId>,
}

impl Oracle {
    pub(crate) fn new(
        disk: MemoryDisk,
        clock: Arc<WorldClock>,
        calm: bool,
        network: Arc<SimulatedNetwork>,
    ) -> Arc<Self> {
        Arc::new(Self { disk, clock, calm, network, state: Mutex::default() })
    }

    pub(crate) fn created(&self, application: ApplicationId, seen: &Seen) {
        assert_eq!(seen.session.application, application);
        self.state.lock().unwrap().created.push((seen.session.id, application));
        self.promised(seen);
    }

    /// A client has been shown this.
    pub(crate) fn promised(&self, seen: &Seen) {
        if seen.view.status != QosStatus::Available {
            return;
        }
        let expires_at = seen.view.expires_at.unwrap();
        assert!(self.clock.now() < expires_at, "shown as available after its end: {seen:?}");
        let promised = &mut self.state.lock().unwrap().promised;
        let before = promised.insert(seen.session.id, expires_at);
        assert!(before <= Some(expires_at), "its end came nearer: {seen:?}");
    }

    pub(crate) fn deleting(&self, own: bool, session: SessionId) {
        if own {
            self.state.lock().unwrap().deleting.insert(session);
        }
    }

    pub(crate) fn deleted(&self, session: SessionId) {
        self.state.lock().unwrap().deleted.insert(session);
    }

    pub(crate) fn is_deleted(&self, session: SessionId) -> bool {
        self.state.lock().unwrap().deleted.contains(&session)
    }

    /// Until when a client was promised a session that is available.
    pub(crate) fn end_of(&self, session: SessionId) -> Option<Timestamp> {
        self.state.lock().unwrap().promised.get(&session).copied()
    }

    pub(crate) fn known(&self) -> Vec<(SessionId, ApplicationId)> {
        self.state.lock().unwrap().created.clone()
    }

    /// Its owner was told that there is no such session.
    pub(crate) fn not_seen(&self, session: SessionId) {
        let state = self.state.lock().unwrap();
        let until = state.promised.get(&session).copied();
        let there = until.is_some_and(|until| self.clock.now() < until);
        let gone = !self.calm || state.deleting.contains(&session) || !there;
        assert!(gone, "{session} was promised and is not there");
    }

    /// A request came to nothing: that is nobody's fault only where things go wrong.
    pub(crate) fn failed(&self, what: &str, error: &EngineError) {
        let excused = matches!(error, EngineError::Ledger(_)) && !self.calm;
        assert!(excused, "{what} failed: {error}");
    }

    /// What holds at any moment.
    pub(crate) fn judge(&self) {
        let state = &mut *self.state.lock().unwrap();
        let (live, history) = (self.disk.live(), self.disk.history());
        let now = self.clock.now();
        let is_history: BTreeSet<SessionId> = history.iter().map(|session| session.id).collect();
        let mut sessions = BTreeMap::new();
        for session in live.iter().chain(&history) {
            assert!(sessions.insert(session.id, session.clone()).is_none(), "twice: {session:?}");
        }
        for (id, before) in &state.last {
            let Some(after) = sessions.get(id) else { panic!("{id} has vanished") };
            assert!(!state.history.contains(id) || is_history.contains(id), "{id} rose again");
            judge_step(before, after, now);
        }
        for (id, _) in &state.created {
            assert!(sessions.contains_key(id), "{id} was acknowledged and is not there");
        }
        for id in &state.deleted {
            assert!(sessions[id].view(now).is_none(), "{id} was deleted and is there");
        }
        let blamed = self.network.blamed();
        for (id, session) in &sessions {
            judge_end(state, session, blamed.contains(id));
            if let (Some(&promised), Phase::Available { started_at }) =
                (state.promised.get(id), session.phase)
            {
                assert!(started_at + session.duration >= promised, "{id} ends before {promised}");
            }
            if self.calm {
                assert_punctual(session, now);
            }
        }
        judge_flows(&live, now);
        judge_events(&sessions, &self.disk.outbox(), &self.disk.deliveries());
        (state.last, state.history) = (sessions, is_history);
    }

    /// What holds once nothing is under way.
    pub(crate) fn judge_at_rest(&self, rules: &BTreeSet<SessionId>, received: &[EventId]) {
        self.judge();
        let now = self.clock.now();
        let mut available = BTreeSet::new();
        for session in self.disk.live() {
            assert_eq!(session.owed, Owed::Nothing, "still owed: {session:?}");
            match session.phase {
                Phase::Available { started_at } => {
                    assert!(now < started_at + session.duration, "overdue: {session:?}");
                    available.insert(session.id);
                }
                Phase::Ended(end) => assert!(end.readable_until > Some(now), "left: {session:?}"),
                _ => panic!("not at rest: {session:?}"),
            }
        }
        assert_eq!(*rules, available, "the network is not as the ledger says");
        for (notification, fate) in self.disk.deliveries() {
            let delivered = fate == Fate::Delivered;
            let event = notification.event.id;
            assert!(!delivered || received.contains(&event), "{event} was not received");
        }
        let known: BTreeSet<EventId> =
            self.disk.deliveries().iter().map(|(notification, _)| notification.event.id).collect();
        assert!(received.iter().all(|event| known.contains(event)), "an event out of nowhere");
    }

    pub(crate) fn outcome(&self, crashes: u64, receivers: &Receivers) -> Outcome {
        let mut hasher = DefaultHasher::new();
        format!("{:?}", self.disk.history()).hash(&mut hasher);
        format!("{:?}", self.disk.live()).hash(&mut hasher);
        format!("{:?}", receivers.received()).hash(&mut hasher);
        Outcome {
            sessions: self.state.lock().unwrap().last.len() as u64,
            crashes,
            events: receivers.received().len() as u64,
            mark: hasher.finish(),
        }
    }
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
fn judge_step(before: &Session, after: &Session, now: Timestamp) {
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
fn judge_end(state: &State, session: &Session, blamed: bool) {
    let (Phase::Ending(end) | Phase::Ended(end)) = session.phase else { return };
    match end.reason {
        EndReason::DeleteRequested => {
            assert!(state.deleting.contains(&session.id), "nobody deleted {session:?}");
        }
        EndReason::DurationExpired => {
            let promised = state.promised.get(&session.id);
            assert!(promised.is_none_or(|&until| end.ended_at >= until), "early: {session:?}");
        }
        // The network had a hand in it, or was not asked in time because nobody was there to ask.
        EndReason::NetworkTerminated => {
            let in_vain = end.started_at.is_none() && end.ended_at >= session.gives_up_at();
            assert!(blamed || in_vain, "without a cause: {session:?}");
        }
    }
}

fn assert_punctual(session: &Session, now: Timestamp) {
    let due_at = match session.phase {
        Phase::Requested => session.created_at,
        Phase::Available { started_at } => started_at + session.duration,
        Phase::Ending(end) => end.ended_at,
        Phase::Ended(_) => return,
    };
    assert!(now < due_at + PATIENCE, "late: {session:?}");
}

/// Nobody gets into another one's way.
fn judge_flows(live: &[Session], now: Timestamp) {
    for (at, one) in live.iter().enumerate() {
        for other in &live[at + 1..] {
            let apart = one.device != other.device || one.application == other.application;
            let seen = one.view(now).is_some() && other.view(now).is_some();
            let overlap = !apart && seen && one.asked.flow().overlaps(&other.asked.flow());
            assert!(!overlap, "{one:?} and {other:?} are for one flow");
        }
    }
}

/// Each change of status has one event, which is waiting, delivered or given up.
fn judge_events(
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
        assert_eq!(session.events, changes, "not one event for each change: {session:?}");
    }
    assert!(events.is_empty(), "events of no session: {events:?}");
}
