//! The worker that has the network carry out orders, and the one that listens to it.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::join_all;
use greenwave_core::decide::NetworkReport;
use greenwave_core::{Command, Order, Refusal, SessionId, retry};
use greenwave_ledger::TransactError;
use greenwave_network::{Installed, Network, NetworkError, NetworkEvent, News, Provisioned};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{Id, JoinError, JoinSet};

use super::Engine;

/// How many calls to the network may be under way.
const CALLS: usize = 256;

/// How many calls that took too long are still waited for.
const LATE_CALLS: usize = 1_024;

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

/// Has the network carry out orders, for as long as it is run: many at once, but for one session
/// one after the other, and of those that wait only the latest.
pub(super) async fn carry_out(engine: Arc<Engine>, mut orders: mpsc::Receiver<Job>) {
    let mut under_way = UnderWay { engine, next: HashMap::new(), calls: JoinSet::new() };
    let mut sessions: HashMap<Id, SessionId> = HashMap::new();
    let late = Arc::new(Semaphore::new(LATE_CALLS));
    loop {
        tokio::select! {
            job = orders.recv(), if under_way.calls.len() < CALLS => {
                let Some(job) = job else { return };
                if let Some(waiting) = under_way.next.get_mut(&job.session()) {
                    *waiting = Some(job);
                } else {
                    under_way.start(job, &late, &mut sessions);
                }
            }
            Some(ended) = under_way.calls.join_next_with_id() => {
                let id = match &ended {
                    Ok((id, ())) => *id,
                    Err(error) => JoinError::id(error),
                };
                let Some(session) = sessions.remove(&id) else { continue };
                if let Some(Some(job)) = under_way.next.remove(&session) {
                    under_way.start(job, &late, &mut sessions);
                }
            }
        }
    }
}

struct UnderWay {
    engine: Arc<Engine>,
    /// The sessions with a call under way, and the order that waits for its end.
    next: HashMap<SessionId, Option<Job>>,
    calls: JoinSet<()>,
}

impl UnderWay {
    fn start(&mut self, job: Job, late: &Arc<Semaphore>, sessions: &mut HashMap<Id, SessionId>) {
        let session = job.session();
        self.next.insert(session, None);
        let call = call(Arc::clone(&self.engine), job, Arc::clone(late));
        sessions.insert(self.calls.spawn(call).id(), session);
    }
}

/// Makes one call and reports what came of it. One that takes too long counts as failed; its
/// answer is still waited for, because it may tell of something that was built too late.
async fn call(engine: Arc<Engine>, job: Job, late: Arc<Semaphore>) {
    let session = job.session();
    let failed = match job {
        Job::Provision(_) => NetworkReport::ProvisionFailed { retry_after: None },
        Job::Release(_) => NetworkReport::ReleaseFailed { retry_after: None },
    };
    let timer = Arc::clone(&engine.parts.timer);
    let network = Arc::clone(&engine.parts.network);
    let mut answer = Box::pin(async move { perform(&*network, job).await });
    let deadline = timer.now() + retry::NETWORK_CALL_TIMEOUT;
    tokio::select! {
        biased;
        news = &mut answer => {
            if let Some(news) = news {
                report(&engine, session, news).await;
            }
            return;
        }
        () = timer.sleep_until(deadline) => {}
    }
    report(&engine, session, failed).await;
    let Ok(permit) = late.try_acquire_owned() else {
        tracing::warn!("too many calls to the network are late: one is given up");
        return;
    };
    tokio::spawn(async move {
        if let Some(news) = answer.await {
            report(&engine, session, news).await;
        }
        drop(permit);
    });
}

/// What came of a call; `None` if an event will say.
async fn perform(network: &dyn Network, job: Job) -> Option<NetworkReport> {
    let retry_after = |error: &NetworkError| match error {
        NetworkError::Busy { retry_after } => *retry_after,
        NetworkError::Unreachable(_) => None,
    };
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
async fn report(engine: &Engine, session: SessionId, news: NetworkReport) {
    let result = engine.submit(Command::Network { session, report: news }).await;
    match result {
        Ok(_) | Err(TransactError::Renamed) => {}
        Err(TransactError::Refused(Refusal::Unknown)) if news == NetworkReport::Granted => {
            // Built for a session that is history: nobody else would ever take it down.
            tracing::warn!(%session, "the network granted a session that is over: removing it");
            if let Err(error) = engine.parts.network.remove(Installed { session }).await {
                tracing::error!(%error, %session, "the network could not remove it");
            }
        }
        Err(TransactError::Refused(_)) => {}
        Err(TransactError::Ledger(error)) => {
            tracing::error!(%error, "cannot keep what the network said");
        }
    }
}
