//! Where gateways are started and killed, one after the other: a directory, a receiver of events,
//! and the journal of their client.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use greenwave_crashpoint::Point;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::audit::audit;
use crate::books::Books;
use crate::client::{SOON, within};
use crate::fixture::{request, with};
use crate::journal::{End, Journal};
use crate::program::{Process, greenwave};
use crate::receiver::Receiver;

/// How soon a gateway has to be ready.
pub(crate) const READY: Duration = Duration::from_secs(2);

/// The pause between two looks: looking takes of the processor's time, which others need.
const BETWEEN_LOOKS: Duration = Duration::from_millis(3);

/// How often a gateway at rest is looked at before it counts as one that has passed all points.
const LAST_LOOKS: usize = 10;

/// Held by a test that keeps the machine busy, so that no other one finds its starts slow.
pub(crate) static MACHINE: Mutex<()> = Mutex::const_new(());

/// See the module.
pub(crate) struct Place {
    directory: TempDir,
    pub(crate) receiver: Receiver,
    pub(crate) journal: Journal,
    /// The body of a create that is to be made again.
    pub(crate) once: Option<String>,
    patience: Duration,
    /// How long the slowest start took.
    pub(crate) slowest: Duration,
}

/// What became of a gateway that was to die.
pub(crate) enum Fate {
    /// It has.
    Died,
    /// It is at rest, and alive.
    Lives,
}

impl Place {
    /// A place where every gateway is to be ready in this time.
    pub(crate) async fn new(patience: Duration) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            receiver: Receiver::start().await,
            journal: Journal::default(),
            once: None,
            patience,
            slowest: Duration::ZERO,
        }
    }

    pub(crate) fn data(&self) -> &Path {
        self.directory.path()
    }

    /// Starts a gateway that nothing happens to.
    pub(crate) fn start(&mut self) -> Process {
        let started = tokio::task::block_in_place(|| {
            Process::up_with(self.data(), &["--grant-delay", "0ms", "--log", "warn"])
        });
        self.greeted(&started);
        assert!(started.ready_after < self.patience, "ready after {:?}", started.ready_after);
        self.slowest = self.slowest.max(started.ready_after);
        started
    }

    /// Starts a gateway that dies when it reaches this point for the n-th time; `None` if it has
    /// before it was ready.
    pub(crate) fn start_to_die(&mut self, point: Point, times: u64) -> Option<Process> {
        let mut command = greenwave();
        command.env("GREENWAVE_CRASH_AT", format!("{}:{times}", point.name()));
        let started = tokio::task::block_in_place(|| {
            Process::start(command, self.data(), &["--grant-delay", "0ms", "--log", "warn"])
        });
        match started {
            Ok(process) => {
                self.greeted(&process);
                Some(process)
            }
            Err((end, log)) => {
                assert!(was_killed(end), "{end}: {log}");
                None
            }
        }
    }

    fn greeted(&mut self, process: &Process) {
        let key = self.journal.key.get_or_insert_with(|| process.key().to_owned());
        assert_eq!(key, process.key(), "the sandbox's key has changed");
    }

    /// The body of a create that is noted as asked for.
    pub(crate) fn body(&mut self, duration_s: u64) -> Value {
        self.journal.creating();
        body(self.journal.asked, &self.receiver.url(), duration_s)
    }

    /// Writes to the network's file that this many sessions were released long ago.
    pub(crate) fn pad_rules(&self, lines: usize) {
        let path = self.data().join("network.jsonl");
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        let line = "{\"release\":\"00000000-0000-4000-8000-000000000000\"}\n";
        file.write_all(line.repeat(lines).as_bytes()).unwrap();
    }

    /// Waits until a gateway has died, or nothing is under way any more.
    pub(crate) async fn rest_or_death(&self, process: &mut Process) -> Fate {
        let mut at_rest = 0;
        let mut last = None;
        let looking = async {
            loop {
                if let Some(end) = process.child.try_wait().unwrap() {
                    assert!(was_killed(end), "{end}");
                    return Fate::Died;
                }
                last = self.under_way();
                at_rest = if last.is_none() { at_rest + 1 } else { 0 };
                if at_rest > LAST_LOOKS {
                    return Fate::Lives;
                }
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
        };
        match tokio::time::timeout(SOON, looking).await {
            Ok(fate) => fate,
            Err(_) => panic!("not at rest: {last:?}"),
        }
    }

    fn under_way(&self) -> Option<String> {
        let books = Books::read(self.data());
        let ending = self.journal.sessions.iter().filter(|(_, promise)| promise.end == End::Soon);
        let early = ending.map(|(id, _)| id).find(|id| books.live.contains_key(*id));
        early.map(|id| format!("{id} has not ended")).or_else(|| books.under_way())
    }

    /// Starts a gateway once more, and checks that everything is as it was promised.
    pub(crate) async fn audit(&mut self) -> Process {
        let mut process = self.start();
        match self.rest_or_death(&mut process).await {
            Fate::Lives => {}
            Fate::Died => panic!("it died"),
        }
        let books = Books::read(self.data());
        let received = self.receiver.received();
        let api = process.api();
        let audit = audit(&api, &mut self.journal, &books, &received);
        within(SOON, "an audit", audit).await;
        process
    }
}

/// The body of a create with a receiver, for a device of its own that is named in two ways.
pub(crate) fn body(number: usize, receiver: &str, duration_s: u64) -> Value {
    let device = json!({
        "networkAccessIdentifier": format!("device-{number}@testcsp.net"),
        "phoneNumber": format!("+3670{number:08}"),
    });
    let body = with(request(""), "device", device);
    let body = with(body, "webhook", json!({"notificationUrl": receiver}));
    with(body, "duration", json!(duration_s))
}

/// Whether it ended as `kill -9` ends a process, and not by an error.
fn was_killed(end: ExitStatus) -> bool {
    end.signal() == Some(rustix::process::Signal::KILL.as_raw())
}
