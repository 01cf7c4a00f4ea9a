//! What the network was asked for and has said nothing of yet.

use std::collections::VecDeque;
use std::sync::Arc;

use greenwave_core::{Asked, DeviceKey, SessionId};
use hashbrown::HashMap;
use jiff::Timestamp;

use super::cell::Share;

/// How many entries of the line may mean nothing any more, beside as many as there are sessions.
const SLACK: usize = 1_024;

/// The sessions that were asked for, and the line in which most of them wait for their moment.
///
/// All wait equally long, so whoever comes last is due last. Whoever leaves keeps its place in the
/// line, which means nothing any more.
#[derive(Default)]
pub(super) struct PendingSessions {
    sessions: HashMap<SessionId, Waiting>,
    line: VecDeque<Place>,
    last_number: u64,
}

/// A session that was asked for. Its share of the cell is taken.
pub(super) struct Pending {
    pub(super) device: DeviceKey,
    pub(super) asked: Arc<Asked>,
    pub(super) share: Share,
    pub(super) outcome: Outcome,
}

/// What an event will say of a session that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Granted,
    GrantedTwice,
    Refused,
    /// There will be no event.
    Silence,
}

struct Waiting {
    pending: Pending,
    /// Of its place in the line, if it has one.
    number: u64,
}

struct Place {
    due: Timestamp,
    session: SessionId,
    /// Never given out again: a session that was taken back and asked for anew has another one.
    number: u64,
}

impl PendingSessions {
    pub(super) fn contains(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// Has a session wait until it is due, or for ever. Tells whether it is the first in the line.
    pub(super) fn add(
        &mut self,
        session: SessionId,
        pending: Pending,
        due: Option<Timestamp>,
    ) -> bool {
        self.last_number += 1;
        let number = self.last_number;
        self.sessions.insert(session, Waiting { pending, number });
        let Some(due) = due else { return false };
        let is_first = self.line.is_empty();
        self.line.push_back(Place { due, session, number });
        is_first
    }

    /// Takes a session out before it is due.
    pub(super) fn take(&mut self, session: SessionId) -> Option<Pending> {
        if self.sessions.is_empty() {
            return None;
        }
        let taken = self.sessions.remove(&session)?;
        if self.line.len() > 2 * self.sessions.len() + SLACK {
            let sessions = &self.sessions;
            self.line.retain(|place| counts(sessions, place));
        }
        Some(taken.pending)
    }

    /// When somebody is due next.
    pub(super) fn next(&mut self) -> Option<Timestamp> {
        while let Some(first) = self.line.front() {
            if counts(&self.sessions, first) {
                return Some(first.due);
            }
            self.line.pop_front();
        }
        None
    }

    /// Takes out at most `limit` of those that are due at `now`, the earliest first.
    pub(super) fn pop_due(&mut self, now: Timestamp, limit: usize) -> Vec<(SessionId, Pending)> {
        let mut due = Vec::with_capacity(limit.min(self.line.len()));
        while due.len() < limit {
            let Some(place) = self.line.pop_front_if(|place| place.due <= now) else { break };
            if counts(&self.sessions, &place) {
                let waiting = self.sessions.remove(&place.session);
                due.extend(waiting.map(|waiting| (place.session, waiting.pending)));
            }
        }
        due
    }

    /// The sessions of a device.
    pub(super) fn of_device(&self, device: DeviceKey) -> Vec<SessionId> {
        let of_device = |(_, waiting): &(_, &Waiting)| waiting.pending.device == device;
        self.sessions.iter().filter(of_device).map(|(&session, _)| session).collect()
    }

    pub(super) fn clear(&mut self) {
        self.sessions.clear();
        self.line.clear();
    }
}

/// Whether whoever stood there does so still.
fn counts(sessions: &HashMap<SessionId, Waiting>, place: &Place) -> bool {
    sessions.get(&place.session).is_some_and(|waiting| waiting.number == place.number)
}

#[cfg(test)]
mod tests {
    use greenwave_core::device::NetworkAccessIdentifier;
    use greenwave_core::server::ServerAddress;
    use greenwave_core::{ApplicationServer, Device, NamedBy, ProfileName};

    use super::super::cell::CellName;
    use super::super::guarantee::GuaranteeNumber;
    use super::*;

    fn session(number: u8) -> SessionId {
        SessionId::from_bytes([number; 16])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pending() -> Pending {
        let name = NetworkAccessIdentifier::parse("device@testcsp.net").unwrap();
        let server = ServerAddress::parse_v4("203.0.113.5").unwrap();
        let asked = Asked {
            named_by: NamedBy::default(),
            device: Device::new(Some(name), None, None, None).unwrap(),
            server: ApplicationServer::new(Some(server), None).unwrap(),
            device_ports: None,
            server_ports: None,
            profile: ProfileName::parse("QOS_L").unwrap(),
            sink: None,
        };
        Pending {
            device: DeviceKey([0; 16]),
            asked: Arc::new(asked),
            share: Share { cell: CellName::Stadium, guarantee: GuaranteeNumber::new(0) },
            outcome: Outcome::Granted,
        }
    }

    fn due(waiting: &mut PendingSessions, second: i64, limit: usize) -> Vec<SessionId> {
        let due = waiting.pop_due(at(second), limit);
        due.into_iter().map(|(session, _)| session).collect()
    }

    #[test]
    fn who_came_first_is_due_first_and_nobody_too_early() {
        let mut waiting = PendingSessions::default();
        assert!(waiting.add(session(3), pending(), Some(at(1))));
        assert!(!waiting.add(session(2), pending(), Some(at(1))));
        assert!(!waiting.add(session(1), pending(), Some(at(2))));
        assert_eq!(waiting.next(), Some(at(1)));
        assert!(due(&mut waiting, 0, 9).is_empty());
        assert_eq!(due(&mut waiting, 1, 1), [session(3)]);
        assert_eq!(due(&mut waiting, 1, 9), [session(2)]);
        assert_eq!(waiting.next(), Some(at(2)));
        assert_eq!(due(&mut waiting, 2, 9), [session(1)]);
        assert_eq!(waiting.next(), None);
    }

    #[test]
    fn who_leaves_and_comes_again_waits_anew() {
        let mut waiting = PendingSessions::default();
        waiting.add(session(1), pending(), Some(at(1)));
        assert!(waiting.take(session(1)).is_some() && waiting.take(session(1)).is_none());
        waiting.add(session(1), pending(), Some(at(2)));
        assert!(due(&mut waiting, 1, 9).is_empty());
        assert_eq!(waiting.next(), Some(at(2)));
        assert_eq!(due(&mut waiting, 2, 9), [session(1)]);
    }

    #[test]
    fn who_waits_for_ever_is_not_in_the_line() {
        let mut waiting = PendingSessions::default();
        assert!(!waiting.add(session(1), pending(), None));
        assert!(waiting.contains(session(1)) && waiting.next().is_none());
        assert!(waiting.take(session(1)).is_some() && !waiting.contains(session(1)));
    }

    #[test]
    fn the_line_is_no_longer_for_those_who_left() {
        let mut waiting = PendingSessions::default();
        waiting.add(session(0), pending(), Some(at(1)));
        for _ in 0..10 * SLACK {
            waiting.add(session(1), pending(), Some(at(2)));
            waiting.take(session(1));
            assert!(waiting.line.len() <= 2 + SLACK + 1, "{}", waiting.line.len());
        }
        assert_eq!(due(&mut waiting, 2, 9), [session(0)]);
    }
}
