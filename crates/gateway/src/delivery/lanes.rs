//! Which of the waiting notifications is sent next.
//!
//! Notifications to one receiver share a lane, and a lane has few under way at a time: a receiver
//! that is slow holds up itself and nobody else, and an application with many slow receivers holds
//! up its own. Of one session only one is under way, so that a receiver sees its events in order as
//! long as it takes them.

use std::collections::{HashMap, HashSet, VecDeque};

use greenwave_core::{ApplicationId, Event, SessionId};
use greenwave_ledger::OutboxId;
use url::Url;

/// How many notifications of one lane may be under way.
const PER_LANE: usize = 4;

/// How many notifications of one application may be under way.
const PER_APPLICATION: usize = 32;

/// How many notifications may be under way in all.
const IN_ALL: usize = 256;

/// How many may wait in one lane. What waits is small: its row holds the rest.
const WAITING: usize = 65_536;

/// A receiver of one application: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    application: ApplicationId,
    origin: String,
}

impl Lane {
    pub(super) fn of(event: &Event) -> Self {
        let url = event.sink.as_ref().and_then(|sink| Url::parse(sink.url.expose()).ok());
        let origin = url.map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        Self { application: event.application, origin }
    }
}

/// A notification that waits for its turn.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    id: OutboxId,
    session: SessionId,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    under_way: usize,
    /// Whether it is in the line of those that could send something, or held back.
    in_line: bool,
}

/// What an application has under way, and its lanes that are held back until that is less.
#[derive(Default)]
struct Share {
    under_way: usize,
    held_back: VecDeque<Lane>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Lanes {
    queues: HashMap<Lane, Queue>,
    shares: HashMap<ApplicationId, Share>,
    /// The lanes that may have something to send, each once, in the order of their turns.
    line: VecDeque<Lane>,
    under_way: HashMap<OutboxId, (Lane, SessionId)>,
    sessions: HashSet<SessionId>,
    known: HashSet<OutboxId>,
}

impl Lanes {
    /// Puts a notification into its lane, unless it is there already. Tells whether there was room.
    pub(super) fn wait(&mut self, lane: Lane, id: OutboxId, session: SessionId) -> bool {
        if self.known.contains(&id) {
            return true;
        }
        let queue = self.queues.entry(lane.clone()).or_default();
        if queue.waiting.len() >= WAITING {
            return false;
        }
        queue.waiting.push_back(Waiting { id, session });
        self.known.insert(id);
        self.stand_in_line(lane);
        true
    }

    /// The next notification to be sent; it is under way from now on.
    pub(super) fn next(&mut self) -> Option<OutboxId> {
        while self.under_way.len() < IN_ALL {
            let lane = self.line.pop_front()?;
            let share = self.shares.entry(lane.application).or_default();
            if share.under_way >= PER_APPLICATION {
                share.held_back.push_back(lane);
                continue;
            }
            let Some(queue) = self.queues.get_mut(&lane) else { continue };
            queue.in_line = false;
            if queue.under_way >= PER_LANE {
                continue;
            }
            let free = |waiting: &Waiting| !self.sessions.contains(&waiting.session);
            let Some(at) = queue.waiting.iter().position(free) else { continue };
            let Some(Waiting { id, session }) = queue.waiting.remove(at) else { continue };
            queue.under_way += 1;
            share.under_way += 1;
            self.sessions.insert(session);
            self.under_way.insert(id, (lane.clone(), session));
            self.stand_in_line(lane);
            return Some(id);
        }
        None
    }

    /// A notification is no longer under way.
    pub(super) fn done(&mut self, id: OutboxId) {
        let Some((lane, session)) = self.under_way.remove(&id) else { return };
        self.known.remove(&id);
        self.sessions.remove(&session);
        if let Some(share) = self.shares.get_mut(&lane.application) {
            share.under_way -= 1;
            self.line.extend(share.held_back.pop_front());
            if share.under_way == 0 && share.held_back.is_empty() {
                self.shares.remove(&lane.application);
            }
        }
        if let Some(queue) = self.queues.get_mut(&lane) {
            queue.under_way -= 1;
            if queue.under_way == 0 && queue.waiting.is_empty() {
                self.queues.remove(&lane);
                return;
            }
        }
        self.stand_in_line(lane);
    }

    fn stand_in_line(&mut self, lane: Lane) {
        let Some(queue) = self.queues.get_mut(&lane) else { return };
        if !queue.in_line && !queue.waiting.is_empty() {
            queue.in_line = true;
            self.line.push_back(lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use greenwave_core::{DeviceKey, EventId, Pii, QosStatus, RuleSetId, Sink};
    use jiff::Timestamp;

    use super::*;

    /// An event of session `session`, whose application has the number of its host.
    fn event(session: u16, host: &str) -> Event {
        let mut random = [0; 16];
        random[14..].copy_from_slice(&session.to_be_bytes());
        let session = SessionId::new(random, DeviceKey([0; 16]).bucket());
        let application = host.split('.').next().and_then(|name| name.parse().ok()).unwrap_or(0);
        let url = format!("https://{host}/events");
        Event {
            id: EventId { session, ordinal: 1 },
            application: ApplicationId(application),
            rules: RuleSetId::NokiaV0,
            at: Timestamp::UNIX_EPOCH,
            status: QosStatus::Available,
            reason: None,
            sink: Some(Sink { url: Pii::new(url.into()), credential: None }),
        }
    }

    fn wait(lanes: &mut Lanes, id: i64, session: u16, host: &str) -> bool {
        let event = event(session, host);
        lanes.wait(Lane::of(&event), OutboxId(id), event.id.session)
    }

    fn next(lanes: &mut Lanes) -> Option<i64> {
        lanes.next().map(|id| id.0)
    }

    #[test]
    fn a_slow_receiver_holds_up_itself_only() {
        let mut lanes = Lanes::default();
        for id in 0..10 {
            wait(&mut lanes, id, id as u16, "slow.example");
        }
        wait(&mut lanes, 100, 100, "quick.example");
        let mut started = Vec::new();
        while let Some(id) = next(&mut lanes) {
            started.push(id);
        }
        started.sort_unstable();
        assert_eq!(started, [0, 1, 2, 3, 100]);
        lanes.done(OutboxId(2));
        assert_eq!(next(&mut lanes), Some(4));
        assert_eq!(next(&mut lanes), None);
    }

    #[test]
    fn the_events_of_a_session_go_one_after_the_other() {
        let mut lanes = Lanes::default();
        wait(&mut lanes, 1, 7, "a.example");
        wait(&mut lanes, 2, 7, "a.example");
        wait(&mut lanes, 3, 8, "a.example");
        assert_eq!(next(&mut lanes), Some(1));
        assert_eq!(next(&mut lanes), Some(3));
        assert_eq!(next(&mut lanes), None);
        lanes.done(OutboxId(1));
        assert_eq!(next(&mut lanes), Some(2));
    }

    #[test]
    fn nothing_is_sent_twice_at_once_and_nothing_is_left() {
        let mut lanes = Lanes::default();
        wait(&mut lanes, 1, 1, "a.example");
        wait(&mut lanes, 1, 1, "a.example");
        assert_eq!(next(&mut lanes), Some(1));
        wait(&mut lanes, 1, 1, "a.example");
        assert_eq!(next(&mut lanes), None);
        lanes.done(OutboxId(1));
        lanes.done(OutboxId(1));
        assert!(lanes.queues.is_empty() && lanes.line.is_empty() && lanes.known.is_empty());
        assert!(lanes.sessions.is_empty() && lanes.shares.is_empty());
    }

    #[test]
    fn there_is_a_limit_to_all_of_them_together() {
        let mut lanes = Lanes::default();
        for id in 0..300 {
            wait(&mut lanes, id, id as u16, &format!("{id}.example"));
        }
        assert_eq!(std::iter::from_fn(|| next(&mut lanes)).count(), IN_ALL);
        lanes.done(OutboxId(0));
        assert!(next(&mut lanes).is_some());
    }

    #[test]
    fn an_application_with_many_slow_receivers_holds_up_its_own_only() {
        let mut lanes = Lanes::default();
        for id in 0..300 {
            wait(&mut lanes, id, id as u16, &format!("1.host-{id}.example"));
        }
        wait(&mut lanes, 1_000, 1_000, "2.example");
        let started: Vec<i64> = std::iter::from_fn(|| next(&mut lanes)).collect();
        assert_eq!(started.len(), PER_APPLICATION + 1);
        assert!(started.contains(&1_000));
        // One after the other, all have their turn.
        let mut done = 0;
        let mut under_way = started;
        while let Some(id) = under_way.pop() {
            lanes.done(OutboxId(id));
            done += 1;
            under_way.extend(std::iter::from_fn(|| next(&mut lanes)));
        }
        assert_eq!(done, 301);
        assert!(lanes.queues.is_empty() && lanes.shares.is_empty() && lanes.line.is_empty());
    }

    #[test]
    fn a_lane_that_is_full_takes_no_more() {
        let mut lanes = Lanes::default();
        for id in 0..WAITING as i64 {
            assert!(wait(&mut lanes, id, 0, "slow.example"));
        }
        assert!(!wait(&mut lanes, -1, 0, "slow.example"));
        assert!(wait(&mut lanes, 0, 0, "slow.example"), "it is there already");
        assert!(wait(&mut lanes, -1, 0, "quick.example"));
    }
}
