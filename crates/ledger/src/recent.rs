//! Sessions as they were last committed or read, as many as a fixed room holds: most are asked for,
//! or change, soon after, and then their row need not be read.

use greenwave_core::{PortsSpec, Session};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// How much room there is, in bytes, more or less.
const ROOM: u64 = 48 << 20;

/// What a session takes that has no sink and no ports: itself, its request, its entry.
const FIXED: u64 = 768;

/// How many sessions to expect.
const EXPECTED: usize = (ROOM / FIXED) as usize;

/// By row. Whatever is in here was committed, and is never older than what the index says: it is
/// filled only by the one who publishes, or while the index is held as it was read with.
pub(crate) struct Recent(Cache<i64, Session, Weight>);

impl Default for Recent {
    fn default() -> Self {
        Self(Cache::with_weighter(EXPECTED, ROOM, Weight))
    }
}

impl Recent {
    pub(crate) fn get(&self, row: i64) -> Option<Session> {
        self.0.get(&row)
    }

    pub(crate) fn put(&self, row: i64, session: Session) {
        self.0.insert(row, session);
    }

    pub(crate) fn remove(&self, row: i64) {
        self.0.remove(&row);
    }
}

fn room_of_ports(ports: &PortsSpec) -> usize {
    4 * ports.ranges().len() + 2 * ports.ports().len()
}

#[derive(Clone)]
struct Weight;

impl Weighter<i64, Session> for Weight {
    fn weight(&self, _: &i64, session: &Session) -> u64 {
        let asked = &*session.asked;
        let sink = asked.sink.as_ref().map_or(0, |sink| {
            sink.url.expose().len() + sink.credential.as_ref().map_or(0, |sealed| sealed.0.len())
        });
        let ports = [&asked.device_ports, &asked.server_ports].into_iter().flatten();
        let ports: usize = ports.map(room_of_ports).sum();
        FIXED + (sink + ports) as u64
    }
}
