//! The worker that tells applications of events.
//!
//! It takes what is due from the outbox, sends it, and settles it: delivered, to be tried again, or
//! dead. An event may reach its receiver twice (if the gateway dies between sending and settling)
//! and then has the same id; it never gets lost.

mod attempt;
mod client;
mod guard;
mod lanes;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use greenwave_core::retry;
use greenwave_ledger::{Notification, OutboxId, Outcome, Settlement};
use jiff::Timestamp;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use self::attempt::Attempt;
use self::lanes::{Lane, Lanes};
use crate::engine::{Due, Engine};

pub use client::SinkClient;
pub use guard::{AddressGuard, Denied};

/// How many notifications may wait in lanes before no more are taken from the outbox.
const WAITING: usize = 4_096;

/// How many are looked up at a time.
const AT_ONCE: usize = 256;

/// How long deliveries that are under way have to finish once the gateway is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait when the ledger cannot answer.
const PAUSE: Duration = Duration::from_secs(5);

/// Delivers until `stop` says so, and then finishes what is under way.
pub async fn deliver(engine: Arc<Engine>, client: Arc<SinkClient>, stop: CancellationToken) {
    let mut worker = Worker {
        engine: Arc::clone(&engine),
        client,
        lanes: Lanes::default(),
        under_way: JoinSet::new(),
        ids: HashMap::new(),
    };
    loop {
        tokio::select! {
            due = engine.outbox().due(&*engine.parts().timer, AT_ONCE),
                if worker.lanes.waiting() < WAITING => worker.take(due).await,
            Some(ended) = worker.under_way.join_next_with_id() => worker.ended(&ended),
            () = stop.cancelled() => break,
        }
    }
    // What a slow receiver has not taken by then is sent again after the next start.
    let finish = async { while worker.under_way.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, finish).await;
}

struct Worker {
    engine: Arc<Engine>,
    client: Arc<SinkClient>,
    lanes: Lanes,
    /// Each tells when its notification is to be tried again, if it is.
    under_way: JoinSet<Option<Timestamp>>,
    ids: HashMap<Id, OutboxId>,
}

impl Worker {
    async fn take(&mut self, due: Due<OutboxId>) {
        match due {
            Due::Refill { before } => match self.engine.parts().ledger.outbox(before).await {
                Ok(found) => self.engine.outbox().refill(found),
                Err(error) => tracing::error!(%error, "cannot look into the outbox"),
            },
            Due::Now(ids) => {
                for id in ids {
                    self.look_up(id).await;
                }
                self.start();
            }
        }
    }

    async fn look_up(&mut self, id: OutboxId) {
        match self.engine.parts().ledger.notification(id).await {
            Ok(Some(notification)) => {
                let lane = Lane::of(&notification.event);
                self.lanes.wait(lane, notification);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "cannot look up a notification: trying again");
                let later = self.engine.parts().timer.now() + PAUSE;
                self.engine.outbox().set(id, Some(later));
            }
        }
    }

    fn start(&mut self) {
        while let Some(notification) = self.lanes.next() {
            let id = notification.id;
            let (engine, client) = (Arc::clone(&self.engine), Arc::clone(&self.client));
            let attempt = self.under_way.spawn(async move {
                let attempt = client.send(&engine.parts().secrets, &notification.event).await;
                settle(&engine, &notification, attempt).await
            });
            self.ids.insert(attempt.id(), id);
        }
    }

    /// Only once it has left its lane may a notification come due again.
    fn ended(&mut self, ended: &Result<(Id, Option<Timestamp>), JoinError>) {
        let (task, next_at) = match ended {
            Ok((task, next_at)) => (*task, *next_at),
            Err(error) => {
                tracing::error!(%error, "a delivery came to no end: it is made again");
                (error.id(), Some(self.engine.parts().timer.now() + PAUSE))
            }
        };
        if let Some(id) = self.ids.remove(&task) {
            self.lanes.done(id);
            self.engine.outbox().set(id, next_at);
        }
        self.start();
    }
}

/// Keeps what came of an attempt, and tells when there is to be another. If it cannot be kept, the
/// event is sent again.
async fn settle(
    engine: &Engine,
    notification: &Notification,
    attempt: Attempt,
) -> Option<Timestamp> {
    let parts = engine.parts();
    let now = parts.timer.now();
    let mut jitter = [0; 4];
    parts.entropy.fill(&mut jitter);
    let made = notification.tries + 1;
    let pause = retry::delivery_pause(made, u32::from_ne_bytes(jitter));
    let (settlement, next_at) = match (attempt, pause) {
        (Attempt::Delivered(note), _) => (done(Outcome::Delivered, note), None),
        (Attempt::Hopeless(note), _) | (Attempt::Failed { note, .. }, None) => {
            (done(Outcome::Dead, note), None)
        }
        (Attempt::Failed { retry_after, note }, Some(pause)) => {
            let wish = retry_after.unwrap_or_default().min(retry::LONGEST_RETRY_AFTER);
            let wait = pause.max(wish);
            let (event, wait_s) = (notification.event.id, wait.as_secs());
            tracing::warn!(%event, tries = made, wait_s, note, "event not delivered: trying again");
            (Settlement::Retry { next_at: now + wait }, Some(now + wait))
        }
    };
    if let Settlement::Done { outcome, note } = &settlement {
        let event = notification.event.id;
        match outcome {
            Outcome::Delivered => tracing::info!(%event, tries = made, note, "event delivered"),
            Outcome::Dead => tracing::error!(%event, tries = made, note, "event given up"),
        }
    }
    match parts.ledger.settle(notification.id, settlement).await {
        Ok(()) => next_at,
        Err(error) => {
            tracing::error!(%error, "cannot keep what came of a delivery: it is made again");
            Some(now + PAUSE)
        }
    }
}

fn done(outcome: Outcome, note: String) -> Settlement {
    Settlement::Done { outcome, note }
}
