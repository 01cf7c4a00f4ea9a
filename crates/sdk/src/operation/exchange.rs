//! One request, sent until there is an answer that counts.

use std::time::Duration;

use serde_json::Value;

use super::{Event, Operation, Step};
use crate::Error;
use crate::error::Refusal;
use crate::request::{NoAnswer, Request, Response};
use crate::retry::{self, Outcome};

/// The most of an answer that an error shows.
const LONGEST_EXCERPT: usize = 200;

/// A gateway that is there has answered by then, even if there is hardly any time left.
const SHORTEST_TRY: Duration = Duration::from_secs(1);

/// How often a request is sent at most, and what spreads the pauses between.
#[derive(Clone, Debug)]
pub(crate) struct Tries {
    pub(crate) most: u32,
    pub(crate) chance: u64,
    /// The gateway's URL, for errors.
    pub(crate) root: String,
    /// When the operation has gone on for this long, nothing is sent again, and nothing that was
    /// sent is waited for.
    pub(crate) until: Option<Duration>,
}

/// One request and its answer.
pub(crate) struct Exchange<T> {
    /// Taken out when it is wrong from the beginning.
    request: Option<Result<Request, Error>>,
    tries: Tries,
    made: u32,
    /// Whether a try may have been carried out without our knowing.
    uncertain: bool,
    read: fn(&Response) -> Result<T, String>,
}

impl<T: Send + 'static> Exchange<T> {
    pub(crate) fn new(
        request: Result<Request, Error>,
        tries: Tries,
        read: fn(&Response) -> Result<T, String>,
    ) -> Self {
        Self { request: Some(request), tries, made: 0, uncertain: false, read }
    }

    /// The same, given up once the operation that it is part of has gone on for so long.
    pub(crate) fn until(mut self, until: Option<Duration>) -> Self {
        self.tries.until = until;
        self
    }

    /// Sends it, or says why it cannot be.
    fn send(&mut self, elapsed: Duration) -> Step<T> {
        match &self.request {
            Some(Ok(request)) => {
                self.made += 1;
                let left = self.tries.until.map(|until| until.saturating_sub(elapsed));
                Step::Send(request.clone().within(left.map(|left| left.max(SHORTEST_TRY))))
            }
            _ => match self.request.take() {
                Some(Err(error)) => Step::Done(Err(error)),
                _ => Step::Done(Err(Error::Interrupted)),
            },
        }
    }

    fn answered(&mut self, response: Response, elapsed: Duration) -> Step<T> {
        let status = response.status;
        if (200..300).contains(&status) {
            let root = self.tries.root.clone();
            let unreadable = |wrong| {
                let excerpt = excerpt(&response.body);
                Error::Unreadable { root, reason: format!("{wrong}; it begins with {excerpt:?}") }
            };
            return Step::Done((self.read)(&response).map_err(unreadable));
        }
        if status == 404 && self.uncertain && self.is_delete() {
            // An earlier try was carried out, and its answer was lost.
            let gone = Response { status: 204, body: bytes::Bytes::new(), ..response };
            return self.answered(gone, elapsed);
        }
        let outcome = Outcome::Refused { status, retry_after: response.retry_after };
        match self.pause(outcome, elapsed) {
            Some(pause) => {
                // Whoever stands between, and says 504, does not know what the gateway has done.
                self.uncertain |= status != 429;
                Step::Pause(pause)
            }
            None => Step::Done(Err(Error::Refused(Box::new(self.refusal(&response))))),
        }
    }

    fn unanswered(&mut self, why: NoAnswer, elapsed: Duration) -> Step<T> {
        let outcome = match why {
            NoAnswer::NotConnected(_) => Outcome::NotConnected,
            NoAnswer::Broken(_) | NoAnswer::TimedOut => {
                self.uncertain = true;
                Outcome::NoAnswer
            }
            NoAnswer::Interrupted => return Step::Done(Err(Error::Interrupted)),
        };
        match self.pause(outcome, elapsed) {
            Some(pause) => Step::Pause(pause),
            None => Step::Done(Err(self.no_answer(why))),
        }
    }

    fn pause(&self, outcome: Outcome, elapsed: Duration) -> Option<Duration> {
        let chance = self.tries.chance.wrapping_mul(u64::from(self.made) | 1) >> 20;
        let pause = retry::pause(outcome, self.made, self.tries.most, chance)?;
        let is_in_time = |until: Duration| elapsed.saturating_add(pause) < until;
        self.tries.until.is_none_or(is_in_time).then_some(pause)
    }

    fn is_delete(&self) -> bool {
        matches!(&self.request, Some(Ok(request)) if request.method == http::Method::DELETE)
    }

    /// What a gateway says when it refuses, also if it is one that says it in another way.
    fn refusal(&self, response: &Response) -> Refusal {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let said = body["message"].as_str().map(str::to_owned);
        let message = said.or_else(|| {
            let detail = &body["detail"];
            (!detail.is_null()).then(|| detail.to_string())
        });
        Refusal {
            status: response.status,
            code: body["code"].as_str().map(str::to_owned),
            message: message.unwrap_or_else(|| match excerpt(&response.body) {
                text if text.is_empty() => "the answer says no more".to_owned(),
                text => text,
            }),
            correlator: response.correlator.clone(),
            retry_after: response.retry_after,
            body: String::from_utf8_lossy(&response.body).into_owned(),
            of_session: matches!(&self.request, Some(Ok(request)) if request.is_of_session()),
        }
    }

    fn no_answer(&self, why: NoAnswer) -> Error {
        let root = self.tries.root.clone();
        let correlator = match &self.request {
            Some(Ok(request)) => request.correlator.clone(),
            _ => String::new(),
        };
        let lost =
            |root, reason, timed_out| Error::NoAnswer { root, reason, correlator, timed_out };
        match why {
            // One of the tries before may have been carried out.
            NoAnswer::NotConnected(reason) if self.uncertain => lost(root, reason, false),
            NoAnswer::NotConnected(reason) => Error::NoConnection { root, reason },
            NoAnswer::Broken(reason) => lost(root, reason, false),
            NoAnswer::TimedOut => lost(root, "it took too long".to_owned(), true),
            NoAnswer::Interrupted => Error::Interrupted,
        }
    }
}

impl<T: Send + 'static> Operation for Exchange<T> {
    type Output = T;

    fn step(&mut self, event: Event, elapsed: Duration) -> Step<T> {
        match event {
            Event::Begin | Event::Waited => self.send(elapsed),
            Event::Answered(response) => self.answered(response, elapsed),
            Event::Unanswered(why) => self.unanswered(why, elapsed),
        }
    }
}

fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.chars().take(LONGEST_EXCERPT).collect()
}
