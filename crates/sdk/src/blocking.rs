//! The same client without `async`: what its methods return is the result itself.
//!
//! ```no_run
//! # fn run() -> Result<(), greenwave_sdk::Error> {
//! use greenwave_sdk::{DeviceId, blocking::Client};
//!
//! let client = Client::new("gw_test_…")?;
//! let device = client.device(DeviceId::phone_number("+36721601234567"));
//! let session = device.create_qod_session("QOS_L").service_ipv4("203.0.113.5").send()?;
//! session.delete()?;
//! # Ok(())
//! # }
//! ```
//!
//! A call does everything on the thread that makes it: it needs no runtime, starts no thread, and
//! may be made inside an async runtime too (where it holds up its thread, as anything that blocks
//! does). Threads share a client's connections, one call each at a time. After a `fork`, the child
//! makes connections of its own.

mod connection;
mod pool;
mod ready;
mod socket;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;

use self::connection::Connection;
use self::pool::Pool;
use crate::operation::{Event, Executor, Operation, Step};
use crate::request::{Endpoint, NoAnswer, Request, Response};
use crate::{Error, tls};

/// Longer than anybody waits, and short enough to be added to any time.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// A client whose calls return results.
pub type Client = crate::ClientOf<Blocking>;

/// A device of such a client.
pub type Device = crate::Device<Blocking>;

/// A session of such a client.
pub type Session = crate::Session<Blocking>;

/// Carries operations out on the thread that asks for them.
#[derive(Clone)]
pub struct Blocking {
    shared: Arc<Shared>,
    interrupt: Option<Interrupt>,
}

/// Asked when a signal came while a thread waited: whether the wait is to end.
pub type Interrupt = Arc<dyn Fn() -> bool + Send + Sync>;

struct Shared {
    endpoint: Endpoint,
    tls: Arc<rustls::ClientConfig>,
    timeout: Duration,
    pool: Pool,
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocking({})", self.shared.endpoint.root())
    }
}

impl Executor for Blocking {
    type Answer<T: Send + 'static> = Result<T, Error>;

    fn new(endpoint: Endpoint, timeout: Duration) -> Result<Self, Error> {
        let tls = Arc::new(tls::config(endpoint.is_tls())?);
        let shared = Shared { endpoint, tls, timeout, pool: Pool::new() };
        Ok(Self { shared: Arc::new(shared), interrupt: None })
    }

    fn root(&self) -> &str {
        self.shared.endpoint.root()
    }

    fn run<O: Operation + 'static>(&self, mut operation: O) -> Result<O::Output, Error> {
        let began = Instant::now();
        let mut event = Event::Begin;
        loop {
            event = match operation.step(event, began.elapsed()) {
                Step::Done(result) => return result,
                Step::Pause(pause) => match ready::pause(pause, &|| self.is_interrupted()) {
                    Ok(()) => Event::Waited,
                    Err(why) => Event::Unanswered(why),
                },
                Step::Send(request) => self.send(&request)?,
            };
        }
    }
}

impl Blocking {
    /// The same, with something to ask when a signal comes: where it says that the wait is to end,
    /// the call returns [`Error::Interrupted`]. Otherwise a signal ends nothing.
    #[must_use]
    pub fn with_interrupt(self, interrupt: Interrupt) -> Self {
        Self { interrupt: Some(interrupt), ..self }
    }

    /// Closes the connections that nobody uses.
    pub fn close_idle(&self) {
        self.shared.pool.clear();
    }

    fn send(&self, request: &Request) -> Result<Event, Error> {
        let body = Full::new(request.body.clone().unwrap_or_default());
        let timeout = request.timeout(self.shared.timeout).min(LONGEST);
        let deadline = Instant::now() + timeout;
        let request = self.shared.endpoint.address(request, body, false)?;
        Ok(match self.exchange(request, deadline) {
            Ok(response) => Event::Answered(response),
            Err(why) => Event::Unanswered(why),
        })
    }

    fn exchange(
        &self,
        request: http::Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response, NoAnswer> {
        let Shared { endpoint, tls, pool, .. } = &*self.shared;
        let interrupted = || self.is_interrupted();
        let wait = ready::Wait { deadline, interrupted: &interrupted };
        let mut connection = match pool.take() {
            Some(connection) => connection,
            None => Connection::open(endpoint, Arc::clone(tls), &wait)?,
        };
        let response = connection.exchange(request, &wait)?;
        pool.put(connection);
        Ok(response)
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.as_ref().is_some_and(|interrupt| interrupt())
    }
}
