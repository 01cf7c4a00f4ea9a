//! The live sessions, in memory: which row an id has, which sessions a device and an application
//! have, when each is next due. Tables hold no index; this is it, rebuilt at every start.
//!
//! It is made to be small: a session is one slot of fixed size, and the hash tables hold slot
//! numbers only, because ids and device keys are random already and lie in the slots.

use std::collections::HashMap;

use greenwave_core::{
    ApplicationId, DeviceKey, IdentifierKey, KnownIdentifiers, Session, SessionId, Standing,
};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;
use jiff::Timestamp;

use crate::Standings;

/// What the index knows of a live session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: SessionId,
    pub(crate) device: DeviceKey,
    pub(crate) application: ApplicationId,
    /// The key of its row.
    pub(crate) row: i64,
    /// What it has to do with the network.
    pub(crate) standing: Standing,
    visible_until_ms: i64,
    deadline_ms: i64,
}

impl Entry {
    pub(crate) fn new(row: i64, session: &Session) -> Self {
        let millis = Timestamp::as_millisecond;
        Self {
            id: session.id,
            device: session.device,
            application: session.application,
            row,
            standing: session.standing(),
            visible_until_ms: session.visible_until().map_or(i64::MIN, millis),
            deadline_ms: session.deadline().map_or(i64::MAX, millis),
        }
    }

    /// Whether a client can see it at `now`.
    pub(crate) fn visible(&self, now: Timestamp) -> bool {
        now.as_millisecond() < self.visible_until_ms
    }
}

/// The index of all live sessions, and of the identifiers that have become aliases.
#[derive(Debug, Default)]
pub(crate) struct Index {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_id: HashTable<u32>,
    /// The first slot of each device's chain.
    by_device: HashTable<u32>,
    applications: HashMap<ApplicationId, Chain>,
    aliases: HashMap<IdentifierKey, DeviceKey>,
    standings: Standings,
    /// How many batches were published.
    batches: u64,
}

/// Slots are linked by number: a link takes 4 bytes where a list for each device would take 24.
#[derive(Clone, Copy, Debug)]
struct Slot {
    entry: Entry,
    next_of_device: u32,
    before_of_application: u32,
    next_of_application: u32,
}

/// The sessions of an application, the oldest first.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
}

const NONE: u32 = u32::MAX;

impl Index {
    /// Adds a session, or replaces what is known of it.
    pub(crate) fn put(&mut self, entry: Entry) {
        self.standings.add(entry.standing);
        match self.slot_of(entry.id) {
            Some(slot) => {
                let before = std::mem::replace(&mut self.slots[slot as usize].entry, entry);
                self.standings.take_away(before.standing);
            }
            None => self.insert(entry),
        }
    }

    /// Forgets a session.
    pub(crate) fn remove(&mut self, id: SessionId) {
        let slots = &self.slots;
        let found =
            self.by_id.find_entry(hash(id.as_bytes()), |&slot| slots[slot as usize].entry.id == id);
        let Ok(found) = found else { return };
        let (slot, _) = found.remove();
        self.standings.take_away(self.slots[slot as usize].entry.standing);
        self.unlink_from_device(slot);
        self.unlink_from_application(slot);
        self.free.push(slot);
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<Entry> {
        self.slot_of(id).map(|slot| self.slots[slot as usize].entry)
    }

    /// The sessions of a device, in no order.
    pub(crate) fn of_device(&self, device: DeviceKey) -> impl Iterator<Item = Entry> + '_ {
        let first = self.by_device.find(hash(&device.0), |&slot| self.is_of(slot, device));
        self.walk(first.copied().unwrap_or(NONE), |slot| slot.next_of_device)
    }

    /// The sessions of an application, the oldest first.
    pub(crate) fn of_application(
        &self,
        application: ApplicationId,
    ) -> impl Iterator<Item = Entry> + '_ {
        let first = self.applications.get(&application).map_or(NONE, |chain| chain.first);
        self.walk(first, |slot| slot.next_of_application)
    }

    /// The sessions with a deadline before `horizon`, in no order.
    pub(crate) fn deadlines(&self, horizon: Timestamp) -> Vec<(SessionId, Timestamp)> {
        let horizon_ms = horizon.as_millisecond();
        self.entries()
            .filter(|entry| entry.deadline_ms < horizon_ms)
            .filter_map(|entry| {
                Some((entry.id, Timestamp::from_millisecond(entry.deadline_ms).ok()?))
            })
            .collect()
    }

    /// The sessions of these standings, in no order.
    pub(crate) fn standing_as(&self, wanted: &[Standing]) -> Vec<SessionId> {
        let standing = |entry: &&Entry| wanted.contains(&entry.standing);
        self.entries().filter(standing).map(|entry| entry.id).collect()
    }

    /// Puts sessions into the order of their rows, those that are not there first.
    pub(crate) fn arrange(&self, sessions: &mut [SessionId]) {
        sessions.sort_by_cached_key(|&id| self.get(id).map(|entry| entry.row));
    }

    /// How many sessions there are of each standing.
    pub(crate) fn standings(&self) -> Standings {
        self.standings
    }

    /// How many batches were published: what was read from the tables since is as new as the index,
    /// if this has not changed.
    pub(crate) fn batches(&self) -> u64 {
        self.batches
    }

    pub(crate) fn pass_batch(&mut self) {
        self.batches += 1;
    }

    /// Makes an identifier an alias of a device, for good.
    pub(crate) fn learn(&mut self, identifier: IdentifierKey, device: DeviceKey) {
        self.aliases.entry(identifier).or_insert(device);
    }

    pub(crate) fn aliases(&self) -> usize {
        self.aliases.len()
    }

    fn insert(&mut self, entry: Entry) {
        let slot = self.take_slot(entry);
        let slots = &self.slots;
        let id_of = |&slot: &u32| hash(slots[slot as usize].entry.id.as_bytes());
        self.by_id.insert_unique(hash(entry.id.as_bytes()), slot, id_of);
        self.link_to_device(slot);
        self.link_to_application(slot);
    }

    fn take_slot(&mut self, entry: Entry) -> u32 {
        let slot = Slot {
            entry,
            next_of_device: NONE,
            before_of_application: NONE,
            next_of_application: NONE,
        };
        if let Some(number) = self.free.pop() {
            self.slots[number as usize] = slot;
            return number;
        }
        self.slots.push(slot);
        self.slots.len() as u32 - 1
    }

    fn link_to_device(&mut self, slot: u32) {
        let device = self.slots[slot as usize].entry.device;
        let slots = &self.slots;
        let same = |&other: &u32| slots[other as usize].entry.device == device;
        let rehash = |&other: &u32| hash(&slots[other as usize].entry.device.0);
        let next = match self.by_device.entry(hash(&device.0), same, rehash) {
            TableEntry::Occupied(mut head) => std::mem::replace(head.get_mut(), slot),
            TableEntry::Vacant(empty) => {
                empty.insert(slot);
                NONE
            }
        };
        self.slots[slot as usize].next_of_device = next;
    }

    fn unlink_from_device(&mut self, slot: u32) {
        let Slot { entry, next_of_device: next, .. } = self.slots[slot as usize];
        let slots = &self.slots;
        let found = self.by_device.find_entry(hash(&entry.device.0), |&other| {
            slots[other as usize].entry.device == entry.device
        });
        let Ok(mut head) = found else { return };
        if *head.get() != slot {
            let mut before = *head.get();
            while self.slots[before as usize].next_of_device != slot {
                before = self.slots[before as usize].next_of_device;
            }
            self.slots[before as usize].next_of_device = next;
        } else if next == NONE {
            head.remove();
        } else {
            *head.get_mut() = next;
        }
    }

    fn link_to_application(&mut self, slot: u32) {
        let application = self.slots[slot as usize].entry.application;
        let empty = Chain { first: NONE, last: NONE };
        let chain = self.applications.entry(application).or_insert(empty);
        let before = std::mem::replace(&mut chain.last, slot);
        if before == NONE {
            chain.first = slot;
        } else {
            self.slots[before as usize].next_of_application = slot;
        }
        self.slots[slot as usize].before_of_application = before;
    }

    fn unlink_from_application(&mut self, slot: u32) {
        let Slot { entry, before_of_application: before, next_of_application: next, .. } =
            self.slots[slot as usize];
        let Some(chain) = self.applications.get_mut(&entry.application) else { return };
        if before == NONE {
            chain.first = next;
        } else {
            self.slots[before as usize].next_of_application = next;
        }
        if next == NONE {
            chain.last = before;
        } else {
            self.slots[next as usize].before_of_application = before;
        }
        if chain.first == NONE {
            self.applications.remove(&entry.application);
        }
    }

    fn slot_of(&self, id: SessionId) -> Option<u32> {
        let same = |&slot: &u32| self.slots[slot as usize].entry.id == id;
        self.by_id.find(hash(id.as_bytes()), same).copied()
    }

    fn is_of(&self, slot: u32, device: DeviceKey) -> bool {
        self.slots[slot as usize].entry.device == device
    }

    fn walk(&self, first: u32, next: fn(&Slot) -> u32) -> impl Iterator<Item = Entry> + '_ {
        let mut at = first;
        std::iter::from_fn(move || {
            let slot = self.slots.get(at as usize)?;
            at = next(slot);
            Some(slot.entry)
        })
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.by_id.iter().map(|&slot| &self.slots[slot as usize].entry)
    }
}

impl KnownIdentifiers for Index {
    fn alias_of(&self, identifier: IdentifierKey) -> Option<DeviceKey> {
        self.aliases.get(&identifier).copied()
    }

    fn has_sessions(&self, device: DeviceKey) -> bool {
        self.of_device(device).next().is_some()
    }
}

/// Ids and device keys are random or keyed hashes, so eight of their bytes are a good hash. The
/// last eight, because the first ones tell the bucket.
fn hash(bytes: &[u8; 16]) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = *bytes;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn entry(number: u8, device: u8, application: u32, row: i64) -> Entry {
        let device = DeviceKey([device; 16]);
        Entry {
            id: SessionId::new([number; 16], device.bucket()),
            device,
            application: ApplicationId(application),
            row,
            standing: if number.is_multiple_of(2) { Standing::Lost } else { Standing::Over },
            visible_until_ms: i64::from(number),
            deadline_ms: i64::from(number),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_list_that_is_searched(
            steps in prop::collection::vec((any::<bool>(), 0..30u8), 1..120)
        ) {
            let mut index = Index::default();
            let mut model: BTreeMap<i64, Entry> = BTreeMap::new();
            for (row, (add, number)) in steps.into_iter().enumerate() {
                // The number says device and application, so that an id never moves.
                let entry = entry(number, number % 4, u32::from(number % 3), row as i64);
                let known = model.iter().find(|(_, other)| other.id == entry.id).map(|(&at, _)| at);
                match (add, known) {
                    (true, Some(at)) => {
                        index.put(entry);
                        model.insert(at, entry);
                    }
                    (true, None) => {
                        index.put(entry);
                        model.insert(row as i64, entry);
                    }
                    (false, at) => {
                        index.remove(entry.id);
                        model.retain(|&other, _| Some(other) != at);
                    }
                }
                prop_assert_eq!(index.get(entry.id).is_some(), add);
                for device in (0..4).map(|byte| DeviceKey([byte; 16])) {
                    let mut found: Vec<_> = index.of_device(device).map(|entry| entry.id).collect();
                    found.sort();
                    let expected = model.values().filter(|entry| entry.device == device);
                    let mut expected: Vec<_> = expected.map(|entry| entry.id).collect();
                    expected.sort();
                    prop_assert_eq!(index.has_sessions(device), !expected.is_empty());
                    prop_assert_eq!(found, expected);
                }
                for application in (0..3).map(ApplicationId) {
                    let found: Vec<_> = index.of_application(application).collect();
                    let expected = model.values().filter(|entry| entry.application == application);
                    prop_assert_eq!(found, expected.copied().collect::<Vec<_>>());
                }
                let horizon = Timestamp::from_millisecond(10).unwrap();
                let due = model.values().filter(|entry| entry.deadline_ms < 10).count();
                prop_assert_eq!(index.deadlines(horizon).len(), due);
                for standing in Standing::ALL {
                    let of = model.values().filter(|entry| entry.standing == standing).count();
                    prop_assert_eq!(index.standing_as(&[standing]).len(), of);
                    prop_assert_eq!(index.standings().count(standing), of);
                }
            }
        }
    }
}
