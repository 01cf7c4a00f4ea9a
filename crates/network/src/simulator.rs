//! A mobile network that exists only here: cells with a capacity, admission, and grants that take
//! a moment.
//!
//! Like a real network it keeps its rules outside of the gateway, in a file of its own
//! ([`rules`]), and still has them after the gateway has died. What it had not yet granted is
//! forgotten then.
//!
//! Like a real network it can go wrong, here at the wish of whoever tests: in calls, by a table of
//! [`faults`], and on its own, by what [`disturbance`] does to it. Devices leave it and come back
//! ([`attachment`]).

pub mod attachment;
mod calls;
mod cell;
pub mod disturbance;
pub mod faults;
mod guarantee;
mod installed;
mod pending;
pub mod rules;
mod tidy;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use greenwave_core::{CurrentCatalogue, Order, SessionId};
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use self::attachment::Away;
use self::cell::Cells;
use self::faults::Faults;
use self::installed::InstalledSessions;
use self::pending::{Outcome, Pending, PendingSessions};
use self::rules::{Granted, RuleLine, RulesFile};
use self::tidy::TidyThread;
use crate::{NetworkError, NetworkEvent, News, Provisioned, Timer};

pub use cell::{CellName, InvalidCellName};

/// How many events may wait to be taken. A driver with more to say waits.
const EVENTS: usize = 8_192;

/// How many grants are carried out at a time. Each has two events at most.
const GRANTS_AT_ONCE: usize = 1_024;
const _: () = assert!(2 * GRANTS_AT_ONCE <= EVENTS);

/// How the simulated network behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a grant takes.
    pub grant_delay: Duration,
    /// What decides when faults with a probability strike: the same with the same number.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { grant_delay: Duration::from_millis(50), seed: 0 }
    }
}

/// The simulated network.
pub struct Simulator {
    inner: Arc<Inner>,
    events: Mutex<Option<mpsc::Receiver<NetworkEvent>>>,
    granting: tokio::task::JoinHandle<()>,
    /// What was asked for and will be done later, whether or not anybody waits for it.
    late: Mutex<JoinSet<()>>,
}

struct Inner {
    rules: PathBuf,
    settings: Settings,
    timer: Arc<dyn Timer>,
    state: Mutex<State>,
    /// It has locks of its own, so that listing it holds up nothing else. Who takes one has the
    /// state's already, if both are needed.
    installed: InstalledSessions,
    faults: Mutex<faults::Table>,
    events: mpsc::Sender<NetworkEvent>,
    /// The granting task waits for nothing, and somebody has come.
    asked: Notify,
    tidying: TidyThread,
}

/// A session in the network is either pending or installed, and has its share of the cell either
/// way.
struct State {
    file: RulesFile,
    cells: Cells,
    pending: PendingSessions,
    away: Away,
    /// How many of the file's rules are not the gateway's.
    foreign: usize,
}

impl Simulator {
    /// Starts the network, with the rules that its file has. It needs a Tokio runtime.
    pub fn start(
        rules: &Path,
        catalogue: Arc<CurrentCatalogue>,
        settings: Settings,
        timer: Arc<dyn Timer>,
    ) -> io::Result<Self> {
        let installed = InstalledSessions::new();
        let state = State::open(rules, Cells::new(catalogue), &installed)?;
        let (events, waiting) = mpsc::channel(EVENTS);
        let inner = Arc::new(Inner {
            rules: rules.to_owned(),
            settings,
            timer,
            state: Mutex::new(state),
            installed,
            faults: Mutex::new(faults::Table::new(settings.seed)),
            events,
            asked: Notify::new(),
            tidying: TidyThread::default(),
        });
        inner.tidy_now()?;
        let granting = tokio::spawn(grant(Arc::clone(&inner)));
        let (events, late) = (Mutex::new(Some(waiting)), Mutex::default());
        Ok(Self { inner, events, granting, late })
    }

    /// What can be made to go wrong in calls.
    #[must_use]
    pub fn faults(&self) -> Faults<'_> {
        Faults(self)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.granting.abort();
        self.inner.tidying.stop();
    }
}

impl State {
    /// Puts in what the file tells, a line at a time.
    fn open(rules: &Path, mut cells: Cells, installed: &InstalledSessions) -> io::Result<Self> {
        let mut foreign = HashSet::new();
        let mut file = RulesFile::open(rules, |line| match line {
            RuleLine::Install(rule) => {
                let share = cells.share_of_installed(rule.cell, &rule.profile);
                if let Some(before) = installed.insert(rule.session, share) {
                    cells.give_back(before);
                }
                cells.take(share);
            }
            RuleLine::Release(session) => {
                if let Some(share) = installed.remove(session) {
                    cells.give_back(share);
                }
            }
            RuleLine::Foreign(rule) => drop(foreign.insert(rule.session)),
        })?;
        let foreign = foreign.len();
        file.has_rules(installed.len() + foreign);
        let (pending, away) = (PendingSessions::default(), Away::default());
        Ok(Self { file, cells, pending, away, foreign })
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an order on, of which an event will say what becomes of it.
    fn ask(&self, order: Order, outcome: Outcome) -> Result<Provisioned, NetworkError> {
        let cell = CellName::of(&order);
        let Order { session, device, asked, .. } = order;
        let state = &mut *self.state();
        state.away.check(device, session)?;
        if self.installed.contains(session) {
            return Ok(Provisioned::Granted);
        }
        if state.pending.contains(session) {
            return Ok(Provisioned::Pending);
        }
        let share = state.cells.admit_with(cell, asked.profile.as_str());
        let Some(share) = share else { return Ok(Provisioned::Refused) };
        let due =
            (outcome != Outcome::Silence).then(|| self.timer.now() + self.settings.grant_delay);
        let pending = Pending { device, asked, share, outcome };
        let is_first = state.pending.add(session, pending, due);
        reached(Point::NetworkAdmitted);
        if is_first {
            self.asked.notify_one();
        }
        Ok(Provisioned::Pending)
    }

    /// Carries an order out at once, in place of any grant that was to come.
    fn install(&self, order: &Order) -> Result<Provisioned, NetworkError> {
        let cell = CellName::of(order);
        let state = &mut *self.state();
        state.away.check(order.device, order.session)?;
        if self.installed.contains(order.session) {
            return Ok(Provisioned::Granted);
        }
        let share = match state.pending.take(order.session) {
            Some(pending) => pending.share,
            None => match state.cells.admit_with(cell, order.asked.profile.as_str()) {
                Some(share) => share,
                None => return Ok(Provisioned::Refused),
            },
        };
        let Order { session, device, ref asked, .. } = *order;
        let granted = Granted { session, device, cell, asked };
        if let Err(error) = state.file.grant(std::iter::once(granted)) {
            state.cells.give_back(share);
            return Err(calls::unreachable(error));
        }
        self.installed.insert(session, share);
        Ok(Provisioned::Granted)
    }

    /// Takes back whatever was done for a session.
    fn release(self: &Arc<Self>, session: SessionId) -> io::Result<()> {
        let state = &mut *self.state();
        state.away.forget(session);
        if let Some(pending) = state.pending.take(session) {
            state.cells.give_back(pending.share);
        }
        self.uninstall(state, session).map(drop)
    }

    /// Takes a rule away; `false` if there is none. It is gone once the file says so.
    fn uninstall(self: &Arc<Self>, state: &mut State, session: SessionId) -> io::Result<bool> {
        if !self.installed.contains(session) {
            return Ok(false);
        }
        reached(Point::NetworkBeforeRelease);
        state.file.release(session)?;
        reached(Point::NetworkReleased);
        if let Some(share) = self.installed.remove(session) {
            state.cells.give_back(share);
        }
        self.tidy_beside(&mut state.file);
        Ok(true)
    }

    /// Does what is due at `now` and tells what became of it. A rule is there once the file says
    /// so.
    fn install_due(&self, now: Timestamp) -> Vec<NetworkEvent> {
        let state = &mut *self.state();
        let due = state.pending.pop_due(now, GRANTS_AT_ONCE);
        reached(Point::NetworkBeforeInstall);
        let granted = due.iter().filter(|(_, pending)| pending.outcome != Outcome::Refused);
        let written = state.file.grant(granted.map(|(session, pending)| Granted {
            session: *session,
            device: pending.device,
            cell: pending.share.cell,
            asked: &pending.asked,
        }));
        reached(Point::NetworkInstalled);
        if let Err(error) = &written {
            tracing::error!(%error, "the simulated network cannot write its rules");
        }
        let mut events = Vec::with_capacity(due.len());
        for (session, Pending { share, outcome, .. }) in due {
            let (news, times) = match outcome {
                _ if written.is_err() => (News::Refused, 1),
                Outcome::Granted => (News::Granted, 1),
                Outcome::GrantedTwice => (News::Granted, 2),
                Outcome::Refused | Outcome::Silence => (News::Refused, 1),
            };
            if news == News::Granted {
                self.installed.insert(session, share);
            } else {
                state.cells.give_back(share);
            }
            events.extend(std::iter::repeat_n(NetworkEvent { session, news }, times));
        }
        events
    }
}

/// Grants what has been asked for, each after its delay.
async fn grant(network: Arc<Inner>) {
    loop {
        let asked = network.asked.notified();
        let next = network.state().pending.next();
        match next {
            None => asked.await,
            // Whoever comes now is due later.
            Some(at) => network.timer.sleep_until(at).await,
        }
        let news = network.install_due(network.timer.now());
        let Ok(places) = network.events.reserve_many(news.len()).await else { return };
        for (place, event) in places.zip(news) {
            reached(Point::NetworkBeforeEvent);
            place.send(event);
            reached(Point::NetworkEventSent);
        }
    }
}
