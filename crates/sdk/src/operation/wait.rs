//! Waiting until a session is available.

use std::time::Duration;

use super::{Event, Exchange, Operation, Step};
use crate::Error;
use crate::session::SessionInfo;

/// A grant is usually a matter of milliseconds, so the first looks come soon.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Looks at a session again and again.
pub(crate) struct WaitAvailable {
    session_id: String,
    timeout: Duration,
    look: Box<dyn Fn() -> Exchange<SessionInfo> + Send>,
    /// The look that is under way; `None` during a pause.
    current: Option<Exchange<SessionInfo>>,
    pause: Duration,
}

impl WaitAvailable {
    pub(crate) fn new(
        session_id: String,
        timeout: Duration,
        look: impl Fn() -> Exchange<SessionInfo> + Send + 'static,
    ) -> Self {
        let look = Box::new(look);
        Self { session_id, timeout, look, current: None, pause: FIRST_PAUSE }
    }

    fn seen(&mut self, seen: Result<SessionInfo, Error>, elapsed: Duration) -> Step<SessionInfo> {
        let ended = |status_info| {
            let session_id = self.session_id.clone();
            Step::Done(Err(Error::Ended { session_id, status_info }))
        };
        let session = match seen {
            Err(error) if error.is_not_found() => return ended(None),
            Err(error) => return Step::Done(Err(error)),
            Ok(session) => session,
        };
        match session.status() {
            "AVAILABLE" => Step::Done(Ok(session)),
            "UNAVAILABLE" => ended(session.status_info().map(str::to_owned)),
            _ if elapsed >= self.timeout => {
                let session_id = self.session_id.clone();
                Step::Done(Err(Error::NotYet { session_id, waited: elapsed }))
            }
            _ => {
                let pause = self.pause.min(self.timeout - elapsed);
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                Step::Pause(pause)
            }
        }
    }
}

impl Operation for WaitAvailable {
    type Output = SessionInfo;

    fn step(&mut self, event: Event, elapsed: Duration) -> Step<SessionInfo> {
        let current = self.current.get_or_insert_with(|| (self.look)());
        match current.step(event, elapsed) {
            Step::Send(request) => Step::Send(request),
            Step::Pause(pause) => Step::Pause(pause),
            Step::Done(seen) => {
                self.current = None;
                self.seen(seen, elapsed)
            }
        }
    }
}
