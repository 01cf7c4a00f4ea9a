//! What must hold: the promises, written down as checks on what is on the disk, in the network, at
//! the receivers, and on what clients were told.

mod forgetting;
mod life;

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use greenwave::engine::EngineError;
use greenwave_core::{
    ApplicationId, Clock, EndReason, EventId, Owed, Phase, QosStatus, RuleSetId, Session,
    SessionId, Subject,
};
use greenwave_ledger::{MemoryDisk, Outcome as Fate, Seen};
use jiff::Timestamp;

use self::forgetting::Forgetting;
use self::life::Blame;
use crate::network::SimulatedNetwork;
use crate::receiver::Receivers;
use crate::world::{Outcome, WorldClock};

pub(crate) struct Oracle {
    disk: MemoryDisk,
    clock: Arc<WorldClock>,
    calm: bool,
    network: Arc<SimulatedNetwork>,
    state: Mutex<State>,
}

/// A session or an assignment that a client was told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) id: SessionId,
    pub(crate) owner: ApplicationId,
    /// The rules that it was made under.
    pub(crate) rules: RuleSetId,
}

#[derive(Default)]
struct State {
    /// What was on the disk when it was looked at last, history included.
    last: BTreeMap<SessionId, Session>,
    history: BTreeSet<SessionId>,
    /// How often it was looked at.
    looks: u64,
    /// In which look each was seen first.
    appeared: BTreeMap<SessionId, u64>,
    created: Vec<Known>,
    /// Until when a client was promised a session that is available.
    promised: BTreeMap<SessionId, Timestamp>,
    /// How often its owner has begun to delete each, and was told that it is deleted.
    deleting: BTreeMap<SessionId, u32>,
    deleted: BTreeMap<SessionId, u32>,
    /// How often everything is being forgotten at the moment.
    forgets: usize,
    /// What was there meanwhile, and what is forgotten for sure.
    maybe_forgotten: BTreeSet<SessionId>,
    forgotten: BTreeSet<SessionId>,
}

impl State {
    fn deletes_begun(&self, session: SessionId) -> u32 {
        self.deleting.get(&session).copied().unwrap_or_default()
    }

    /// Whether nobody can see it any more. An assignment that was deleted can be seen until it is
    /// deleted again.
    fn is_gone(&self, id: SessionId) -> bool {
        let deletes = self.deleted.get(&id).copied().unwrap_or_default();
        let shown = |session: &Session| match session.phase {
            Phase::Ending(end) | Phase::Ended(end) => {
                session.rules.subject() == Subject::Assignment
                    && end.reason == EndReason::DeleteRequested
            }
            Phase::Requested | Phase::Available { .. } => false,
        };
        let enough = if self.last.get(&id).is_some_and(shown) { 2 } else { 1 };
        self.forgotten.contains(&id) || deletes >= enough
    }
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
        let known = Known { id: seen.session.id, owner: application, rules: seen.session.rules };
        self.state.lock().unwrap().created.push(known);
        self.promised(seen);
    }

    /// A client has been shown this.
    pub(crate) fn promised(&self, seen: &Seen) {
        if seen.view.status != QosStatus::Available {
            return;
        }
        let lasts = seen.session.rules.subject() == Subject::Assignment;
        assert_eq!(seen.view.expires_at.is_none(), lasts, "{seen:?}");
        let Some(expires_at) = seen.view.expires_at else { return };
        assert!(self.clock.now() < expires_at, "shown as available after its end: {seen:?}");
        let promised = &mut self.state.lock().unwrap().promised;
        let before = promised.insert(seen.session.id, expires_at);
        assert!(before <= Some(expires_at), "its end came nearer: {seen:?}");
    }

    pub(crate) fn deleting(&self, own: bool, session: SessionId) {
        if own {
            *self.state.lock().unwrap().deleting.entry(session).or_default() += 1;
        }
    }

    pub(crate) fn deleted(&self, session: SessionId) {
        *self.state.lock().unwrap().deleted.entry(session).or_default() += 1;
    }

    pub(crate) fn is_gone(&self, session: SessionId) -> bool {
        self.state.lock().unwrap().is_gone(session)
    }

    /// Everything is to be forgotten.
    pub(crate) fn forgetting(self: &Arc<Self>) -> Forgetting {
        Forgetting::begin(self)
    }

    /// Until when a client was promised a session that is available.
    pub(crate) fn end_of(&self, session: SessionId) -> Option<Timestamp> {
        self.state.lock().unwrap().promised.get(&session).copied()
    }

    pub(crate) fn known(&self) -> Vec<Known> {
        self.state.lock().unwrap().created.clone()
    }

    /// Its owner was told that there is no such session. Where the clock is never set, nothing that
    /// could not be seen can be seen later.
    pub(crate) fn not_seen(&self, id: SessionId) {
        let live = self.disk.live();
        let session = live.iter().find(|session| session.id == id);
        let seen = session.and_then(|session| session.view(self.clock.now()));
        assert!(!self.calm || seen.is_none(), "it was not to be seen and is there: {session:?}");
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
            state.appeared.entry(session.id).or_insert(state.looks);
        }
        state.looks += 1;
        if state.forgets > 0 {
            state.maybe_forgotten.extend(live.iter().map(|session| session.id));
        }
        for (id, before) in &state.last {
            let Some(after) = sessions.get(id) else { panic!("{id} has vanished") };
            assert!(!state.history.contains(id) || is_history.contains(id), "{id} rose again");
            life::judge_step(before, after, now);
        }
        for Known { id, .. } in &state.created {
            assert!(sessions.contains_key(id), "{id} was acknowledged and is not there");
        }
        self.judge_each(state, &sessions, now);
        life::judge_neighbours(state, &live, now);
        life::judge_events(state, &sessions, &self.disk.outbox(), &self.disk.deliveries());
        (state.last, state.history) = (sessions, is_history);
        for id in state.deleted.keys().chain(&state.forgotten) {
            let view = state.last[id].view(now);
            assert!(view.is_none() || !state.is_gone(*id), "{id} was deleted and is there");
            let over = view.is_none_or(|view| view.status == QosStatus::Unavailable);
            assert!(over, "{id} was deleted and is in force");
        }
    }

    fn judge_each(&self, state: &State, sessions: &BTreeMap<SessionId, Session>, now: Timestamp) {
        let (blamed, denied) = (self.network.blamed(), self.network.denied());
        let (rules, stranded) = (self.network.rules(), self.network.stranded());
        for (id, session) in sessions {
            let blame = Blame { something: blamed.contains(id), denied: denied.contains(id) };
            life::judge_end(state, session, blame);
            life::judge_readable(state, session);
            if let (Some(&promised), Phase::Available { started_at }) =
                (state.promised.get(id), session.phase)
            {
                let expiry = session.course().expiry(started_at);
                assert!(expiry >= Some(promised), "{id} ends before {promised}");
            }
            if self.calm {
                life::assert_punctual(session, stranded.contains(id), now);
                let device = self.network.whereabouts(session.device);
                life::assert_applied(session, rules.contains(id), device, now);
            }
        }
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
                    let expiry = session.course().expiry(started_at);
                    assert!(expiry.is_none_or(|expiry| now < expiry), "overdue: {session:?}");
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
