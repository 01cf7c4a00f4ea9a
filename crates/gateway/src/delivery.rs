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

use greenwave_core::{Event, retry};
use greenwave_crashpoint::{Point, reached};
use greenwave_ledger::{Answer, Notification, OutboxId, Outcome, Settlement};
use jiff::Timestamp;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use self::lanes::{Lane, Lanes};
use crate::engine::{Due, Engine};

pub use attempt::Attempt;
pub use client::SinkClient;
pub use guard::{AddressGuard, Denied};

/// How many are looked up at a time.
const AT_ONCE: usize = 256;

/// How long deliveries that are under way have to finish once the gateway is to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait when the ledger cannot answer.
const PAUSE: Duration = Duration::from_secs(5);

/// How long what finds its lane full is left in the outbox.
const LANE_FULL_PAUSE: Duration = Duration::from_secs(60);

/// What takes an event to its receiver.
pub trait Courier: Send + Sync {
    /// Takes it there, once.
    fn send<'a>(&'a self, event: &'a Event) -> Answer<'a, Attempt>;
}

/// Delivers until `stop` says so, and then finishes what is under way.
pub async fn deliver(engine: Arc<Engine>, courier: Arc<dyn Courier>, stop: CancellationToken) {
    let mut worker = Worker {
        engine: Arc::clone(&engine),
        courier,
        lanes: Lanes::default(),
        under_way: JoinSet::new(),
        ids: HashMap::new(),
    };
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = worker.under_way.join_next_with_id() => worker.ended(&ended),
            due = engine.outbox().due(&*engine.parts().timer, AT_ONCE) => worker.take(due).await,
        }
    }
    // What a slow receiver has not taken by then is sent again after the next start.
    let finish = async { while worker.under_way.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, finish).await;
}

struct Worker {
    engine: Arc<Engine>,
    courier: Arc<dyn Courier>,
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
                Err(error) => {
                    tracing::error!(%error, "cannot look into the outbox: trying again");
                    let later = self.engine.parts().timer.now() + PAUSE;
                    self.engine.outbox().refill_again_at(later);
                }
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
        let parts = self.engine.parts();
        let later = match parts.ledger.notification(id).await {
            Ok(Some(Notification { event, .. })) => {
                reached(Point::DeliveryDue);
                let room = self.lanes.wait(Lane::of(&event), id, event.id.session);
                (!room).then_some(LANE_FULL_PAUSE)
            }
            Ok(None) => None,
            Err(error) => {
                tracing::error!(%error, "cannot look up a notification: trying again");
                Some(PAUSE)
            }
        };
        if let Some(later) = later {
            self.engine.outbox().set(id, Some(parts.timer.now() + later));
        }
    }

    fn start(&mut self) {
        while let Some(id) = self.lanes.next() {
            let attempt = attempt(Arc::clone(&self.engine), Arc::clone(&self.courier), id);
            self.ids.insert(self.under_way.spawn(attempt).id(), id);
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

/// Makes one try, and tells when there is to be another.
async fn attempt(
    engine: Arc<Engine>,
    courier: Arc<dyn Courier>,
    id: OutboxId,
) -> Option<Timestamp> {
    match engine.parts().ledger.notification(id).await {
        Ok(Some(notification)) => {
            reached(Point::DeliveryBeforeSend);
            let attempt = courier.send(&notification.event).await;
            reached(Point::DeliverySent);
            settle(&engine, &notification, attempt).await
        }
        Ok(None) => None,
        Err(error) => {
            tracing::error!(%error, "cannot look up a notification: trying again");
            Some(engine.parts().timer.now() + PAUSE)
        }
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
    let outcome = match settlement {
        Settlement::Done { outcome, .. } => Some(outcome),
        Settlement::Retry { .. } => None,
    };
    match parts.ledger.settle(notification.id, settlement).await {
        Ok(()) => {
            reached(Point::DeliverySettled);
            if let Some(outcome) = outcome {
                parts.metrics.settled(outcome, notification.event.at, now);
            }
            next_at
        }
        Err(error) => {
            tracing::error!(%error, "cannot keep what came of a delivery: it is made again");
            Some(now + PAUSE)
        }
    }
}

fn done(outcome: Outcome, note: String) -> Settlement {
    Settlement::Done { outcome, note }
}
