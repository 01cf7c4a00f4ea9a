//! A mobile network that exists only here: cells with a capacity, admission, and grants that take
//! a moment.
//!
//! Like a real network it keeps its rules outside of the gateway, in a file of its own
//! ([`rules`]), and still has them after the gateway has died. What it had not yet granted is
//! forgotten then.
//!
//! Like a real network it can go wrong, here at the wish of whoever tests: in calls, by a table of
//! [`faults`], and on its own, by what [`disturbance`] does to it.

mod calls;
mod cell;
pub mod disturbance;
pub mod faults;
pub mod rules;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use greenwave_core::{Catalogue, Deadlines, Order, QosProfile, SessionId};
use greenwave_crashpoint::{Point, reached};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use self::cell::{Cells, Share};
use self::faults::Faults;
use self::rules::{Rule, RulesFile};
use crate::{NetworkEvent, News, Provisioned, Timer};

pub use cell::{CellName, InvalidCellName};

/// How many events may wait to be taken. A driver with more to say waits.
const EVENTS: usize = 8_192;

/// How many grants are carried out at a time.
const GRANTS_AT_ONCE: usize = 1_024;

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
    catalogue: Arc<Catalogue>,
    settings: Settings,
    timer: Arc<dyn Timer>,
    state: Mutex<State>,
    faults: Mutex<faults::Table>,
    events: mpsc::Sender<NetworkEvent>,
    /// There is an earlier deadline than the granting task knows of.
    earlier: Notify,
}

/// A session in the network is either asked for or installed, and has its share of the cell either
/// way.
struct State {
    file: RulesFile,
    cells: Cells,
    asked: HashMap<SessionId, Asked>,
    installed: HashMap<SessionId, Share>,
    grants: Deadlines<SessionId>,
    /// How many of the file's rules are not the gateway's.
    foreign: usize,
}

struct Asked {
    rule: Rule,
    share: Share,
    outcome: Outcome,
}

/// What an event will say of a session that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Granted,
    GrantedTwice,
    Refused,
    /// There will be no event.
    Silence,
}

impl Simulator {
    /// Starts the network, with the rules that its file has. It needs a Tokio runtime.
    pub fn start(
        rules: &Path,
        catalogue: Arc<Catalogue>,
        settings: Settings,
        timer: Arc<dyn Timer>,
    ) -> std::io::Result<Self> {
        let (file, kept) = RulesFile::open(rules)?;
        let mut cells = Cells::default();
        let mut installed = HashMap::with_capacity(kept.len());
        for rule in kept {
            let share = share(&catalogue, &rule);
            cells.take(share);
            installed.insert(rule.session, share);
        }
        let foreign = file.rules() - installed.len();
        let (asked, grants) = (HashMap::new(), Deadlines::new());
        let (events, waiting) = mpsc::channel(EVENTS);
        let inner = Arc::new(Inner {
            rules: rules.to_owned(),
            catalogue,
            settings,
            timer,
            state: Mutex::new(State { file, cells, asked, installed, grants, foreign }),
            faults: Mutex::new(faults::Table::new(settings.seed)),
            events,
            earlier: Notify::new(),
        });
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
    }
}

impl State {
    /// Takes a rule away; `false` if there is none. It is gone once the file says so.
    fn uninstall(&mut self, session: SessionId) -> std::io::Result<bool> {
        let Some(&share) = self.installed.get(&session) else { return Ok(false) };
        reached(Point::NetworkBeforeRelease);
        self.file.release(session)?;
        reached(Point::NetworkReleased);
        self.installed.remove(&session);
        self.cells.give_back(share);
        Ok(true)
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an order on, of which an event will say what becomes of it.
    fn ask(&self, order: &Order, outcome: Outcome) -> Provisioned {
        let rule = Rule::of(order);
        let share = share(&self.catalogue, &rule);
        let mut state = self.state();
        if state.installed.contains_key(&order.session) {
            return Provisioned::Granted;
        }
        if state.asked.contains_key(&order.session) {
            return Provisioned::Pending;
        }
        if !state.cells.admit(share) {
            return Provisioned::Refused;
        }
        state.asked.insert(order.session, Asked { rule, share, outcome });
        reached(Point::NetworkAdmitted);
        if outcome == Outcome::Silence {
            return Provisioned::Pending;
        }
        let due = self.timer.now() + self.settings.grant_delay;
        let earliest = state.grants.next().is_none_or(|next| due < next);
        state.grants.set(order.session, due);
        if earliest {
            self.earlier.notify_one();
        }
        Provisioned::Pending
    }

    /// Carries an order out at once, in place of any grant that was to come.
    fn install(&self, order: &Order) -> std::io::Result<Provisioned> {
        let rule = Rule::of(order);
        let share = share(&self.catalogue, &rule);
        let state = &mut *self.state();
        if state.installed.contains_key(&order.session) {
            return Ok(Provisioned::Granted);
        }
        if state.asked.remove(&order.session).is_some() {
            state.grants.cancel(order.session);
        } else if !state.cells.admit(share) {
            return Ok(Provisioned::Refused);
        }
        if let Err(error) = state.file.install(std::iter::once(&rule)) {
            state.cells.give_back(share);
            return Err(error);
        }
        state.installed.insert(order.session, share);
        Ok(Provisioned::Granted)
    }

    /// Takes back whatever was done for a session.
    fn release(&self, session: SessionId) -> std::io::Result<()> {
        let state = &mut *self.state();
        if let Some(asked) = state.asked.remove(&session) {
            state.grants.cancel(session);
            state.cells.give_back(asked.share);
        }
        state.uninstall(session).map(drop)
    }

    /// Does what is due at `now` and tells what became of it. A rule is there once the file says
    /// so.
    fn install_due(&self, now: Timestamp) -> Vec<NetworkEvent> {
        let state = &mut *self.state();
        let due = state.grants.pop_due(now, GRANTS_AT_ONCE);
        let asked: Vec<Asked> = due.iter().filter_map(|id| state.asked.remove(id)).collect();
        reached(Point::NetworkBeforeInstall);
        let granted = asked.iter().filter(|asked| asked.outcome != Outcome::Refused);
        let written = state.file.install(granted.map(|asked| &asked.rule));
        reached(Point::NetworkInstalled);
        if let Err(error) = &written {
            tracing::error!(%error, "the simulated network cannot write its rules");
        }
        let mut events = Vec::with_capacity(asked.len());
        for Asked { rule, share, outcome } in asked {
            let (news, times) = match outcome {
                _ if written.is_err() => (News::Refused, 1),
                Outcome::Granted => (News::Granted, 1),
                Outcome::GrantedTwice => (News::Granted, 2),
                Outcome::Refused | Outcome::Silence => (News::Refused, 1),
            };
            if news == News::Granted {
                state.installed.insert(rule.session, share);
            } else {
                state.cells.give_back(share);
            }
            let event = NetworkEvent { session: rule.session, news };
            events.extend(std::iter::repeat_n(event, times));
        }
        events
    }
}

/// Grants what has been asked for, each after its delay.
async fn grant(network: Arc<Inner>) {
    loop {
        let earlier = network.earlier.notified();
        let next = network.state().grants.next();
        match next {
            None => earlier.await,
            Some(at) => tokio::select! {
                () = earlier => {}
                () = network.timer.sleep_until(at) => {}
            },
        }
        let mut news = network.install_due(network.timer.now());
        for event in news.drain(..) {
            reached(Point::NetworkBeforeEvent);
            if network.events.send(event).await.is_err() {
                return;
            }
            reached(Point::NetworkEventSent);
        }
    }
}

fn share(catalogue: &Catalogue, rule: &Rule) -> Share {
    let guaranteed = |rates: fn(&QosProfile) -> greenwave_core::profile::Rates| {
        let profile = catalogue.find(&rule.profile)?;
        rates(profile).guaranteed.map(greenwave_core::profile::BitRate::bps)
    };
    Share {
        cell: rule.cell,
        downlink_bps: guaranteed(|profile| profile.downlink).unwrap_or(0),
        uplink_bps: guaranteed(|profile| profile.uplink).unwrap_or(0),
    }
}
