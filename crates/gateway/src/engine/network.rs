//! The worker that has the network carry out orders, and the one that listens to it.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
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
const CALLS: usize = 512;

/// How many calls that took too long are still waited for.
const LATE_CALLS: usize = 1_024;

/// For how long. What comes later still is found by comparing the network with the ledger.
const LATE_FOR: Duration = Duration::from_secs(600);

/// How many answers and events are attended to at a time, so that they share a commit.
const AT_ONCE: usize = 512;

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
    /// Begins to put orders into the line. Whoever waits for some is told once this is dropped.
    pub(super) fn putting(&self) -> Putting<'_> {
        Putting { waiting: self.waiting(), arrived: &self.arrived, any: false }
    }

    /// The next ones, in their order, and at most so many.
    async fn next(&self, at_most: usize) -> Vec<Job> {
        loop {
            let arrived = self.arrived.notified();
            let jobs = self.take(at_most);
            if !jobs.is_empty() {
                return jobs;
            }
            arrived.await;
        }
    }

    fn take(&self, at_most: usize) -> Vec<Job> {
        let Waiting { line, jobs } = &mut *self.waiting();
        let count = at_most.min(line.len());
        let taken = line.drain(..count).filter_map(|session| jobs.remove(&session)).collect();
        if !line.is_empty() {
            self.arrived.notify_one();
        }
        taken
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line that orders are being put into.
pub(super) struct Putting<'a> {
    waiting: MutexGuard<'a, Waiting>,
    arrived: &'a Notify,
    any: bool,
}

impl Putting<'_> {
    /// Puts an order into the line, or in the place of the session's that waits.
    pub(super) fn put(&mut self, job: Job) {
        let session = job.session();
        let waiting = &mut *self.waiting;
        if !waiting.jobs.contains_key(&session) {
            if waiting.line.len() >= ORDERS {
                tracing::debug!("the network's queue is full: the order comes due again");
                return;
            }
            waiting.line.push_back(session);
        }
        waiting.jobs.insert(session, job);
        self.any = true;
    }
}

impl Drop for Putting<'_> {
    fn drop(&mut self) {
        if self.any {
            self.arrived.notify_one();
        }
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
        let room = CALLS.saturating_sub(calls.under_way.len());
        tokio::select! {
            biased;
            Some(ended) = calls.under_way.join_next_with_id() => {
                if let Some(job) = calls.ended(ended) {
                    calls.make(vec![job]).await;
                }
            }
            Some(_) = calls.late.join_next() => {}
            jobs = orders.next(room), if room > 0 => calls.make(jobs).await,
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

/// What a call will have come to; `None` if an event will say.
type Call = Pin<Box<dyn Future<Output = Option<NetworkReport>> + Send>>;

impl Calls {
    /// Makes calls. Many are answered at once, need no task of their own, and share a commit.
    async fn make(&mut self, jobs: Vec<Job>) {
        let mut reports = Vec::with_capacity(jobs.len());
        for job in jobs {
            if let Some((session, answer)) = self.begin(job) {
                reports.extend(answer.map(|news| (session, news)));
            }
        }
        if !reports.is_empty() {
            report_all(&self.engine, reports).await;
        }
    }

    /// Makes a call. The answer, if it comes at once.
    fn begin(&mut self, job: Job) -> Option<(SessionId, Option<NetworkReport>)> {
        let session = job.session();
        if let Some(waiting) = self.waiting.get_mut(&session) {
            *waiting = Some(job);
            return None;
        }
        let provision = matches!(job, Job::Provision(_));
        let network = Arc::clone(&self.engine.parts.network);
        let mut call: Call = Box::pin(async move { perform(&*network, job).await });
        // A driver that panics is no reason for this worker to.
        match std::panic::catch_unwind(AssertUnwindSafe(|| (&mut call).now_or_never())) {
            Ok(Some(answer)) => return Some((session, answer)),
            Ok(None) => {}
            Err(_) => {
                tracing::error!("a call to the network came to no end: it is made again");
                return None;
            }
        }
        let waited_for = wait(Arc::clone(&self.engine), session, provision, call);
        self.waiting.insert(session, None);
        self.sessions.insert(self.under_way.spawn(waited_for).id(), session);
        None
    }

    fn wait_late(&mut self, late: Option<Late>) {
        let Some(late) = late else { return };
        if self.late.len() < LATE_CALLS {
            self.late.spawn(late);
        } else {
            tracing::warn!("too many calls to the network are late: one is given up");
        }
    }

    /// A call has ended: what waited for that, if anything.
    fn ended(&mut self, ended: Result<(Id, Option<Late>), JoinError>) -> Option<Job> {
        let (id, late) = match ended {
            Ok((id, late)) => (id, late),
            Err(error) => {
                tracing::error!(%error, "a call to the network came to no end: it is made again");
                (error.id(), None)
            }
        };
        self.wait_late(late);
        let session = self.sessions.remove(&id)?;
        self.waiting.remove(&session)?
    }
}

/// Waits for a call and reports what came of it. One that takes too long counts as failed. If it
/// was to provision, its answer is still waited for, because it may tell of something that was
/// built too late. That something was released too late is found out by the next try.
async fn wait(
    engine: Arc<Engine>,
    session: SessionId,
    provision: bool,
    mut call: Call,
) -> Option<Late> {
    let timer = Arc::clone(&engine.parts.timer);
    let deadline = timer.now() + retry::NETWORK_CALL_TIMEOUT;
    tokio::select! {
        biased;
        news = &mut call => {
            if let Some(news) = news {
                report(&engine, session, news).await;
            }
            return None;
        }
        () = timer.sleep_until(deadline) => {}
    }
    let failed = match provision {
        true => NetworkReport::ProvisionFailed { retry_after: None },
        false => NetworkReport::ReleaseFailed { retry_after: None },
    };
    report(&engine, session, failed).await;
    let late: Late = Box::pin(async move {
        let patience = timer.now() + LATE_FOR;
        tokio::select! {
            biased;
            news = call => if let Some(news) = news {
                report(&engine, session, news).await;
            },
            () = timer.sleep_until(patience) => {}
        }
    });
    provision.then_some(late)
}

/// What came of a call; `None` if an event will say.
async fn perform(network: &dyn Network, job: Job) -> Option<NetworkReport> {
    let retry_after = |error: &NetworkError| match error {
        NetworkError::Busy { retry_after } => *retry_after,
        NetworkError::Unreachable(_) | NetworkError::NotAttached => None,
    };
    reached(Point::EngineBeforeCall);
    let report = match job {
        Job::Provision(order) => match network.provision(order).await {
            Ok(Provisioned::Granted) => Some(NetworkReport::Granted),
            Ok(Provisioned::Refused) => Some(NetworkReport::Refused),
            Ok(Provisioned::Pending) => None,
            // Nothing to worry about: people switch their devices off.
            Err(NetworkError::NotAttached) => Some(NetworkReport::NotAttached),
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
    };
    reached(Point::EngineCalled);
    report
}

/// Attends to what the network says on its own, for as long as it is run.
pub(super) async fn listen(engine: Arc<Engine>, mut events: mpsc::Receiver<NetworkEvent>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while events.recv_many(&mut batch, AT_ONCE).await > 0 {
        reached(Point::EngineHeard);
        let reports = batch.drain(..).map(|event| {
            let news = match event.news {
                News::Granted => NetworkReport::Granted,
                News::Refused => NetworkReport::Refused,
                News::Ended => NetworkReport::Ended,
                News::Detached => NetworkReport::Detached,
                News::Attached => NetworkReport::Attached,
            };
            (event.session, news)
        });
        report_all(&engine, reports.collect()).await;
    }
}

async fn report(engine: &Engine, session: SessionId, news: NetworkReport) {
    report_all(engine, vec![(session, news)]).await;
}

/// Tells the ledger. What cannot be told is found out anew: the order comes due again.
pub(super) async fn report_all(engine: &Engine, reports: Vec<(SessionId, NetworkReport)>) {
    let command = |&(session, report): &_| Command::Network { session, report };
    let results = engine.submit_all(reports.iter().map(command).collect()).await;
    reached(Point::EngineReported);
    let mut failed = None;
    for ((session, news), result) in reports.into_iter().zip(results) {
        match result {
            Ok(_) | Err(TransactError::Renamed) => {}
            Err(TransactError::Refused(Refusal::Unknown)) if news == NetworkReport::Granted => {
                // Built for a session that is history. If it cannot be taken down at once, it is
                // found by the comparison: a network that is silent is no reason to wait here.
                tracing::warn!(%session, "the network granted a session that is over: removing it");
                let _ = remove(engine, Installed { session }).now_or_never();
            }
            Err(TransactError::Refused(_)) => {}
            Err(TransactError::Ledger(error)) => failed = Some(error),
        }
    }
    if let Some(error) = failed {
        tracing::error!(%error, "cannot keep what the network said");
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
