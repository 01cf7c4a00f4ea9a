//! The sessions that a server has, for those who make them, ask for them and end them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::connection::Answer;
use crate::job::{Job, Session};

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool(Mutex<Sessions>);

#[derive(Debug)]
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
        Self(Mutex::new(Sessions { live: VecDeque::new(), next_device: first }))
    }

    /// Whose turn it is: a new device's, each session's in turn, or the oldest's, which is then no
    /// longer here. `None` if there is none.
    pub(crate) fn next(&self, job: Job) -> Option<Session> {
        let mut sessions = self.lock();
        match job {
            Job::Create => {
                let device = sessions.next_device;
                sessions.next_device += 1;
                Some(Session::of_device(device))
            }
            Job::Get | Job::List => {
                let session = sessions.live.pop_front()?;
                sessions.live.push_back(session.clone());
                Some(session)
            }
            Job::Delete => sessions.live.pop_front(),
        }
    }

    /// Takes up what was made.
    pub(crate) fn made(&self, device: u64, answer: &Answer) {
        if let Some(id) = answer.made() {
            let session = Session { id: id.to_owned(), ..Session::of_device(device) };
            self.lock().live.push_back(session);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
