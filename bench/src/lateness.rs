//! How late sessions end, seen by the application that has them, and by the network.
//!
//! The application's clock is the wall clock, and so is the gateway's as long as nobody sets it.

mod course;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::course::{Courses, Verdict};
use crate::Failure;
use crate::connection::Connections;
use crate::job::{Job, Session};
use crate::machine::Machine;
use crate::open_loop::{self, Sent};
use crate::pool;
use crate::receiver::Receiver;
use crate::report::seconds;
use crate::rules::Rules;
use crate::server::Server;
use crate::tally::{Figures, Quantiles, Tally};

/// How long what should have happened is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the network's rules are looked at: a rule may be gone for so long before it is seen.
const LOOK: Duration = Duration::from_millis(5);

/// By how much the wall clock may differ from one that nobody sets.
const CLOCK_ERROR: Duration = Duration::from_millis(1);

/// How late sessions end.
#[derive(Debug, Args)]
pub(crate) struct Lateness {
    /// How many sessions there are
    #[arg(long, value_name = "COUNT", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..=20_000))]
    sessions: u32,

    /// How long the shortest of them lasts; the others last a second more, two, and so on
    #[arg(long, value_name = "SECONDS", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    shortest: u32,

    /// How long the longest of them lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    longest: u32,

    /// Over how long they are created, evenly; 0 is all at once
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    over: Duration,

    /// How many other sessions are created each second meanwhile
    #[arg(long, value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    load: Option<u32>,

    /// How many connections there are
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    connections: usize,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) machine: Machine,
    /// How many sessions there were.
    pub(crate) sessions: usize,
    /// How many of them ended before their time: by the time in the event, by its arrival, by an
    /// answer that knew nothing of them any more, or by their rule.
    pub(crate) early: u64,
    /// How many were asked for shortly before their end, and answered before it.
    pub(crate) looked_at: u64,
    /// How many events came again.
    pub(crate) repeated: u64,
    /// From `expiresAt` until the event of the end arrived.
    pub(crate) events: Late,
    /// From `expiresAt` until the rule was seen to be gone.
    pub(crate) rules: Late,
    /// The other sessions that were created meanwhile.
    pub(crate) load: Option<Figures>,
    /// What should not have happened, and how often it did.
    pub(crate) errors: BTreeMap<String, u64>,
}

/// By how much something was late.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Late {
    /// How often it happened, and not early.
    pub(crate) count: u64,
    /// By how much it was late.
    #[serde(flatten)]
    pub(crate) times: Quantiles,
}

impl Lateness {
    /// Lets sessions begin and end.
    pub(crate) async fn run(&self) -> Result<Measured, Failure> {
        let temporary = tempfile::tempdir();
        let temporary = temporary.map_err(|error| Failure::new("no directory", error))?;
        let machine = Machine::look(temporary.path());
        let server = Server::gateway(None, temporary.path())?;
        let rules = Rules::open(temporary.path()).map_err(no_rules)?;
        let mut receiver = Receiver::start().await?;
        let connections = Arc::new(Connections::new(&server.target, self.connections));
        let clocks = (Timestamp::now(), Instant::now());

        let stop = CancellationToken::new();
        let _stopped_in_any_case = stop.clone().drop_guard();
        let gone = Arc::new(Gone::default());
        let following = gone.follow(rules, stop.clone());
        let others = self.others(&connections, stop.clone());
        let sessions = self.sessions(&receiver).into_iter();
        let tick = self.over / self.sessions;
        let creating = open_loop::send(Arc::clone(&connections), Job::Create, sessions, tick);
        let mut courses = Courses::new(&connections);
        let created = self.watch(&mut receiver, &mut courses, tokio::spawn(creating)).await?;
        gone.wait_for(&created.ids).await;
        stop.cancel();
        following.await.map_err(broke)??;

        let mut load = None;
        if let Some(others) = others {
            load = Some(others.await.map_err(broke)??.tally.figures());
        }
        let verdict = courses.judge(&created.ids, &gone.times()).await;
        let mut measured = Measured::new(machine, &created, verdict, load)?;
        let counts = receiver.counts();
        measured.repeated = counts.repeated;
        measured.note("event with the id of another", counts.changed);
        measured.note("event that cannot be read", counts.unreadable);
        let step = Timestamp::now().duration_since(clocks.0).unsigned_abs();
        if step.abs_diff(clocks.1.elapsed()) > CLOCK_ERROR {
            measured.note("the wall clock was set", 1);
        }
        Ok(measured)
    }

    /// Follows what becomes of the sessions until all have ended, or should have.
    async fn watch(
        &self,
        receiver: &mut Receiver,
        courses: &mut Courses,
        mut creating: JoinHandle<Result<Sent, Failure>>,
    ) -> Result<Sent, Failure> {
        let longest = Duration::from_secs(self.longest.into());
        let deadline = tokio::time::Instant::now() + self.over + longest + PATIENCE;
        let mut created = None;
        loop {
            let all = created.as_ref().map(|created: &Sent| created.ids.len());
            if all.is_some_and(|all| courses.ended() >= all) {
                break;
            }
            tokio::select! {
                Some(received) = receiver.next() => courses.take(received),
                result = &mut creating, if created.is_none() => {
                    created = Some(result.map_err(broke)??);
                }
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        created.ok_or_else(|| Failure::new("cannot measure", "the creates do not come to an end"))
    }

    fn sessions(&self, receiver: &Receiver) -> Vec<Session> {
        let first = pool::first_device();
        let durations = (self.shortest..=self.longest.max(self.shortest)).cycle();
        let numbers = first..first + u64::from(self.sessions);
        let session = |(device, duration_s)| Session {
            duration_s,
            sink: Some(receiver.url(duration_s).into()),
            ..Session::of_device(device)
        };
        numbers.zip(durations).map(session).collect()
    }

    /// Creates other sessions, with devices of their own, until it is to stop.
    fn others(
        &self,
        connections: &Arc<Connections>,
        stop: CancellationToken,
    ) -> Option<JoinHandle<Result<Sent, Failure>>> {
        let tick = Duration::from_secs(1) / self.load?;
        let first = pool::first_device() + u64::from(self.sessions) + 1_000_000_000;
        let devices = (first..).take_while(move |_| !stop.is_cancelled());
        let sessions = devices.map(Session::of_device);
        let connections = Arc::clone(connections);
        Some(tokio::spawn(open_loop::send(connections, Job::Create, sessions, tick)))
    }
}

/// When which rule was seen to be gone.
#[derive(Default)]
struct Gone(Mutex<HashMap<String, Timestamp>>);

impl Gone {
    /// Looks at the rules again and again, in a thread of its own.
    fn follow(
        self: &Arc<Self>,
        mut rules: Rules,
        stop: CancellationToken,
    ) -> JoinHandle<Result<(), Failure>> {
        let gone = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            while !stop.is_cancelled() {
                let seen = rules.look().map_err(no_rules)?;
                let now = Timestamp::now();
                let mut times = gone.0.lock().unwrap_or_else(PoisonError::into_inner);
                times.extend(seen.into_iter().map(|session| (session, now)));
                drop(times);
                std::thread::sleep(LOOK);
            }
            Ok(())
        })
    }

    /// Waits until all these rules are gone, or should be.
    async fn wait_for(&self, sessions: &[String]) {
        let all_gone = || {
            let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.iter().all(|session| times.contains_key(session))
        };
        let deadline = Instant::now() + PATIENCE;
        while !all_gone() && Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn times(&self) -> HashMap<String, Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Measured {
    fn new(
        machine: Machine,
        created: &Sent,
        verdict: Verdict,
        load: Option<Figures>,
    ) -> Result<Self, Failure> {
        let Verdict { early, looked_at, events, rules, errors } = verdict;
        let mut measured = Self {
            machine,
            sessions: created.ids.len(),
            early,
            looked_at,
            repeated: 0,
            events: Late::of(&events)?,
            rules: Late::of(&rules)?,
            load,
            errors,
        };
        for (why, count) in created.tally.figures().errors {
            measured.note(&format!("create: {why}"), count);
        }
        Ok(measured)
    }

    fn note(&mut self, what: &str, count: u64) {
        if count > 0 {
            *self.errors.entry(what.to_owned()).or_default() += count;
        }
    }
}

impl Late {
    fn of(times: &[Duration]) -> Result<Self, Failure> {
        let mut tally = Tally::new()?;
        for time in times {
            tally.answered(*time, 0);
        }
        let figures = tally.figures();
        Ok(Self { count: figures.requests, times: figures.times })
    }
}

fn no_rules(error: std::io::Error) -> Failure {
    Failure::new("cannot follow the network's rules", error)
}

fn broke(error: tokio::task::JoinError) -> Failure {
    Failure::new("a part of the measurement broke", error)
}
