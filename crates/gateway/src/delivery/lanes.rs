//! Which of the waiting notifications is sent next.
//!
//! Notifications to one receiver share a lane, and a lane has few under way at a time: a receiver
//! that is slow holds up itself and nobody else. Of one session only one is under way, so that a
//! receiver sees its events in order as long as it takes them.

use std::collections::{HashMap, HashSet, VecDeque};

use greenwave_core::{ApplicationId, Event, SessionId};
use greenwave_ledger::{Notification, OutboxId};
use url::Url;

/// How many notifications of one lane may be under way.
const PER_LANE: usize = 4;

/// How many notifications may be under way in all.
const IN_ALL: usize = 256;

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

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Notification>,
    under_way: usize,
    /// Whether it is in the line of those that could send something.
    in_line: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct Lanes {
    queues: HashMap<Lane, Queue>,
    /// The lanes that may have something to send, each once, in the order of their turns.
    line: VecDeque<Lane>,
    under_way: HashMap<OutboxId, (Lane, SessionId)>,
    sessions: HashSet<SessionId>,
    known: HashSet<OutboxId>,
}

impl Lanes {
    /// How many notifications wait.
    pub(super) fn waiting(&self) -> usize {
        self.known.len() - self.under_way.len()
    }

    /// Puts a notification into its lane, unless it is there already.
    pub(super) fn wait(&mut self, lane: Lane, notification: Notification) {
        if !self.known.insert(notification.id) {
            return;
        }
        self.queues.entry(lane.clone()).or_default().waiting.push_back(notification);
        self.stand_in_line(lane);
    }

    /// The next notification to be sent; it is under way from now on.
    pub(super) fn next(&mut self) -> Option<Notification> {
        while self.under_way.len() < IN_ALL {
            let lane = self.line.pop_front()?;
            let Some(queue) = self.queues.get_mut(&lane) else { continue };
            queue.in_line = false;
            if queue.under_way >= PER_LANE {
                continue;
            }
            let free = |waiting: &Notification| !self.sessions.contains(&waiting.event.id.session);
            let Some(at) = queue.waiting.iter().position(free) else { continue };
            let Some(notification) = queue.waiting.remove(at) else { continue };
            queue.under_way += 1;
            let session = notification.event.id.session;
            self.sessions.insert(session);
            self.under_way.insert(notification.id, (lane.clone(), session));
            self.stand_in_line(lane);
            return Some(notification);
        }
        None
    }

    /// A notification is no longer under way.
    pub(super) fn done(&mut self, id: OutboxId) {
        let Some((lane, session)) = self.under_way.remove(&id) else { return };
        self.known.remove(&id);
        self.sessions.remove(&session);
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

    fn notification(id: i64, session: u8, host: &str) -> Notification {
        let session = SessionId::new([session; 16], DeviceKey([0; 16]).bucket());
        let url = format!("https://{host}/events/{id}");
        let event = Event {
            id: EventId { session, ordinal: 1 },
            application: ApplicationId(1),
            rules: RuleSetId::NokiaV0,
            at: Timestamp::UNIX_EPOCH,
            status: QosStatus::Available,
            reason: None,
            sink: Some(Sink { url: Pii::new(url.into()), credential: None }),
        };
        Notification { id: OutboxId(id), event, tries: 0 }
    }

    fn wait(lanes: &mut Lanes, id: i64, session: u8, host: &str) {
        let notification = notification(id, session, host);
        lanes.wait(Lane::of(&notification.event), notification);
    }

    fn next(lanes: &mut Lanes) -> Option<i64> {
        lanes.next().map(|notification| notification.id.0)
    }

    #[test]
    fn a_slow_receiver_holds_up_itself_only() {
        let mut lanes = Lanes::default();
        for id in 0..10 {
            wait(&mut lanes, id, id as u8, "slow.example");
        }
        wait(&mut lanes, 100, 100, "quick.example");
        let mut started = Vec::new();
        while let Some(id) = next(&mut lanes) {
            started.push(id);
        }
        started.sort_unstable();
        assert_eq!(started, [0, 1, 2, 3, 100]);
        assert_eq!(lanes.waiting(), 6);
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
        assert!(lanes.sessions.is_empty() && lanes.waiting() == 0);
    }

    #[test]
    fn there_is_a_limit_to_all_of_them_together() {
        let mut lanes = Lanes::default();
        for id in 0..300 {
            let session = SessionId::new([(id % 256) as u8; 16], DeviceKey([1; 16]).bucket());
            let mut waiting = notification(id, 0, &format!("host-{id}.example"));
            waiting.event.id.session = session;
            waiting.event.id.ordinal = 1;
            if id >= 256 {
                waiting.event.id.session =
                    SessionId::new([id as u8; 16], DeviceKey([0xff; 16]).bucket());
            }
            lanes.wait(Lane::of(&waiting.event), waiting);
        }
        assert_eq!(std::iter::from_fn(|| next(&mut lanes)).count(), IN_ALL);
        lanes.done(OutboxId(0));
        assert!(next(&mut lanes).is_some());
    }
}
