//! The sessions that a server has, for those who make them, ask for them and end them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::connection::Answer;
use crate::fill::Filled;
use crate::job::{Job, Session};

/// See the module.
pub(crate) struct Pool {
    sessions: Mutex<Sessions>,
    asked: Asked,
    /// Where the events of new sessions go, if anywhere.
    sinks: Vec<Arc<str>>,
}

/// Which sessions are asked for and listed.
#[derive(Clone)]
pub(crate) enum Asked {
    /// Those that were made here, each in turn.
    Made,
    /// Any of those that the server was filled with.
    Filled(Arc<Filled>),
    /// Always this one: an echo knows no other.
    One(Session),
}

struct Sessions {
    live: VecDeque<Session>,
    next_device: u64,
}

/// The first number of a device that no earlier run can have given out: no server makes a session
/// each microsecond.
pub(crate) fn first_device() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}

impl Pool {
    /// Nothing yet. Devices are numbered from `first` on.
    pub(crate) fn new(first: u64) -> Self {
        let sessions = Sessions { live: VecDeque::new(), next_device: first };
        Self { sessions: Mutex::new(sessions), asked: Asked::Made, sinks: Vec::new() }
    }

    /// The same, where these are asked for.
    pub(crate) fn asking(self, asked: Asked) -> Self {
        Self { asked, ..self }
    }

    /// The same, where the events of new sessions go to these, in turn.
    pub(crate) fn telling(self, sinks: Vec<Arc<str>>) -> Self {
        Self { sinks, ..self }
    }

    /// Whose turn it is: a new device's, that of one to be asked for, or the oldest's that was made
    /// here, which is then no longer here. `None` if there is none.
    pub(crate) fn next(&self, job: Job) -> Option<Session> {
        match (job, &self.asked) {
            (Job::Create, _) => Some(self.new_session()),
            (Job::Get | Job::List, Asked::Made) => {
                let mut sessions = self.lock();
                let session = sessions.live.pop_front()?;
                sessions.live.push_back(session.clone());
                Some(session)
            }
            (Job::Get | Job::List, Asked::Filled(filled)) => Some(filled.any()),
            (Job::Get | Job::List, Asked::One(session)) => Some(session.clone()),
            (Job::Delete, _) => self.lock().live.pop_front(),
        }
    }

    fn new_session(&self) -> Session {
        let mut sessions = self.lock();
        let device = sessions.next_device;
        sessions.next_device += 1;
        drop(sessions);
        let sink = device.checked_rem(self.sinks.len() as u64);
        let sink = sink.and_then(|sink| self.sinks.get(usize::try_from(sink).ok()?)).cloned();
        Session { sink, ..Session::of_device(device) }
    }

    /// Takes up what was made.
    pub(crate) fn made(&self, device: u64, answer: &Answer) {
        if let Some(id) = answer.made() {
            let session = Session { id: id.to_owned(), ..Session::of_device(device) };
            self.lock().live.push_back(session);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
