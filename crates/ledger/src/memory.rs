//! A ledger that keeps nothing beyond the process: for simulations and tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use greenwave_core::{
    ApplicationId, Clock, Command, DeviceKey, DeviceNames, Event, IdentifierKey, NamedDevice,
    Session, SessionId,
};
use jiff::Timestamp;

use crate::index::{Entry, Index};
use crate::stage::Stage;
use crate::transaction::{self, Rows};
use crate::{
    Answer, Application, ApplicationKey, Committed, KeyId, LIVE_KEYS_PER_APPLICATION, Ledger,
    LedgerError, Listed, Lookup, NewKey, Notification, OutboxId, Outcome, Page, Registry,
    RegistryError, Seen, Settlement, TransactError,
};

/// The same behaviour as the embedded ledger, without a file.
pub struct MemoryLedger {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    index: Index,
    tables: Tables,
    applications: Vec<Application>,
    keys: Vec<ApplicationKey>,
}

#[derive(Default)]
struct Tables {
    last_row: i64,
    live: BTreeMap<i64, Session>,
    history: Vec<Session>,
    outbox: BTreeMap<OutboxId, Waiting>,
    deliveries: Vec<(Notification, Outcome)>,
}

struct Waiting {
    notification: Notification,
    next_at: Timestamp,
}

impl MemoryLedger {
    /// An empty ledger.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::new(State::default()) }
    }

    /// The sessions that are over and done with, in the order in which they came to it.
    #[must_use]
    pub fn history(&self) -> Vec<Session> {
        self.state().tables.history.clone()
    }

    /// The notifications that are over with, in the order in which they came to it.
    #[must_use]
    pub fn deliveries(&self) -> Vec<(Notification, Outcome)> {
        self.state().tables.deliveries.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn see(&self, state: &State, entries: &[Entry], now: Timestamp) -> Vec<Seen> {
        let seen = |entry: &Entry| {
            let session = state.tables.live.get(&entry.row)?.clone();
            session.view(now).map(|view| Seen { session, view })
        };
        entries.iter().filter_map(seen).collect()
    }
}

fn ready<'a, T: Send + 'a>(answer: T) -> Answer<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl Ledger for MemoryLedger {
    fn device<'a>(
        &'a self,
        names: &'a DeviceNames,
    ) -> Answer<'a, Result<Option<NamedDevice>, LedgerError>> {
        ready(Ok(names.device(&self.state().index)))
    }

    fn transact(&self, command: Command) -> Answer<'_, Result<Committed, TransactError>> {
        let mut state = self.state();
        let State { index, tables, .. } = &mut *state;
        let mut stage = Stage::new(index);
        let result = transaction::transact(tables, &mut stage, &command, self.clock.now());
        let changes = stage.into_changes();
        if result.is_ok() {
            changes.publish(index);
        }
        ready(result)
    }

    fn session(
        &self,
        application: ApplicationId,
        id: SessionId,
    ) -> Answer<'_, Result<Lookup, LedgerError>> {
        let (state, now) = (self.state(), self.clock.now());
        ready(Ok(match state.index.get(id).filter(|entry| entry.visible(now)) {
            None => Lookup::Unknown,
            Some(entry) if entry.application != application => Lookup::Foreign,
            Some(entry) => match self.see(&state, &[entry], now).pop() {
                Some(seen) => Lookup::Found(Box::new(seen)),
                None => Lookup::Unknown,
            },
        }))
    }

    fn sessions_of_device(
        &self,
        application: ApplicationId,
        device: DeviceKey,
    ) -> Answer<'_, Result<Vec<Seen>, LedgerError>> {
        let (state, now) = (self.state(), self.clock.now());
        let own = |entry: &Entry| entry.application == application;
        let mut entries: Vec<Entry> = state.index.of_device(device).filter(own).collect();
        entries.sort_unstable_by_key(|entry| entry.row);
        ready(Ok(self.see(&state, &entries, now)))
    }

    fn sessions_of_application(
        &self,
        application: ApplicationId,
        page: Page,
    ) -> Answer<'_, Result<Listed, LedgerError>> {
        let (state, now) = (self.state(), self.clock.now());
        let entries: Vec<Entry> = state.index.of_application(application).collect();
        let seen = self.see(&state, &entries, now);
        let first = page.index.saturating_mul(page.size);
        let more = seen.len() > first.saturating_add(page.size);
        let sessions = seen.into_iter().skip(first).take(page.size).collect();
        ready(Ok(Listed { sessions, more }))
    }

    fn deadlines(
        &self,
        horizon: Timestamp,
    ) -> Answer<'_, Result<Vec<(SessionId, Timestamp)>, LedgerError>> {
        ready(Ok(self.state().index.deadlines(horizon)))
    }

    fn owing(&self) -> Answer<'_, Result<Vec<SessionId>, LedgerError>> {
        ready(Ok(self.state().index.owing()))
    }

    fn outbox(
        &self,
        horizon: Timestamp,
    ) -> Answer<'_, Result<Vec<(OutboxId, Timestamp)>, LedgerError>> {
        let state = self.state();
        let waiting = state.tables.outbox.iter().map(|(&id, waiting)| (id, waiting.next_at));
        ready(Ok(waiting.filter(|&(_, next_at)| next_at < horizon).collect()))
    }

    fn notification(&self, id: OutboxId) -> Answer<'_, Result<Option<Notification>, LedgerError>> {
        let state = self.state();
        ready(Ok(state.tables.outbox.get(&id).map(|waiting| waiting.notification.clone())))
    }

    fn settle(&self, id: OutboxId, settlement: Settlement) -> Answer<'_, Result<(), LedgerError>> {
        let tables = &mut self.state().tables;
        if let Some(mut waiting) = tables.outbox.remove(&id) {
            waiting.notification.tries += 1;
            match settlement {
                Settlement::Retry { next_at } => {
                    waiting.next_at = next_at;
                    tables.outbox.insert(id, waiting);
                }
                Settlement::Done { outcome, .. } => {
                    tables.deliveries.push((waiting.notification, outcome));
                }
            }
        }
        ready(Ok(()))
    }

    fn failed(&self) -> Answer<'_, LedgerError> {
        Box::pin(std::future::pending())
    }
}

impl Rows for Tables {
    fn load(&mut self, row: i64) -> Result<Session, LedgerError> {
        self.live.get(&row).cloned().ok_or(LedgerError::Corrupt { what: "row of the index" })
    }

    fn insert(&mut self, session: &Session) -> Result<i64, LedgerError> {
        self.last_row += 1;
        self.live.insert(self.last_row, session.clone());
        Ok(self.last_row)
    }

    fn update(&mut self, row: i64, session: &Session) -> Result<(), LedgerError> {
        self.live.insert(row, session.clone());
        Ok(())
    }

    fn retire(&mut self, row: i64, session: &Session) -> Result<(), LedgerError> {
        self.live.remove(&row);
        self.history.push(session.clone());
        Ok(())
    }

    fn notify(&mut self, event: &Event) -> Result<OutboxId, LedgerError> {
        self.last_row += 1;
        let id = OutboxId(self.last_row);
        let notification = Notification { id, event: event.clone(), tries: 0 };
        self.outbox.insert(id, Waiting { notification, next_at: event.at });
        Ok(id)
    }

    /// The index holds them.
    fn learn(&mut self, _: IdentifierKey, _: DeviceKey) -> Result<(), LedgerError> {
        Ok(())
    }
}

impl Registry for MemoryLedger {
    fn applications(&self) -> Answer<'_, Result<Vec<Application>, LedgerError>> {
        ready(Ok(self.state().applications.clone()))
    }

    fn application(&self, name: String) -> Answer<'_, Result<Application, LedgerError>> {
        let applications = &mut self.state().applications;
        let known = applications.iter().find(|application| application.name == name).cloned();
        ready(Ok(known.unwrap_or_else(|| {
            let id = ApplicationId(applications.len() as u32 + 1);
            let application = Application { id, name, created_at: self.clock.now() };
            applications.push(application.clone());
            application
        })))
    }

    fn keys(&self) -> Answer<'_, Result<Vec<ApplicationKey>, LedgerError>> {
        ready(Ok(self.state().keys.clone()))
    }

    fn add_key(&self, key: NewKey) -> Answer<'_, Result<ApplicationKey, RegistryError>> {
        let keys = &mut self.state().keys;
        let live = |known: &&ApplicationKey| {
            known.application == key.application && known.revoked_at.is_none()
        };
        if keys.iter().filter(live).count() >= LIVE_KEYS_PER_APPLICATION {
            return ready(Err(RegistryError::TooManyKeys));
        }
        let key = ApplicationKey {
            id: KeyId(keys.len() as u32 + 1),
            application: key.application,
            hash: key.hash,
            ending: key.ending,
            label: key.label,
            created_at: self.clock.now(),
            revoked_at: None,
        };
        keys.push(key.clone());
        ready(Ok(key))
    }

    fn revoke_key(&self, id: KeyId) -> Answer<'_, Result<ApplicationKey, RegistryError>> {
        let now = self.clock.now();
        let keys = &mut self.state().keys;
        let live = keys.iter_mut().find(|key| key.id == id && key.revoked_at.is_none());
        ready(live.ok_or(RegistryError::UnknownKey).map(|key| {
            key.revoked_at = Some(now);
            key.clone()
        }))
    }
}
