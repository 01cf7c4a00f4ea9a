//! A network at its worst: calls are lost before or after their effect, answers come late, twice or
//! never, sessions are ended or forgotten, devices leave and come back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use greenwave_core::{Buckets, DeviceKey, Order, SessionId};
use greenwave_network::{
    Answer, Installed, Network, NetworkError, NetworkEvent, News, Provisioned,
};
use tokio::sync::{mpsc, oneshot};

use crate::attachment::Attachment;
use crate::chance::Chance;

/// The network itself. It outlives the gateway, and so does what the gateway has asked of it.
pub(crate) struct SimulatedNetwork {
    pub(crate) chance: Chance,
    faulty: Arc<AtomicBool>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) rules: BTreeSet<SessionId>,
    /// Which device each session is for that was ever asked for.
    pub(crate) devices: BTreeMap<SessionId, DeviceKey>,
    pub(crate) attachment: Attachment,
    /// The sessions that it has refused, ended, lost, or not answered for.
    pub(crate) blamed: BTreeSet<SessionId>,
    /// Those of them that it will not honour, and has said so or tried to.
    denied: BTreeSet<SessionId>,
    /// To the gateway that is there at the moment.
    line: Option<mpsc::Sender<NetworkEvent>>,
}

/// What a call comes to.
#[derive(Clone, Copy)]
enum Fate {
    /// It is carried out and answered.
    Fine,
    /// It is lost on the way there.
    LostBefore,
    /// It is carried out, and the answer is lost.
    LostAfter,
    /// It is carried out much later.
    Late,
    /// It is turned away.
    Error,
    /// It is turned away, and is to come later.
    Busy,
}

/// How a network speaks of what it has been asked for.
#[derive(Clone, Copy)]
enum Manner {
    /// In its answer.
    AtOnce,
    /// By an event, once or twice, perhaps before its answer.
    ByEvent { twice: bool, first: bool },
    /// It will not.
    Refusing { by_event: bool },
}

impl SimulatedNetwork {
    pub(crate) fn new(chance: Chance, faulty: Arc<AtomicBool>) -> Arc<Self> {
        Arc::new(Self { chance, faulty, state: Mutex::default() })
    }

    pub(crate) fn rules(&self) -> BTreeSet<SessionId> {
        self.state().rules.clone()
    }

    pub(crate) fn blamed(&self) -> BTreeSet<SessionId> {
        self.state().blamed.clone()
    }

    pub(crate) fn denied(&self) -> BTreeSet<SessionId> {
        self.state().denied.clone()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn blame(&self, session: SessionId) {
        self.state().blamed.insert(session);
    }

    /// Something happens in the network that nobody has asked for.
    pub(crate) fn disturb(&self) {
        let state = &mut *self.state();
        match self.chance.below(4) {
            0 => state.blamed.append(&mut state.rules),
            1 => {
                let mut random = [0; 16];
                greenwave::entropy::Entropy::fill(&self.chance, &mut random);
                state.rules.insert(SessionId::from_bytes(random));
            }
            _ => {
                let rules: Vec<SessionId> = state.rules.iter().copied().collect();
                if rules.is_empty() {
                    return;
                }
                let session = self.chance.pick(&rules);
                state.rules.remove(&session);
                state.blamed.insert(session);
                if self.chance.percent(80) {
                    state.denied.insert(session);
                    tell(state, session, News::Ended);
                }
            }
        }
    }

    pub(crate) fn is_faulty(&self) -> bool {
        self.faulty.load(Ordering::SeqCst)
    }

    fn fate(&self) -> Fate {
        if !self.is_faulty() {
            return Fate::Fine;
        }
        match self.chance.below(20) {
            0..=12 => Fate::Fine,
            13..=14 => Fate::LostBefore,
            15..=16 => Fate::LostAfter,
            17 => Fate::Late,
            18 => Fate::Error,
            _ => Fate::Busy,
        }
    }

    fn manner(&self) -> Manner {
        let twice = self.is_faulty() && self.chance.percent(20);
        match self.chance.below(10) {
            0..=3 => Manner::AtOnce,
            4..=8 => Manner::ByEvent { twice, first: self.chance.percent(20) },
            _ if self.is_faulty() => Manner::Refusing { by_event: self.chance.percent(50) },
            _ => Manner::AtOnce,
        }
    }

    async fn provision(self: Arc<Self>, session: SessionId) -> Option<Asked> {
        if self.state().is_away(session) {
            return Some(Err(NetworkError::NotAttached));
        }
        match self.manner() {
            Manner::AtOnce => {
                self.install(session);
                Some(Ok(Provisioned::Granted))
            }
            Manner::ByEvent { twice, first } => {
                let granting = Arc::clone(&self).grant_later(session, twice);
                if first {
                    granting.await;
                } else {
                    tokio::spawn(granting);
                }
                Some(Ok(Provisioned::Pending))
            }
            Manner::Refusing { by_event } => {
                let state = &mut *self.state();
                state.blamed.insert(session);
                // One that is honoured already is not refused.
                if state.rules.contains(&session) {
                    return Some(Ok(Provisioned::Granted));
                }
                state.denied.insert(session);
                if by_event {
                    tell(state, session, News::Refused);
                }
                Some(Ok(if by_event { Provisioned::Pending } else { Provisioned::Refused }))
            }
        }
    }

    async fn grant_later(self: Arc<Self>, session: SessionId, twice: bool) {
        tokio::time::sleep(self.chance.millis(0..80)).await;
        if !self.install(session) {
            return;
        }
        tell(&self.state(), session, News::Granted);
        if twice {
            tokio::time::sleep(self.chance.millis(0..20_000)).await;
            tell(&self.state(), session, News::Granted);
        }
    }

    /// Whether there is a rule now: for a device that has left meanwhile there is none.
    fn install(&self, session: SessionId) -> bool {
        let state = &mut *self.state();
        if state.is_away(session) {
            tell(state, session, News::Detached);
            return false;
        }
        state.rules.insert(session);
        true
    }

    async fn release(self: Arc<Self>, session: SessionId) -> Option<()> {
        let state = &mut *self.state();
        state.attachment.forget(session);
        state.rules.remove(&session);
        Some(())
    }
}

/// What a network says when it is asked for a session.
type Asked = Result<Provisioned, NetworkError>;

pub(crate) fn tell(state: &State, session: SessionId, news: News) {
    if let Some(line) = &state.line {
        // Whoever has gone away is not told.
        let _ = line.try_send(NetworkEvent { session, news });
    }
}

/// A gateway's way to the network.
pub(crate) struct Connection {
    network: Arc<SimulatedNetwork>,
    events: Mutex<Option<mpsc::Receiver<NetworkEvent>>>,
}

impl Connection {
    pub(crate) fn open(network: &Arc<SimulatedNetwork>) -> Self {
        let (line, events) = mpsc::channel(1_024);
        network.state().line = Some(line);
        Self { network: Arc::clone(network), events: Mutex::new(Some(events)) }
    }

    /// Makes a call. What has reached the network is carried out, whatever becomes of the caller.
    async fn call<T: Send + 'static>(
        &self,
        session: Option<SessionId>,
        work: impl Future<Output = Option<T>> + Send + 'static,
    ) -> Result<T, NetworkError> {
        let (chance, fate) = (self.network.chance.clone(), self.network.fate());
        if let (Some(session), true) = (session, !matches!(fate, Fate::Fine)) {
            self.network.blame(session);
        }
        let (answer, receive) = oneshot::channel();
        tokio::spawn(async move {
            tokio::time::sleep(chance.millis(0..40)).await;
            match fate {
                Fate::LostBefore | Fate::Error | Fate::Busy => return drop(work),
                Fate::Late => tokio::time::sleep(chance.millis(0..20_000)).await,
                Fate::Fine | Fate::LostAfter => {}
            }
            let done = work.await;
            tokio::time::sleep(chance.millis(0..40)).await;
            if !matches!(fate, Fate::LostAfter) {
                let _ = answer.send(done);
            }
        });
        let lost = || NetworkError::Unreachable("the connection broke".into());
        match (receive.await, fate) {
            (Ok(Some(done)), _) => Ok(done),
            (_, Fate::Busy) => {
                let retry_after = Some(self.network.chance.millis(0..9_000));
                Err(NetworkError::Busy { retry_after })
            }
            (_, Fate::Error) => Err(lost()),
            // Half of what is lost is noticed; the rest is silence.
            _ if self.network.chance.percent(50) => Err(lost()),
            _ => std::future::pending().await,
        }
    }
}

impl Network for Connection {
    fn provision(&self, order: Order) -> Answer<'_, Result<Provisioned, NetworkError>> {
        let network = Arc::clone(&self.network);
        network.state().devices.insert(order.session, order.device);
        Box::pin(async move {
            self.call(Some(order.session), network.provision(order.session)).await.flatten()
        })
    }

    fn release(&self, order: Order) -> Answer<'_, Result<(), NetworkError>> {
        let network = Arc::clone(&self.network);
        Box::pin(self.call(None, network.release(order.session)))
    }

    fn installed(&self, of: Buckets) -> Answer<'_, Result<Option<Vec<Installed>>, NetworkError>> {
        let network = Arc::clone(&self.network);
        Box::pin(self.call(None, async move {
            tokio::time::sleep(Duration::from_millis(network.chance.below(200))).await;
            let rules = network.rules().into_iter();
            let listed = rules.filter(|&session| of.contains_session(session));
            Some(Some(listed.map(|session| Installed { session }).collect()))
        }))
    }

    fn remove(&self, installed: Installed) -> Answer<'_, Result<(), NetworkError>> {
        let network = Arc::clone(&self.network);
        Box::pin(self.call(None, network.release(installed.session)))
    }

    fn events(&self) -> Option<mpsc::Receiver<NetworkEvent>> {
        self.events.lock().unwrap().take()
    }
}
