//! All sessions of the application, page after page.

use std::time::Duration;

use greenwave_wire::v0::client::{SessionForm, read_sessions};

use super::{Event, Exchange, Operation, Step, Tries};
use crate::Error;
use crate::request::{Request, Response};
use crate::session::SessionInfo;

/// The most that a gateway puts on a page.
const PER_PAGE: usize = 100;

/// A list that is longer than this is not put into memory, and is not cut off either.
const MOST_PAGES: usize = 10_000;

/// A list of any number of pages.
pub(crate) struct AllPages {
    page: Exchange<Page>,
    number: usize,
    found: Vec<SessionInfo>,
    tries: Tries,
    correlator: String,
}

struct Page {
    sessions: Vec<SessionForm>,
    more: bool,
}

impl AllPages {
    pub(crate) fn new(tries: Tries, correlator: String) -> Self {
        let page = page(1, &tries, &correlator);
        Self { page, number: 1, found: Vec::new(), tries, correlator }
    }
}

fn page(number: usize, tries: &Tries, correlator: &str) -> Exchange<Page> {
    let path = format!("/sessions?page={number}&perPage={PER_PAGE}");
    Exchange::new(Ok(Request::get(path, correlator)), tries.clone(), read)
}

fn read(response: &Response) -> Result<Page, String> {
    Ok(Page { sessions: read_sessions(&response.body)?, more: response.more })
}

impl Operation for AllPages {
    type Output = Vec<SessionInfo>;

    fn step(&mut self, mut event: Event, elapsed: Duration) -> Step<Vec<SessionInfo>> {
        loop {
            let page = match self.page.step(event, elapsed) {
                Step::Send(request) => return Step::Send(request),
                Step::Pause(pause) => return Step::Pause(pause),
                Step::Done(Err(error)) => return Step::Done(Err(error)),
                Step::Done(Ok(page)) => page,
            };
            self.keep(page.sessions);
            if !page.more {
                return Step::Done(Ok(std::mem::take(&mut self.found)));
            }
            if self.number == MOST_PAGES {
                return Step::Done(Err(self.endless()));
            }
            self.number += 1;
            self.page = self::page(self.number, &self.tries, &self.correlator);
            event = Event::Begin;
        }
    }
}

impl AllPages {
    fn endless(&self) -> Error {
        let most = PER_PAGE * MOST_PAGES;
        let reason = format!("the list goes on after {most} sessions; list those of a device");
        Error::Unreadable { root: self.tries.root.clone(), reason }
    }

    /// While sessions come and go, one may be on two pages.
    fn keep(&mut self, sessions: Vec<SessionForm>) {
        let last_page = self.found.len().saturating_sub(PER_PAGE);
        for session in sessions {
            let is_new = |known: &SessionInfo| known.id() != session.session_id;
            if self.found[last_page..].iter().all(is_new) {
                self.found.push(SessionInfo::from(session));
            }
        }
    }
}
