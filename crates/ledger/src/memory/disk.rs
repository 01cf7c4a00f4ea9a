//! The tables of the ledger in memory, and the disk that they are on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use greenwave_core::{ApplicationId, DeviceKey, Event, IdentifierKey, Phase, Session};
use jiff::Timestamp;

use crate::index::{Entry, Index};
use crate::once::KeptReply;
use crate::transaction::Rows;
use crate::{
    Application, ApplicationKey, IdempotencyKey, LedgerError, Notification, Once, OutboxId,
    Outcome, Reply, Settlement,
};

/// What a ledger has committed. It outlives the ledger; clones are the same disk.
#[derive(Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<Tables>>);

#[derive(Clone, Default)]
pub(super) struct Tables {
    pub(super) live: BTreeMap<i64, Session>,
    history: Vec<Session>,
    pub(super) outbox: BTreeMap<OutboxId, Waiting>,
    deliveries: Vec<Settled>,
    aliases: Vec<(IdentifierKey, DeviceKey)>,
    pub(super) replies: BTreeMap<i64, Given>,
    pub(super) applications: Vec<Application>,
    pub(super) keys: Vec<ApplicationKey>,
}

#[derive(Clone)]
pub(super) struct Waiting {
    pub(super) notification: Notification,
    pub(super) next_at: Timestamp,
}

#[derive(Clone)]
pub(super) struct Given {
    application: ApplicationId,
    key: IdempotencyKey,
    at: Timestamp,
    pub(super) reply: KeptReply,
}

#[derive(Clone)]
struct Settled {
    notification: Notification,
    outcome: Outcome,
    at: Timestamp,
}

/// The last keys that a ledger gave out. They only rise for as long as it is open.
#[derive(Clone, Copy)]
pub(super) struct LastKeys {
    live: i64,
    outbox: i64,
    replies: i64,
}

impl MemoryDisk {
    /// The sessions that are not history, in the order in which they were made.
    #[must_use]
    pub fn live(&self) -> Vec<Session> {
        self.tables().live.values().cloned().collect()
    }

    /// The sessions that are over and done with, in the order in which they came to it.
    #[must_use]
    pub fn history(&self) -> Vec<Session> {
        self.tables().history.clone()
    }

    /// The notifications that are not settled.
    #[must_use]
    pub fn outbox(&self) -> Vec<Notification> {
        self.tables().outbox.values().map(|waiting| waiting.notification.clone()).collect()
    }

    /// The notifications that are over with, in the order in which they came to it.
    #[must_use]
    pub fn deliveries(&self) -> Vec<(Notification, Outcome)> {
        let settled = |settled: &Settled| (settled.notification.clone(), settled.outcome);
        self.tables().deliveries.iter().map(settled).collect()
    }

    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn index(&self) -> Index {
        let (tables, mut index) = (self.tables(), Index::default());
        for (&row, session) in &tables.live {
            index.put(Entry::new(row, session));
        }
        for &(identifier, device) in &tables.aliases {
            index.learn(identifier, device);
        }
        for (&row, given) in &tables.replies {
            let given_ms = given.at.as_millisecond();
            index.replies_mut().put(given.application, given.key, row, given_ms);
        }
        index
    }

    pub(super) fn last_keys(&self) -> LastKeys {
        let tables = self.tables();
        LastKeys {
            live: tables.live.keys().next_back().copied().unwrap_or(0),
            outbox: tables.outbox.keys().next_back().map_or(0, |id| id.0),
            replies: tables.replies.keys().next_back().copied().unwrap_or(0),
        }
    }
}

impl Tables {
    pub(super) fn rows<'a>(&'a mut self, keys: &'a mut LastKeys) -> impl Rows + 'a {
        Writable { tables: self, keys }
    }
}

struct Writable<'a> {
    tables: &'a mut Tables,
    keys: &'a mut LastKeys,
}

impl Rows for Writable<'_> {
    fn load(&mut self, row: i64) -> Result<Session, LedgerError> {
        let session = self.tables.live.get(&row).cloned();
        session.ok_or(LedgerError::Corrupt { what: "row of the index" })
    }

    fn insert(&mut self, session: &Session) -> Result<i64, LedgerError> {
        self.keys.live += 1;
        self.tables.live.insert(self.keys.live, session.clone());
        Ok(self.keys.live)
    }

    fn update(&mut self, row: i64, session: &Session) -> Result<(), LedgerError> {
        self.tables.live.insert(row, session.clone());
        Ok(())
    }

    fn retire(&mut self, row: i64, session: &Session) -> Result<(), LedgerError> {
        self.tables.live.remove(&row);
        self.tables.history.push(session.clone());
        Ok(())
    }

    fn notify(&mut self, event: &Event) -> Result<OutboxId, LedgerError> {
        self.keys.outbox += 1;
        let id = OutboxId(self.keys.outbox);
        let notification = Notification { id, event: event.clone(), tries: 0 };
        self.tables.outbox.insert(id, Waiting { notification, next_at: event.at });
        Ok(id)
    }

    fn settle(
        &mut self,
        id: OutboxId,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let Some(mut waiting) = self.tables.outbox.remove(&id) else { return Ok(()) };
        waiting.notification.tries += 1;
        match settlement {
            Settlement::Retry { next_at } => {
                waiting.next_at = *next_at;
                self.tables.outbox.insert(id, waiting);
            }
            Settlement::Done { outcome, .. } => {
                let notification = waiting.notification;
                let settled = Settled { notification, outcome: *outcome, at: now };
                self.tables.deliveries.push(settled);
            }
        }
        Ok(())
    }

    fn erase(&mut self, before: Timestamp, at_most: usize) -> Result<usize, LedgerError> {
        let ended_before = |session: &Session| match session.phase {
            Phase::Ended(end) => end.ended_at < before,
            _ => false,
        };
        let Tables { history, deliveries, .. } = &mut *self.tables;
        let kept = history.len() + deliveries.len();
        erase_from(history, at_most, ended_before);
        erase_from(deliveries, at_most, |settled| settled.at < before);
        Ok(kept - history.len() - deliveries.len())
    }

    fn learn(&mut self, identifier: IdentifierKey, device: DeviceKey) -> Result<(), LedgerError> {
        self.tables.aliases.push((identifier, device));
        Ok(())
    }

    fn recall(&mut self, row: i64) -> Result<Option<KeptReply>, LedgerError> {
        Ok(self.tables.replies.get(&row).map(|given| given.reply.clone()))
    }

    fn keep_reply(
        &mut self,
        once: &Once,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<i64, LedgerError> {
        self.keys.replies += 1;
        let reply = KeptReply { request: once.request, reply: reply.clone() };
        let given = Given { application: once.application, key: once.key, at: now, reply };
        self.tables.replies.insert(self.keys.replies, given);
        Ok(self.keys.replies)
    }

    fn drop_reply(&mut self, row: i64) -> Result<(), LedgerError> {
        self.tables.replies.remove(&row);
        Ok(())
    }

    fn erase_replies(&mut self, before: Timestamp, at_most: usize) -> Result<usize, LedgerError> {
        let replies = &mut self.tables.replies;
        let oldest = replies.iter().take(at_most);
        let erased: Vec<i64> =
            oldest.filter(|(_, given)| given.at < before).map(|(&row, _)| row).collect();
        erased.iter().for_each(|row| drop(replies.remove(row)));
        Ok(erased.len())
    }
}

/// Erases what is to go of the oldest of a table.
fn erase_from<T>(table: &mut Vec<T>, at_most: usize, goes: impl Fn(&T) -> bool) {
    let mut looked_at = 0;
    table.retain(|row| {
        looked_at += 1;
        looked_at > at_most || !goes(row)
    });
}
