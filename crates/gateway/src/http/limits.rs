//! How much the gateway takes on, and how long it waits for others.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Bounds of what clients can make the gateway do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections there may be. Whoever comes then waits in the kernel's queue.
    pub connections: usize,
    /// How many requests of applications may be worked on. Those that come then are answered with
    /// 503. A request whose body is still arriving is not worked on.
    pub requests: usize,
    /// How many KiB of memory the bodies that are being read may take, all together.
    pub bodies_kib: usize,
    /// How long the head of a request may take to arrive, the first one and each that follows.
    pub head: Duration,
    /// How long the body of a request may take to arrive.
    pub body: Duration,
    /// After this long without a new request, a connection is asked to go: an HTTP/2 connection
    /// that is idle, or one of either version whose client does not take its answers.
    pub idle: Duration,
    /// How long a gateway that is to stop goes on taking connections and requests, as long as it
    /// has any, so that nobody is surprised.
    pub linger: Duration,
    /// How long requests that are under way have to finish after that.
    pub finish: Duration,
    /// How many requests an HTTP/2 connection may begin and abandon.
    pub resets: u32,
}

impl Default for Limits {
    /// A thousand requests at once are a tenth of a second's work: more would only wait longer.
    fn default() -> Self {
        Self {
            connections: 10_000,
            requests: 1_024,
            bodies_kib: 64 * 1_024,
            head: Duration::from_secs(15),
            body: Duration::from_secs(20),
            idle: Duration::from_secs(60),
            linger: Duration::from_secs(2),
            finish: Duration::from_secs(6),
            resets: 1_000,
        }
    }
}

impl Limits {
    /// The default, with no more connections than the process may have files: as many as the system
    /// allows it, which is often more than what it begins with.
    #[must_use]
    pub fn of_process() -> Self {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        let files = raised.map_or(current, |()| maximum).unwrap_or(u64::MAX);
        Self::default().within(files)
    }

    /// A quarter of the files is for the ledger, the operator and what is sent to receivers.
    fn within(self, files: u64) -> Self {
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        Self { connections: self.connections.min(files / 4 * 3), ..self }
    }

    /// The same for the operator's listener, which few use.
    pub(crate) fn for_operator(self) -> Self {
        Self { connections: (self.connections / 16).max(4), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_the_rest() {
        let connections = |files| Limits::default().within(files).connections;
        assert_eq!(connections(u64::MAX), 10_000);
        assert_eq!(connections(20_000), 10_000);
        assert_eq!(connections(1_024), 768);
        assert_eq!(connections(256), 192);
    }
}
