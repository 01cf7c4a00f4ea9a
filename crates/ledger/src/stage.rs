//! What the commands of a batch have changed so far: visible to the commands behind them, and to
//! nobody else until the batch is committed.

use std::collections::HashMap;

use greenwave_core::{DeviceKey, IdentifierKey, KnownIdentifiers, SessionId};

use crate::index::{Entry, Index};

/// The index as the batch sees it.
pub(crate) struct Stage<'a> {
    index: &'a Index,
    changes: StagedChanges,
}

/// What becomes of the index when the batch is committed, in the order of the commands.
#[derive(Debug, Default)]
pub(crate) struct StagedChanges {
    /// `None` for a session that is live no more.
    sessions: HashMap<SessionId, Option<Entry>>,
    order: Vec<SessionId>,
    /// The sessions that are new to their device.
    added: HashMap<DeviceKey, Vec<SessionId>>,
    aliases: HashMap<IdentifierKey, DeviceKey>,
    commands: u64,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(index: &'a Index) -> Self {
        Self { index, changes: StagedChanges::default() }
    }

    pub(crate) fn put(&mut self, entry: Entry) {
        if self.get(entry.id).is_none() {
            self.changes.added.entry(entry.device).or_default().push(entry.id);
        }
        self.note(entry.id, Some(entry));
    }

    pub(crate) fn remove(&mut self, id: SessionId) {
        self.note(id, None);
    }

    fn note(&mut self, id: SessionId, entry: Option<Entry>) {
        if self.changes.sessions.insert(id, entry).is_none() {
            self.changes.order.push(id);
        }
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<Entry> {
        match self.changes.sessions.get(&id) {
            Some(changed) => *changed,
            None => self.index.get(id),
        }
    }

    /// The sessions of a device, in no order.
    pub(crate) fn of_device(&self, device: DeviceKey) -> impl Iterator<Item = Entry> + '_ {
        let before = self.index.of_device(device).map(|entry| entry.id);
        let added = self.changes.added.get(&device).into_iter().flatten().copied();
        before.chain(added).filter_map(|id| self.get(id))
    }

    pub(crate) fn learn(&mut self, identifier: IdentifierKey, device: DeviceKey) {
        self.changes.aliases.entry(identifier).or_insert(device);
    }

    /// The number of the next command in the order of all.
    pub(crate) fn next_sequence(&mut self) -> u64 {
        self.changes.commands += 1;
        self.index.sequence() + self.changes.commands
    }

    /// How many aliases there are.
    pub(crate) fn aliases(&self) -> usize {
        self.index.aliases() + self.changes.aliases.len()
    }

    /// What has changed, to be published once it is committed.
    pub(crate) fn into_changes(self) -> StagedChanges {
        self.changes
    }
}

impl StagedChanges {
    /// Publishes a committed batch.
    pub(crate) fn publish(self, index: &mut Index) {
        for id in self.order {
            match self.sessions.get(&id) {
                Some(Some(entry)) => index.put(*entry),
                _ => index.remove(id),
            }
        }
        index.pass_sequence(self.commands);
        for (identifier, device) in self.aliases {
            index.learn(identifier, device);
        }
    }
}

impl KnownIdentifiers for Stage<'_> {
    fn alias_of(&self, identifier: IdentifierKey) -> Option<DeviceKey> {
        let staged = self.changes.aliases.get(&identifier).copied();
        staged.or_else(|| self.index.alias_of(identifier))
    }

    fn has_sessions(&self, device: DeviceKey) -> bool {
        self.of_device(device).next().is_some()
    }
}
