//! What there is to do, apart from who does it.
//!
//! An [`Operation`] is asked for its next [`Step`]: a request to send, a pause, or the result. It
//! knows no socket and no clock, so the same one runs on every [`Executor`], and a test can
//! run it without any. Whoever drives it starts with [`Event::Begin`], carries out each step, and
//! tells what came of it, until it is done.

mod clear;
mod exchange;
mod pages;
mod wait;

use std::time::Duration;

pub(crate) use clear::ClearAll;
pub use clear::Cleared;
pub(crate) use exchange::{Exchange, Tries};
pub(crate) use pages::AllPages;
pub(crate) use wait::WaitAvailable;

use crate::Error;
use crate::request::{NoAnswer, Request, Response};

/// Something to do with a gateway, of one or more requests.
pub trait Operation: Send {
    /// What comes of it.
    type Output: Send + 'static;

    /// The next step, after `event`, when the operation has gone on for `elapsed`.
    ///
    /// Not to be called again once it is done.
    fn step(&mut self, event: Event, elapsed: Duration) -> Step<Self::Output>;
}

/// What an executor has to do.
#[derive(Debug)]
pub enum Step<T> {
    /// Send this, wait for as long as [`Request::timeout`] says, and tell what came of it.
    Send(Request),
    /// Wait for this long, then say [`Event::Waited`].
    Pause(Duration),
    /// There is nothing more to do.
    Done(Result<T, Error>),
}

/// What has happened since the last step.
#[derive(Debug)]
pub enum Event {
    /// Nothing yet.
    Begin,
    /// An answer came.
    Answered(Response),
    /// None came.
    Unanswered(NoAnswer),
    /// The pause is over.
    Waited,
}

/// Who carries operations out. There are two: [`Tokio`](crate::Tokio) and
/// [`Blocking`](crate::blocking::Blocking).
pub trait Executor: Clone + Send + Sync + 'static {
    /// What a call returns: the result itself, or a future of it.
    type Answer<T: Send + 'static>;

    /// An executor for one gateway, whose tries take no longer than `timeout` each.
    fn new(endpoint: crate::Endpoint, timeout: Duration) -> Result<Self, Error>;

    /// The URL of the gateway.
    fn root(&self) -> &str;

    /// Carries an operation out.
    fn run<O: Operation + 'static>(&self, operation: O) -> Self::Answer<O::Output>;
}

impl<T: Send + 'static> Operation for Box<dyn Operation<Output = T>> {
    type Output = T;

    fn step(&mut self, event: Event, elapsed: Duration) -> Step<T> {
        (**self).step(event, elapsed)
    }
}

/// An operation whose result is made into something else.
pub(crate) struct Map<O, F> {
    operation: O,
    change: F,
}

impl<O, F> Map<O, F> {
    pub(crate) fn new(operation: O, change: F) -> Self {
        Self { operation, change }
    }
}

impl<O, T, F> Operation for Map<O, F>
where
    O: Operation,
    T: Send + 'static,
    F: FnMut(O::Output) -> T + Send,
{
    type Output = T;

    fn step(&mut self, event: Event, elapsed: Duration) -> Step<T> {
        match self.operation.step(event, elapsed) {
            Step::Send(request) => Step::Send(request),
            Step::Pause(pause) => Step::Pause(pause),
            Step::Done(result) => Step::Done(result.map(&mut self.change)),
        }
    }
}
