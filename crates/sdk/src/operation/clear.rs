//! All sessions of a device, deleted.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Event, Exchange, Operation, Step, Tries};
use crate::Error;
use crate::request::{Request, Response};
use crate::session::SessionInfo;

/// What a clearing has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cleared {
    /// The ids of the sessions that were deleted.
    pub deleted: Vec<String>,
    /// The ids of those that ended by themselves before their turn came.
    pub ended: Vec<String>,
}

/// Lists the sessions of a device and deletes one after the other.
pub(crate) struct ClearAll {
    list: Exchange<Vec<SessionInfo>>,
    /// Those that are left. `None` before they are known.
    left: Option<VecDeque<String>>,
    /// The deletion that is under way, and of which session.
    current: Option<(String, Exchange<()>)>,
    cleared: Cleared,
    tries: Tries,
    correlator: String,
}

impl ClearAll {
    pub(crate) fn new(list: Exchange<Vec<SessionInfo>>, tries: Tries, correlator: String) -> Self {
        let cleared = Cleared::default();
        Self { list, left: None, current: None, cleared, tries, correlator }
    }

    fn listing(&mut self, event: Event, elapsed: Duration) -> Step<Cleared> {
        match self.list.step(event, elapsed) {
            Step::Send(request) => Step::Send(request),
            Step::Pause(pause) => Step::Pause(pause),
            Step::Done(Err(error)) => Step::Done(Err(error)),
            Step::Done(Ok(sessions)) => {
                let ids = sessions.iter().map(|session| session.id().to_owned());
                self.left = Some(ids.collect());
                self.next(elapsed)
            }
        }
    }

    fn next(&mut self, elapsed: Duration) -> Step<Cleared> {
        let Some(id) = self.left.as_mut().and_then(VecDeque::pop_front) else {
            return Step::Done(Ok(std::mem::take(&mut self.cleared)));
        };
        let mut deletion = delete(&id, &self.tries, &self.correlator);
        let step = deletion.step(Event::Begin, elapsed);
        self.current = Some((id, deletion));
        match step {
            Step::Send(request) => Step::Send(request),
            Step::Pause(pause) => Step::Pause(pause),
            Step::Done(result) => self.done(result, elapsed),
        }
    }

    fn done(&mut self, result: Result<(), Error>, elapsed: Duration) -> Step<Cleared> {
        let id = self.current.take().map(|(id, _)| id).unwrap_or_default();
        match result {
            Ok(()) => self.cleared.deleted.push(id),
            Err(error) if error.is_not_found() => self.cleared.ended.push(id),
            Err(error) => return Step::Done(Err(error)),
        }
        self.next(elapsed)
    }
}

/// A deletion.
fn delete(id: &str, tries: &Tries, correlator: &str) -> Exchange<()> {
    let request = crate::session::path(id).map(|path| Request::delete(&path, correlator));
    Exchange::new(request, tries.clone(), |_: &Response| Ok(()))
}

impl Operation for ClearAll {
    type Output = Cleared;

    fn step(&mut self, event: Event, elapsed: Duration) -> Step<Cleared> {
        let Some((_, deletion)) = &mut self.current else { return self.listing(event, elapsed) };
        match deletion.step(event, elapsed) {
            Step::Send(request) => Step::Send(request),
            Step::Pause(pause) => Step::Pause(pause),
            Step::Done(result) => self.done(result, elapsed),
        }
    }
}
