//! How the simulated network is called, and what goes wrong with it.

use std::future::{pending, ready};
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use greenwave_core::{Buckets, Order, SessionId};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::faults::{CallFault, GrantFault, Kind, LONGEST_DELAY, Operation, Target};
use super::pending::Outcome;
use super::{Inner, Simulator};
use crate::{Answer, Installed, Network, NetworkError, NetworkEvent, News, Provisioned};

/// How much may wait to be done late. Then the network is busy.
const LATE: usize = 1_024;

/// What a network does in a call.
type Result<T> = std::result::Result<T, NetworkError>;

impl Network for Simulator {
    fn provision(&self, order: Order) -> Answer<'_, Result<Provisioned>> {
        let inner = &self.inner;
        let ask = |order, outcome| -> Answer<'_, _> { Box::pin(ready(inner.ask(order, outcome))) };
        match inner.strike(Operation::Provision, &Target::of(&order)) {
            None => ask(order, Outcome::Granted),
            Some(Kind::Grant(GrantFault::Refuses)) => Box::pin(ready(Ok(Provisioned::Refused))),
            Some(Kind::Grant(GrantFault::RefusesLater)) => ask(order, Outcome::Refused),
            Some(Kind::Grant(GrantFault::NeverConfirms)) => ask(order, Outcome::Silence),
            Some(Kind::Grant(GrantFault::ConfirmsTwice)) => ask(order, Outcome::GrantedTwice),
            Some(Kind::Grant(GrantFault::ConfirmsFirst(delay))) => {
                let confirmed = inner.confirm_first(&order);
                self.answer_at(inner.after(delay), confirmed)
            }
            Some(Kind::Call(_, fault)) => {
                self.answer(Some(fault), move |network| network.install(&order))
            }
        }
    }

    fn release(&self, order: Order) -> Answer<'_, Result<()>> {
        let fault = self.inner.call_fault(Operation::Release, &Target::of(&order));
        self.answer(fault, move |network| network.take_back(order.session))
    }

    fn installed(&self, of: Buckets) -> Answer<'_, Result<Option<Vec<Installed>>>> {
        let fault = self.inner.call_fault(Operation::List, &Target::ANY);
        self.answer(fault, move |network| Ok(Some(network.installed.list(of))))
    }

    fn remove(&self, installed: Installed) -> Answer<'_, Result<()>> {
        let session = installed.session;
        let cell = self.inner.installed.share(session).map(|share| share.cell);
        let fault = self.inner.call_fault(Operation::Release, &Target::rule(session, cell));
        self.answer(fault, move |network| network.take_back(session))
    }

    fn events(&self) -> Option<mpsc::Receiver<NetworkEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Simulator {
    /// Acts and answers, as the fault has it.
    fn answer<T: Send + 'static>(
        &self,
        fault: Option<CallFault>,
        act: impl FnOnce(&Arc<Inner>) -> Result<T> + Send + 'static,
    ) -> Answer<'_, Result<T>> {
        let inner = &self.inner;
        match fault {
            None => Box::pin(ready(act(inner))),
            Some(CallFault::NeverAnswers) => Box::pin(pending()),
            Some(CallFault::LosesAnswer) => {
                let _ = act(inner);
                Box::pin(pending())
            }
            Some(CallFault::AnswersLate(delay)) => self.answer_at(inner.after(delay), act(inner)),
            Some(CallFault::ActsLate(delay)) => self.act_at(inner.after(delay), act),
            Some(CallFault::Fails) => Box::pin(ready(Err(wanted()))),
            Some(CallFault::ActsThenFails) => {
                let _ = act(inner);
                Box::pin(ready(Err(wanted())))
            }
            Some(CallFault::Busy(retry_after)) => {
                Box::pin(ready(Err(NetworkError::Busy { retry_after })))
            }
        }
    }

    fn answer_at<T: Send + 'static>(
        &self,
        at: Timestamp,
        answer: Result<T>,
    ) -> Answer<'_, Result<T>> {
        let timer = Arc::clone(&self.inner.timer);
        Box::pin(async move {
            timer.sleep_until(at).await;
            answer
        })
    }

    /// Acts later, in a task of its own: who asked may have gone away by then.
    fn act_at<T: Send + 'static>(
        &self,
        at: Timestamp,
        act: impl FnOnce(&Arc<Inner>) -> Result<T> + Send + 'static,
    ) -> Answer<'_, Result<T>> {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        while late.try_join_next().is_some() {}
        if late.len() >= LATE {
            return Box::pin(ready(Err(NetworkError::Busy { retry_after: None })));
        }
        let (answer, waiting) = oneshot::channel();
        let inner = Arc::clone(&self.inner);
        late.spawn(async move {
            inner.timer.sleep_until(at).await;
            // Nobody may be waiting any more.
            let _ = answer.send(act(&inner));
        });
        Box::pin(async move { waiting.await.unwrap_or_else(|_| Err(forgotten())) })
    }
}

impl Inner {
    fn strike(&self, operation: Operation, target: &Target<'_>) -> Option<Kind> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.strike(operation, target)
    }

    fn call_fault(&self, operation: Operation, target: &Target<'_>) -> Option<CallFault> {
        match self.strike(operation, target)? {
            Kind::Call(_, fault) => Some(fault),
            Kind::Grant(_) => None,
        }
    }

    fn after(&self, delay: Duration) -> Timestamp {
        self.timer.now() + delay.min(LONGEST_DELAY)
    }

    fn take_back(self: &Arc<Self>, session: SessionId) -> Result<()> {
        self.release(session).map_err(unreachable)
    }

    /// Has the event that tells of the grant sent before anything is answered.
    fn confirm_first(&self, order: &Order) -> Result<Provisioned> {
        let Ok(room) = self.events.try_reserve() else {
            return Err(NetworkError::Busy { retry_after: None });
        };
        let news = match self.install(order)? {
            Provisioned::Granted | Provisioned::Pending => News::Granted,
            Provisioned::Refused => News::Refused,
        };
        room.send(NetworkEvent { session: order.session, news });
        Ok(Provisioned::Pending)
    }
}

pub(super) fn unreachable(error: io::Error) -> NetworkError {
    NetworkError::Unreachable(Box::new(error))
}

/// The error of a fault.
fn wanted() -> NetworkError {
    unreachable(io::Error::other("a fault of the simulated network"))
}

/// The error of a call that a network which was started anew knows nothing of.
fn forgotten() -> NetworkError {
    unreachable(io::Error::from(io::ErrorKind::ConnectionReset))
}
