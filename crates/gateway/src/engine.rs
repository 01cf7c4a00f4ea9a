//! The engine: takes what applications ask for, has the ledger decide, and sees to it that what was
//! decided is done.
//!
//! Every change goes the same way: a command is committed by the ledger, and only then are its
//! effects handed to the workers, which feed what they learn back as commands. A worker that never
//! gets an effect, or dies with it, is no loss: it is in the ledger and comes due again.

mod agenda;
mod due;
mod network;
mod once;
mod profiles;
mod reconcile;
mod requests;
mod retention;
mod settling;

use std::sync::{Arc, Weak};
use std::time::Duration;

use greenwave_core::{
    ApplicationId, Buckets, Command, CurrentCatalogue, Effect, InvalidRequest, Refusal, Session,
    SessionId, Standing,
};
use greenwave_crashpoint::{Point, reached};
use greenwave_ledger::{
    Committed, Follower, Ledger, LedgerError, Listed, OutboxId, Page, TransactError,
};
use greenwave_network::{Network, Timer};
use tokio::task::JoinSet;

use crate::directory::{Directory, DirectoryError, UnknownDevice};
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::secrets::Secrets;

pub(crate) use agenda::{Agenda, Due};
use network::{Job, Orders};
pub use once::Replied;
pub use reconcile::Differences;
pub use requests::{Asker, Revoked};
use settling::Settling;

/// How many sessions are forgotten in one commit.
const FORGOTTEN_AT_ONCE: usize = 512;

/// What an engine is made of.
pub struct Parts {
    /// Where sessions are kept.
    pub ledger: Arc<dyn Ledger>,
    /// What honours them.
    pub network: Arc<dyn Network>,
    /// Which devices there are.
    pub directory: Arc<dyn Directory>,
    /// Which profiles there are.
    pub catalogue: Arc<CurrentCatalogue>,
    /// What credentials are sealed with.
    pub secrets: Arc<Secrets>,
    /// Where ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// What time it is.
    pub timer: Arc<dyn Timer>,
    /// How long sessions and events are kept once they are over.
    pub retention: Duration,
    /// Where it is counted what happens.
    pub metrics: Arc<Metrics>,
}

/// See the module.
pub struct Engine {
    parts: Parts,
    sessions: Agenda<SessionId>,
    outbox: Agenda<OutboxId>,
    orders: Arc<Orders>,
    settling: Settling,
}

/// Why an engine does not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// The request asks for something that cannot be had.
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    /// The device means nothing here.
    #[error("the device is not known")]
    UnknownDevice(UnknownDevice),
    /// The device is known, and what it asks for is not for it.
    #[error("the service, or the profile, is not offered to the device")]
    NotServed,
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The application has used the key that the request names for another one.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The directory cannot answer.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The ledger cannot answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The device's names kept coming to mean another device.
    #[error("the device's names keep changing their meaning")]
    Unsettled,
}

impl From<TransactError> for EngineError {
    fn from(error: TransactError) -> Self {
        match error {
            TransactError::Refused(refusal) => Self::Refused(refusal),
            TransactError::Ledger(error) => Self::Ledger(error),
            TransactError::Renamed => Self::Unsettled,
        }
    }
}

impl Engine {
    /// Starts the engine and its workers, and takes up whatever was under way. The workers run
    /// until the set is dropped.
    pub fn start(parts: Parts) -> (Arc<Self>, JoinSet<()>) {
        let engine = Arc::new(Self {
            parts,
            sessions: Agenda::default(),
            outbox: Agenda::default(),
            orders: Arc::default(),
            settling: Settling::default(),
        });
        let follower: Weak<Self> = Arc::downgrade(&engine);
        engine.parts.ledger.follow(follower);
        let mut workers = JoinSet::new();
        workers.spawn(network::carry_out(Arc::clone(&engine)));
        workers.spawn(due::attend(Arc::clone(&engine)));
        workers.spawn(reconcile::keep(Arc::clone(&engine)));
        workers.spawn(retention::keep(Arc::clone(&engine)));
        if let Some(events) = engine.parts.network.events() {
            workers.spawn(network::listen(Arc::clone(&engine), events));
        }
        (engine, workers)
    }

    /// Looks at a page of all that an application has.
    pub async fn sessions(
        &self,
        application: ApplicationId,
        page: Page,
    ) -> Result<Listed, EngineError> {
        Ok(self.parts.ledger.sessions_of_application(application, page).await?)
    }

    /// The sessions that the network does not let go of, whoever's they are: for the operator.
    pub async fn orphans(&self) -> Result<Vec<Session>, EngineError> {
        Ok(self.parts.ledger.orphans().await?)
    }

    /// Gives up an orphan. What is left of it in the network, if anything, is no longer looked for.
    pub async fn abandon(&self, session: SessionId) -> Result<(), EngineError> {
        self.submit(Command::Abandon { session }).await?;
        Ok(())
    }

    /// Forgets all sessions and assignments, whoever's they are: for the operator of a sandbox.
    /// Nobody is told; what the network has of them is taken down. Tells how many there were.
    pub async fn forget_all(&self) -> Result<usize, EngineError> {
        let all = self.parts.ledger.standing_as(&Standing::ALL, Buckets::ALL).await?;
        for sessions in all.chunks(FORGOTTEN_AT_ONCE) {
            let forget = |&session: &SessionId| Command::Forget { session };
            for forgotten in self.submit_all(sessions.iter().map(forget).collect()).await {
                match forgotten {
                    // Another one has had the last of it forgotten meanwhile.
                    Ok(_) | Err(TransactError::Refused(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(all.len())
    }

    /// What has happened, in figures, as text for whoever collects them.
    pub async fn metrics(&self) -> Result<String, EngineError> {
        let census = self.parts.ledger.census().await?;
        Ok(self.parts.metrics.text(&census))
    }

    /// Has a command decided and committed. What follows from it is seen to whether or not this is
    /// waited for.
    pub(crate) async fn submit(&self, command: Command) -> Result<Committed, TransactError> {
        self.ledger_for_command().transact(command).await
    }

    /// The same for many commands, which share a commit.
    pub(crate) async fn submit_all(
        &self,
        commands: Vec<Command>,
    ) -> Vec<Result<Committed, TransactError>> {
        self.ledger_for_command().transact_all(commands).await
    }

    /// The ledger, as every command comes to it.
    fn ledger_for_command(&self) -> &dyn Ledger {
        reached(Point::EngineBeforeCommand);
        &*self.parts.ledger
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    pub(crate) fn outbox(&self) -> &Agenda<OutboxId> {
        &self.outbox
    }
}

/// Hands the effects of what was committed to the workers.
impl Follower for Engine {
    fn follow(&self, committed: &mut dyn Iterator<Item = &Committed>) {
        reached(Point::EngineCommitted);
        let now = self.parts.timer.now();
        let mut sessions = self.sessions.change();
        let mut outbox = self.outbox.change();
        let mut orders = self.orders.putting();
        for committed in committed {
            sessions.set(committed.session, committed.deadline);
            for effect in &committed.changes.effects {
                match effect {
                    Effect::Provision(order) => orders.put(Job::Provision(order.clone())),
                    Effect::Release(order) => orders.put(Job::Release(order.clone())),
                    Effect::Notify(_) => {}
                }
            }
            self.parts.metrics.committed(committed, now);
            self.settling.committed(committed);
            for &notification in &committed.outbox {
                outbox.set(notification, Some(now));
            }
        }
        reached(Point::EngineFollowed);
    }
}
