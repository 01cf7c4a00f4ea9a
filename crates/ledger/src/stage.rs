//! What the commands of a batch have changed so far: visible to the commands behind them, and to
//! nobody else until the batch is committed.

use greenwave_core::{DeviceKey, IdentifierKey, KnownIdentifiers, Session, SessionId};
use hashbrown::HashMap;

use crate::index::{Entry, Index};
use crate::recent::Recent;

/// The index as the batch sees it.
pub(crate) struct Stage<'a> {
    index: &'a Index,
    changes: StagedChanges,
}

/// What becomes of the index when the batch is committed, in the order of the commands.
#[derive(Debug, Default)]
pub(crate) struct StagedChanges {
    sessions: HashMap<SessionId, Staged>,
    order: Vec<SessionId>,
    /// The sessions that are new to their device.
    added: HashMap<DeviceKey, Vec<SessionId>>,
    aliases: HashMap<IdentifierKey, DeviceKey>,
}

/// A session as it is from now on, and its entry.
#[derive(Debug)]
struct Staged {
    entry: Entry,
    /// `None` for one that is live no more.
    session: Option<Session>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(index: &'a Index) -> Self {
        Self { index, changes: StagedChanges::default() }
    }

    pub(crate) fn put(&mut self, entry: Entry, session: Session) {
        if self.get(entry.id).is_none() {
            self.changes.added.entry(entry.device).or_default().push(entry.id);
        }
        self.note(Staged { entry, session: Some(session) });
    }

    pub(crate) fn remove(&mut self, entry: Entry) {
        self.note(Staged { entry, session: None });
    }

    fn note(&mut self, staged: Staged) {
        let id = staged.entry.id;
        if self.changes.sessions.insert(id, staged).is_none() {
            self.changes.order.push(id);
        }
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<Entry> {
        match self.changes.sessions.get(&id) {
            Some(staged) => staged.session.as_ref().map(|_| staged.entry),
            None => self.index.get(id),
        }
    }

    /// A session that was changed in this batch.
    pub(crate) fn session(&self, id: SessionId) -> Option<&Session> {
        self.changes.sessions.get(&id)?.session.as_ref()
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
    pub(crate) fn publish(mut self, index: &mut Index, sessions: &Recent) {
        for id in self.order {
            let Some(Staged { entry, session }) = self.sessions.remove(&id) else { continue };
            match session {
                Some(session) => {
                    index.put(entry);
                    sessions.put(entry.row, session);
                }
                None => {
                    index.remove(id);
                    sessions.remove(entry.row);
                }
            }
        }
        index.pass_batch();
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
