//! A mobile network that exists only here: cells with a capacity, admission, and grants that take
//! a moment.
//!
//! Like a real network it keeps its rules outside of the gateway, in a file of its own
//! ([`rules`]), and still has them after the gateway has died. What it had not yet granted is
//! forgotten then.

mod cell;
pub mod rules;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use greenwave_core::{Catalogue, Deadlines, Order, QosProfile, SessionId};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};

use self::cell::{Cells, Share};
use self::rules::{Rule, RulesFile};
use crate::{Answer, Installed, Network, NetworkError, NetworkEvent, News, Provisioned, Timer};

pub use cell::CellName;

/// How many events may wait to be taken. A driver with more to say waits.
const EVENTS: usize = 8_192;

/// How many grants are carried out at a time.
const GRANTS_AT_ONCE: usize = 1_024;

/// How the simulated network behaves.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a grant takes.
    pub grant_delay: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { grant_delay: Duration::from_millis(50) }
    }
}

/// The simulated network.
pub struct Simulator {
    inner: Arc<Inner>,
    events: Mutex<Option<mpsc::Receiver<NetworkEvent>>>,
    granting: tokio::task::JoinHandle<()>,
}

struct Inner {
    catalogue: Arc<Catalogue>,
    settings: Settings,
    timer: Arc<dyn Timer>,
    state: Mutex<State>,
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
}

struct Asked {
    rule: Rule,
    share: Share,
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
        let state =
            State { file, cells, asked: HashMap::new(), installed, grants: Deadlines::new() };
        let inner = Arc::new(Inner {
            catalogue,
            settings,
            timer,
            state: Mutex::new(state),
            earlier: Notify::new(),
        });
        let (events, waiting) = mpsc::channel(EVENTS);
        let granting = tokio::spawn(grant(Arc::clone(&inner), events));
        Ok(Self { inner, events: Mutex::new(Some(waiting)), granting })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.granting.abort();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn provision(&self, order: &Order) -> Provisioned {
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
        let due = self.timer.now() + self.settings.grant_delay;
        let earliest = state.grants.next().is_none_or(|next| due < next);
        state.grants.set(order.session, due);
        state.asked.insert(order.session, Asked { rule, share });
        if earliest {
            self.earlier.notify_one();
        }
        Provisioned::Pending
    }

    /// A rule is gone once the file says so.
    fn release(&self, session: SessionId) -> std::io::Result<()> {
        let state = &mut *self.state();
        if let Some(asked) = state.asked.remove(&session) {
            state.grants.cancel(session);
            state.cells.give_back(asked.share);
        }
        if state.installed.contains_key(&session) {
            state.file.release(session)?;
            if let Some(share) = state.installed.remove(&session) {
                state.cells.give_back(share);
            }
        }
        Ok(())
    }

    /// Installs what is due at `now` and tells what became of it. A rule is there once the file
    /// says so.
    fn install_due(&self, now: Timestamp) -> Vec<NetworkEvent> {
        let state = &mut *self.state();
        let due = state.grants.pop_due(now, GRANTS_AT_ONCE);
        let asked: Vec<Asked> = due.iter().filter_map(|id| state.asked.remove(id)).collect();
        let written = state.file.install(asked.iter().map(|asked| &asked.rule));
        if let Err(error) = &written {
            tracing::error!(%error, "the simulated network cannot write its rules");
        }
        asked
            .into_iter()
            .map(|Asked { rule, share }| {
                let news = if written.is_ok() {
                    state.installed.insert(rule.session, share);
                    News::Granted
                } else {
                    state.cells.give_back(share);
                    News::Refused
                };
                NetworkEvent { session: rule.session, news }
            })
            .collect()
    }
}

/// Grants what has been asked for, each after its delay.
async fn grant(network: Arc<Inner>, events: mpsc::Sender<NetworkEvent>) {
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
            if events.send(event).await.is_err() {
                return;
            }
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

fn unreachable(error: std::io::Error) -> NetworkError {
    NetworkError::Unreachable(Box::new(error))
}

impl Network for Simulator {
    fn provision(&self, order: Order) -> Answer<'_, Result<Provisioned, NetworkError>> {
        Box::pin(std::future::ready(Ok(self.inner.provision(&order))))
    }

    fn release(&self, order: Order) -> Answer<'_, Result<(), NetworkError>> {
        Box::pin(std::future::ready(self.inner.release(order.session).map_err(unreachable)))
    }

    fn installed(&self) -> Answer<'_, Result<Option<Vec<Installed>>, NetworkError>> {
        let state = self.inner.state();
        let installed = state.installed.keys().map(|&session| Installed { session }).collect();
        Box::pin(std::future::ready(Ok(Some(installed))))
    }

    fn remove(&self, installed: Installed) -> Answer<'_, Result<(), NetworkError>> {
        Box::pin(std::future::ready(self.inner.release(installed.session).map_err(unreachable)))
    }

    fn events(&self) -> Option<mpsc::Receiver<NetworkEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
