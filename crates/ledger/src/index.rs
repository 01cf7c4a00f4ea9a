//! The live sessions, in memory: which row an id has, which sessions a device and an application
//! have, when each is next due. Tables hold no index; this is it, rebuilt at every start.
//!
//! It is made to be small: a session is one slot of fixed size, and the hash tables hold slot
//! numbers only, because ids and device keys are random already and lie in the slots. And nothing
//! that is done under its lock goes through all of it, for everybody waits for that.

mod numbers;
mod replies;
mod slots;

use std::collections::HashMap;
use std::ops::RangeInclusive;

use greenwave_core::session::Course;
use greenwave_core::{
    ApplicationId, Buckets, DeviceKey, IdentifierKey, KnownIdentifiers, Session, SessionId,
    Standing, Subject,
};
use hashbrown::hash_table::Entry as TableEntry;
use jiff::Timestamp;

use self::numbers::{Numbers, hash};
use self::slots::Slots;
use crate::Standings;

pub(crate) use self::replies::{Replies, StagedReplies};

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
    /// What it is.
    pub(crate) subject: Subject,
    visible_until_ms: i64,
    deadline_ms: i64,
}

/// Whose a session is, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) device: DeviceKey,
    pub(crate) application: ApplicationId,
    pub(crate) subject: Subject,
}

impl Entry {
    pub(crate) fn new(row: i64, session: &Session) -> Self {
        let Session { id, device, application, .. } = *session;
        let owner = Owner { device, application, subject: session.rules.subject() };
        Self::of(row, id, owner, session.course())
    }

    /// The entry of a session of which no more than this is known.
    pub(crate) fn of(row: i64, id: SessionId, owner: Owner, course: Course) -> Self {
        let millis = Timestamp::as_millisecond;
        let Owner { device, application, subject } = owner;
        Self {
            id,
            device,
            application,
            row,
            standing: course.standing(),
            subject,
            visible_until_ms: course.visible_until().map_or(i64::MIN, millis),
            deadline_ms: course.deadline().map_or(i64::MAX, millis),
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
    slots: Slots,
    by_id: Numbers,
    /// The first slot of each device's chain.
    by_device: Numbers,
    applications: HashMap<ApplicationId, Chain>,
    aliases: HashMap<IdentifierKey, DeviceKey>,
    replies: Replies,
    standings: Standings,
    /// How many batches were published.
    batches: u64,
}

/// The sessions of an application, the oldest first.
#[derive(Clone, Copy, Debug)]
struct Chain {
    first: u32,
    last: u32,
}

/// Where a walk through an application's sessions begins or goes on. A slot may come to hold
/// another session, even of another application: the row tells, for it is never given out again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    slot: u32,
    row: i64,
}

const NONE: u32 = u32::MAX;

impl Index {
    /// Adds a session, or replaces what is known of it.
    pub(crate) fn put(&mut self, entry: Entry) {
        self.standings.add(entry.standing);
        match self.slot_of(entry.id) {
            Some(slot) => {
                let before = std::mem::replace(&mut self.slots[slot].entry, entry);
                self.standings.take_away(before.standing);
            }
            None => self.insert(entry),
        }
    }

    /// Forgets a session.
    pub(crate) fn remove(&mut self, id: SessionId) {
        let Self { slots, by_id, .. } = self;
        let table = by_id.of_mut(id.bucket());
        let found = table.find_entry(hash(id.as_bytes()), |&slot| slots[slot].entry.id == id);
        let Ok(found) = found else { return };
        let (slot, _) = found.remove();
        self.standings.take_away(self.slots[slot].entry.standing);
        self.unlink_from_device(slot);
        self.unlink_from_application(slot);
        self.slots.free(slot);
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<Entry> {
        self.slot_of(id).map(|slot| self.slots[slot].entry)
    }

    /// The sessions of a device, in no order.
    pub(crate) fn of_device(&self, device: DeviceKey) -> impl Iterator<Item = Entry> + '_ {
        let same = |&slot: &u32| self.slots[slot].entry.device == device;
        let first = self.by_device.of(device.bucket()).find(hash(&device.0), same);
        let mut at = first.copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let slot = self.slots.get(at)?;
            at = slot.next_of_device;
            Some(slot.entry)
        })
    }

    /// Where a walk through an application's sessions, the oldest first, begins, if it has any.
    pub(crate) fn first_of_application(&self, application: ApplicationId) -> Option<Place> {
        self.place(self.applications.get(&application)?.first)
    }

    /// At most so many sessions from a place on, and where it goes on if it does; `None` if what
    /// was at the place is gone, and the walk has to be begun anew.
    pub(crate) fn walk(&self, from: Place, at_most: usize) -> Option<(Vec<Entry>, Option<Place>)> {
        let mut at = from.slot;
        self.slots.get(at).filter(|slot| slot.entry.row == from.row)?;
        let mut entries = Vec::new();
        while entries.len() < at_most {
            let Some(slot) = self.slots.get(at) else { return Some((entries, None)) };
            entries.push(slot.entry);
            at = slot.next_of_application;
        }
        Some((entries, self.place(at)))
    }

    fn place(&self, slot: u32) -> Option<Place> {
        let row = self.slots.get(slot)?.entry.row;
        Some(Place { slot, row })
    }

    /// In how many parts [`Index::deadlines`] can be asked for.
    pub(crate) fn parts(&self) -> usize {
        self.slots.parts()
    }

    /// The sessions of one part with a deadline before `horizon`, in no order.
    pub(crate) fn deadlines(
        &self,
        part: usize,
        horizon: Timestamp,
    ) -> impl Iterator<Item = (SessionId, Timestamp)> {
        let horizon_ms = horizon.as_millisecond();
        self.slots.part(part).filter(move |entry| entry.deadline_ms < horizon_ms).filter_map(
            |entry| Some((entry.id, Timestamp::from_millisecond(entry.deadline_ms).ok()?)),
        )
    }

    /// Where [`Index::standing_as`] has to look for sessions of these buckets.
    pub(crate) fn tables_of(buckets: Buckets) -> RangeInclusive<usize> {
        Numbers::tables_of(buckets)
    }

    /// The sessions of these standings in one table, in no order.
    pub(crate) fn standing_as(
        &self,
        table: usize,
        wanted: &[Standing],
    ) -> impl Iterator<Item = SessionId> {
        let entries = self.by_id.in_table(table).map(|slot| &self.slots[slot].entry);
        entries.filter(|entry| wanted.contains(&entry.standing)).map(|entry| entry.id)
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

    /// The replies that are kept.
    pub(crate) fn replies(&self) -> &Replies {
        &self.replies
    }

    pub(crate) fn replies_mut(&mut self) -> &mut Replies {
        &mut self.replies
    }

    fn insert(&mut self, entry: Entry) {
        let slot = self.slots.take(entry);
        let Self { slots, by_id, .. } = self;
        let id_of = |&slot: &u32| hash(slots[slot].entry.id.as_bytes());
        let table = by_id.of_mut(entry.id.bucket());
        table.insert_unique(hash(entry.id.as_bytes()), slot, id_of);
        self.link_to_device(slot);
        self.link_to_application(slot);
    }

    fn link_to_device(&mut self, slot: u32) {
        let Self { slots, by_device, .. } = self;
        let device = slots[slot].entry.device;
        let same = |&other: &u32| slots[other].entry.device == device;
        let rehash = |&other: &u32| hash(&slots[other].entry.device.0);
        let table = by_device.of_mut(device.bucket());
        let next = match table.entry(hash(&device.0), same, rehash) {
            TableEntry::Occupied(mut head) => std::mem::replace(head.get_mut(), slot),
            TableEntry::Vacant(empty) => {
                empty.insert(slot);
                NONE
            }
        };
        self.slots[slot].next_of_device = next;
    }

    fn unlink_from_device(&mut self, slot: u32) {
        let Self { slots, by_device, .. } = self;
        let (device, next) = (slots[slot].entry.device, slots[slot].next_of_device);
        let same = |&other: &u32| slots[other].entry.device == device;
        let table = by_device.of_mut(device.bucket());
        let Ok(mut head) = table.find_entry(hash(&device.0), same) else { return };
        if *head.get() != slot {
            let mut before = *head.get();
            while slots[before].next_of_device != slot {
                before = slots[before].next_of_device;
            }
            slots[before].next_of_device = next;
        } else if next == NONE {
            head.remove();
        } else {
            *head.get_mut() = next;
        }
    }

    fn link_to_application(&mut self, slot: u32) {
        let application = self.slots[slot].entry.application;
        let empty = Chain { first: NONE, last: NONE };
        let chain = self.applications.entry(application).or_insert(empty);
        let before = std::mem::replace(&mut chain.last, slot);
        if before == NONE {
            chain.first = slot;
        } else {
            self.slots[before].next_of_application = slot;
        }
        self.slots[slot].before_of_application = before;
    }

    fn unlink_from_application(&mut self, slot: u32) {
        let (before, next) =
            (self.slots[slot].before_of_application, self.slots[slot].next_of_application);
        let application = self.slots[slot].entry.application;
        let Some(chain) = self.applications.get_mut(&application) else { return };
        if before == NONE {
            chain.first = next;
        } else {
            self.slots[before].next_of_application = next;
        }
        if next == NONE {
            chain.last = before;
        } else {
            self.slots[next].before_of_application = before;
        }
        if chain.first == NONE {
            self.applications.remove(&application);
        }
    }

    fn slot_of(&self, id: SessionId) -> Option<u32> {
        let same = |&slot: &u32| self.slots[slot].entry.id == id;
        self.by_id.of(id.bucket()).find(hash(id.as_bytes()), same).copied()
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
            subject: Subject::Session,
            standing: if number.is_multiple_of(2) { Standing::Lost } else { Standing::Over },
            visible_until_ms: i64::from(number),
            deadline_ms: i64::from(number),
        }
    }

    #[test]
    fn a_walk_does_not_go_on_among_another_applications_sessions() {
        let mut index = Index::default();
        index.put(entry(1, 1, 1, 1));
        index.put(entry(4, 1, 1, 2));
        let place = index.first_of_application(ApplicationId(1)).unwrap();
        let (_, next) = index.walk(place, 1).unwrap();
        let next = next.unwrap();
        index.remove(entry(1, 1, 1, 1).id);
        index.remove(entry(4, 1, 1, 2).id);
        assert!(index.walk(place, 9).is_none());
        // They take the slots that have become free.
        index.put(entry(2, 2, 2, 3));
        index.put(entry(5, 2, 2, 4));
        assert!(index.walk(place, 9).is_none() && index.walk(next, 9).is_none());
        assert!(index.first_of_application(ApplicationId(1)).is_none());
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
                    let mut found = Vec::new();
                    let mut place = index.first_of_application(application);
                    while let Some(from) = place {
                        let (step, next) = index.walk(from, 2).unwrap();
                        prop_assert!(step.len() <= 2);
                        found.extend(step);
                        place = next;
                    }
                    let expected = model.values().filter(|entry| entry.application == application);
                    prop_assert_eq!(found, expected.copied().collect::<Vec<_>>());
                }
                let horizon = Timestamp::from_millisecond(10).unwrap();
                let due = model.values().filter(|entry| entry.deadline_ms < 10).count();
                let found = (0..index.parts()).flat_map(|part| index.deadlines(part, horizon));
                prop_assert_eq!(found.count(), due);
                for standing in Standing::ALL {
                    let of = model.values().filter(|entry| entry.standing == standing).count();
                    let (all, wanted) = (Index::tables_of(Buckets::ALL), [standing]);
                    let all = all.flat_map(|table| index.standing_as(table, &wanted));
                    prop_assert_eq!(all.count(), of);
                    prop_assert_eq!(index.standings().count(standing), of);
                }
            }
        }
    }
}
