//! Waiting: for a socket, for a future that needs one, for time to pass. All of it with `poll(2)`,
//! so that a signal is noticed.

use std::net::TcpStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::socket::Shared;
use crate::request::NoAnswer;

/// A signal that comes just before a wait does not end it, so it is looked for now and then.
const LONGEST_ROUND: Duration = Duration::from_millis(500);

/// How long a thread waits, and what ends it before.
pub(super) struct Wait<'a> {
    pub(super) deadline: Instant,
    pub(super) interrupted: &'a dyn Fn() -> bool,
}

/// Drives a future that waits for nothing but this socket and itself.
///
/// Inside a runtime, tokio's channels count how often a task uses them, and after so many times say
/// that it has to let others go first, which it cannot here: hence `unconstrained`.
pub(super) fn block_on<F: Future>(
    future: F,
    socket: &Shared,
    wait: &Wait<'_>,
) -> Result<F::Output, NoAnswer> {
    let mut future = std::pin::pin!(tokio::task::coop::unconstrained(future));
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    loop {
        socket.take_wants();
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Ok(output);
        }
        if !woken.0.swap(false, Ordering::AcqRel) {
            until_ready(socket, wait)?;
        }
    }
}

/// Polls a future once, whatever it says.
pub(super) fn look<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let mut future = tokio::task::coop::unconstrained(future);
    Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets time pass.
pub(super) fn pause(pause: Duration, interrupted: &dyn Fn() -> bool) -> Result<(), NoAnswer> {
    let wait = Wait { deadline: Instant::now() + pause, interrupted };
    match wait_for(&mut [], &wait) {
        Err(NoAnswer::TimedOut) | Ok(()) => Ok(()),
        Err(why) => Err(why),
    }
}

/// Something woke the future: it is to be polled again.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

fn until_ready(socket: &Shared, wait: &Wait<'_>) -> Result<(), NoAnswer> {
    let (_, to_write) = socket.take_wants();
    // That the other side hangs up is always to be noticed.
    let mut flags = PollFlags::IN;
    if to_write {
        flags |= PollFlags::OUT;
    }
    wait_for(&mut [PollFd::new(&socket.tcp, flags)], wait)
}

/// Waits until a connection is there, or is known not to come.
pub(super) fn until_connected(tcp: &TcpStream, wait: &Wait<'_>) -> Result<(), NoAnswer> {
    wait_for(&mut [PollFd::new(tcp, PollFlags::OUT)], wait)
}

fn wait_for(what: &mut [PollFd<'_>], wait: &Wait<'_>) -> Result<(), NoAnswer> {
    loop {
        let left = wait.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NoAnswer::TimedOut);
        }
        let round = left.min(LONGEST_ROUND);
        let timeout = Timespec {
            tv_sec: i64::try_from(round.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: round.subsec_nanos().into(),
        };
        match poll(what, Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) if (wait.interrupted)() => return Err(NoAnswer::Interrupted),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(NoAnswer::Broken(error.to_string())),
        }
    }
}
