//! The worker that has the network carry out orders, and the one that listens to it.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use greenwave_core::decide::NetworkReport;
use greenwave_core::{Command, Order, Refusal, SessionId, retry};
use greenwave_crashpoint::{Point, reached};
use greenwave_ledger::TransactError;
use greenwave_network::{Installed, Network, NetworkError, NetworkEvent, News, Provisioned};
use tokio::sync::{Notify, mpsc};
use tokio::task::{Id, JoinError, JoinSet};

use super::Engine;

/// How many orders may wait. What finds no room comes due again in the ledger.
const ORDERS: usize = 8_192;

/// How many calls to the network may be under way.
const CALLS: usize = 256;

/// How many calls that took too long are still waited for.
const LATE_CALLS: usize = 1_024;

/// For how long. What comes later still is found by comparing the network with the ledger.
const LATE_FOR: Duration = Duration::from_secs(600);

/// How many events are attended to at a time, so that they share a commit.
const EVENTS_AT_ONCE: usize = 256;

/// Something for the network to do.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// Honour a session.
    Provision(Order),
    /// Take back whatever was done for one.
    Release(Order),
}

impl Job {
    fn session(&self) -> SessionId {
        match self {
            Self::Provision(order) | Self::Release(order) => order.session,
        }
    }
}

/// Orders that wait for the network, one for each session: what was to be done before, and has not
/// been begun, is of no use any more.
#[derive(Default)]
pub(super) struct Orders {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

#[derive(Default)]
struct Waiting {
    line: VecDeque<SessionId>,
    jobs: HashMap<SessionId, Job>,
}

impl Orders {
    /// Puts an order into the line, or in the place of the session's that waits. Tells whether
    /// there was room.
    pub(super) fn put(&self, job: Job) -> bool {
        let session = job.session();
        let waiting = &mut *self.waiting();
        if !waiting.jobs.contains_key(&session) {
            if waiting.line.len() >= ORDERS {
                return false;
            }
            waiting.line.push_back(session);
        }
        waiting.jobs.insert(session, job);
        self.arrived.notify_one();
        true
    }

    async fn next(&self) -> Job {
        loop {
            let arrived = self.arrived.notified();
            if let Some(job) = self.take() {
                return job;
            }
            arrived.await;
        }
    }

    fn take(&self) -> Option<Job> {
        let waiting = &mut *self.waiting();
        let session = waiting.line.pop_front()?;
        waiting.jobs.remove(&session)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has the network carry out orders, for as long as it is run: many at once, but for one session
/// one after the other, and of those that wait only the latest.
pub(super) async fn carry_out(engine: Arc<Engine>) {
    let orders = Arc::clone(&engine.orders);
    let mut calls = Calls {
        engine,
        waiting: HashMap::new(),
        under_way: JoinSet::new(),
        sessions: HashMap::new(),
        late: JoinSet::new(),
    };
    loop {
        tokio::select! {
            biased;
            Some(ended) = calls.under_way.join_next_with_id() => calls.ended(ended),
            Some(_) = calls.late.join_next() => {}
            job = orders.next(), if calls.under_way.len() < CALLS => calls.make(job),
        }
    }
}

struct Calls {
    engine: Arc<Engine>,
    /// The sessions with a call under way, and the order that waits for its end.
    waiting: HashMap<SessionId, Option<Job>>,
    under_way: JoinSet<Option<Late>>,
    sessions: HashMap<Id, SessionId>,
    late: JoinSet<()>,
}

/// The answer to a call that took too long, and what is to be done with it.
type Late = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Calls {
    fn make(&mut self, job: Job) {
        let session = job.session();
        if let Some(waiting) = self.waiting.get_mut(&session) {
            *waiting = Some(job);
            return;
        }
        // Many calls are answered at once, and need no task of their own. A driver that panics is
        // no reason for this worker to.
        let mut call = AssertUnwindSafe(Box::pin(call(Arc::clone(&self.engine), job)));
        match std::panic::catch_unwind(AssertUnwindSafe(|| (&mut *call).now_or_never())) {
            Ok(Some(late)) => return self.wait_late(late),
            Ok(None) => {}
            Err(_) => {
                tracing::error!("a call to the network came to no end: it is made again");
                return;
            }
        }
        let call = call.0;
        self.waiting.insert(session, None);
        self.sessions.insert(self.under_way.spawn(call).id(), session);
    }

    fn wait_late(&mut self, late: Option<Late>) {
        let Some(late) = late else { return };
        if self.late.len() < LATE_CALLS {
            self.late.spawn(late);
        } else {
            tracing::warn!("too many calls to the network are late: one is given up");
        }
    }

    fn ended(&mut self, ended: Result<(Id, Option<Late>), JoinError>) {
        let (id, late) = match ended {
            Ok((id, late)) => (id, late),
            Err(error) => {
                tracing::error!(%error, "a call to the network came to no end: it is made again");
                (error.id(), None)
            }
        };
        self.wait_late(late);
        let Some(session) = self.sessions.remove(&id) else { return };
        if let Some(Some(job)) = self.waiting.remove(&session) {
            self.make(job);
        }
    }
}

/// Makes one call and reports what came of it. One that takes too long counts as failed. If it was
/// to provision, its answer is still waited for, because it may tell of something that was built
/// too late. That something was released too late is found out by the next try.
async fn call(engine: Arc<Engine>, job: Job) -> Option<Late> {
    let session = job.session();
    let (failed, wait) = match job {
        Job::Provision(_) => (NetworkReport::ProvisionFailed { retry_after: None }, true),
        Job::Release(_) => (NetworkReport::ReleaseFailed { retry_after: None }, false),
    };
    let timer = Arc::clone(&engine.parts.timer);
    let network = Arc::clone(&engine.parts.network);
    let mut answer = Box::pin(async move { perform(&*network, job).await });
    let deadline = timer.now() + retry::NETWORK_CALL_TIMEOUT;
    tokio::select! {
        biased;
        news = &mut answer => {
            reached(Point::EngineCalled);
            if let Some(news) = news {
                report(&engine, session, news).await;
            }
            return None;
        }
        () = timer.sleep_until(deadline) => {}
    }
    report(&engine, session, failed).await;
    let late: Late = Box::pin(async move {
        let patience = timer.now() + LATE_FOR;
        tokio::select! {
            biased;
            news = answer => if let Some(news) = news {
                report(&engine, session, news).await;
            },
            () = timer.sleep_until(patience) => {}
        }
    });
    wait.then_some(late)
}

/// What came of a call; `None` if an event will say.
async fn perform(network: &dyn Network, job: Job) -> Option<NetworkReport> {
    let retry_after = |error: &NetworkError| match error {
        NetworkError::Busy { retry_after } => *retry_after,
        NetworkError::Unreachable(_) => None,
    };
    reached(Point::EngineBeforeCall);
    match job {
        Job::Provision(order) => match network.provision(order).await {
            Ok(Provisioned::Granted) => Some(NetworkReport::Granted),
            Ok(Provisioned::Refused) => Some(NetworkReport::Refused),
            Ok(Provisioned::Pending) => None,
            Err(error) => {
                tracing::warn!(%error, "the network could not be asked for a session");
                Some(NetworkReport::ProvisionFailed { retry_after: retry_after(&error) })
            }
        },
        Job::Release(order) => match network.release(order).await {
            Ok(()) => Some(NetworkReport::Released),
            Err(error) => {
                tracing::warn!(%error, "the network could not release a session");
                Some(NetworkReport::ReleaseFailed { retry_after: retry_after(&error) })
            }
        },
    }
}

/// Attends to what the network says on its own, for as long as it is run.
pub(super) async fn listen(engine: Arc<Engine>, mut events: mpsc::Receiver<NetworkEvent>) {
    let mut batch = Vec::with_capacity(EVENTS_AT_ONCE);
    while events.recv_many(&mut batch, EVENTS_AT_ONCE).await > 0 {
        reached(Point::EngineHeard);
        let reports = batch.drain(..).map(|event| {
            let news = match event.news {
                News::Granted => NetworkReport::Granted,
                News::Refused => NetworkReport::Refused,
                News::Ended => NetworkReport::Ended,
            };
            report(&engine, event.session, news)
        });
        join_all(reports).await;
    }
}

/// Tells the ledger. What cannot be told is found out anew: the order comes due again.
pub(super) async fn report(engine: &Engine, session: SessionId, news: NetworkReport) {
    let result = engine.submit(Command::Network { session, report: news }).await;
    reached(Point::EngineReported);
    match result {
        Ok(_) | Err(TransactError::Renamed) => {}
        Err(TransactError::Refused(Refusal::Unknown)) if news == NetworkReport::Granted => {
            // Built for a session that is history: nobody else would ever take it down.
            tracing::warn!(%session, "the network granted a session that is over: removing it");
            remove(engine, Installed { session }).await;
        }
        Err(TransactError::Refused(_)) => {}
        Err(TransactError::Ledger(error)) => {
            tracing::error!(%error, "cannot keep what the network said");
        }
    }
}

/// Removes what belongs to no session. If it cannot be removed now, it is found again by the next
/// look at what is installed.
pub(super) async fn remove(engine: &Engine, stray: Installed) {
    let timer = &engine.parts.timer;
    let deadline = timer.now() + retry::NETWORK_CALL_TIMEOUT;
    let session = stray.session;
    tokio::select! {
        biased;
        removed = engine.parts.network.remove(stray) => if let Err(error) = removed {
            tracing::error!(%error, %session, "the network could not remove a stray rule");
        },
        () = timer.sleep_until(deadline) => {
            tracing::error!(%session, "the network did not remove a stray rule in time");
        }
    }
}
