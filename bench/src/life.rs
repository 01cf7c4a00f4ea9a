//! Whole lives of sessions, begun on a schedule that does not wait for anybody.
//!
//! The schedule is made beforehand: at a rate of R, one life begins every 1/R s, and its four
//! requests are due a pause apart. A request's time is counted from when it was due, not from when
//! it could be sent, so a server that stalls is slow for all that were due meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Failure;
use crate::closed_loop::Phase;
use crate::connection::{Answer, Connections};
use crate::job::{Job, Session};
use crate::machine::Machine;
use crate::pool;
use crate::report::{Loaded, seconds};
use crate::server::Server;
use crate::tally::Tally;

/// How many lives may be under way. What is due beyond them is an error.
const MOST_LIVES: usize = 50_000;

/// How many requests a life has.
const STEPS: u64 = Job::ALL.len() as u64;

/// Whole lives of sessions at a given rate, and how long each request takes.
#[derive(Debug, Args)]
pub(crate) struct Life {
    /// The data directory of a gateway that runs; without it, one is started
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// How many sessions begin each second
    #[arg(long, value_name = "COUNT", default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,

    /// For how long sessions begin
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    seconds: Duration,

    /// How long after a request of a session its next one is due
    #[arg(long, value_name = "SECONDS", default_value = "0.1", value_parser = seconds)]
    pause: Duration,

    /// How many connections there are
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    connections: usize,
}

impl Life {
    /// Lives them all.
    pub(crate) async fn run(&self) -> Result<Loaded, Failure> {
        let temporary = tempfile::tempdir();
        let temporary = temporary.map_err(|error| Failure::new("no directory", error))?;
        let data = self.data.as_deref().unwrap_or(temporary.path());
        let machine = Machine::look(data);
        let server = match &self.data {
            Some(data) => Server::running(data)?,
            None => Server::gateway(None, data)?,
        };
        let lives = Arc::new(Lives::new(&server, self.connections)?);
        let began = Instant::now();
        let schedule = Schedule::new(self.rate, self.seconds, self.pause);
        let pacing = {
            let lives = Arc::clone(&lives);
            // A thread of its own: the runtime's timer may be a millisecond late.
            tokio::task::spawn_blocking(move || schedule.pace(&lives))
        };
        let mut under_way = pacing.await.map_err(|error| Failure::new("no schedule", error))?;
        while under_way.join_next().await.is_some() {}
        Ok(Loaded { machine, phases: lives.phases(began.elapsed()) })
    }
}

/// When what is due.
struct Schedule {
    lives: u64,
    /// How many lives begin between two requests of one.
    pause: u64,
    /// The time between two requests, of whatever life.
    tick: Duration,
}

impl Schedule {
    fn new(rate: u32, seconds: Duration, pause: Duration) -> Self {
        let rate = f64::from(rate);
        Self {
            lives: (rate * seconds.as_secs_f64()).ceil() as u64,
            pause: ((rate * pause.as_secs_f64()).ceil() as u64).max(1),
            tick: Duration::from_secs_f64(1.0 / rate / STEPS as f64),
        }
    }

    /// Tells each life when its requests are due, at the time when they are. Gives back the lives
    /// that are not over.
    fn pace(&self, lives: &Arc<Lives>) -> JoinSet<()> {
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        // Those that have requests to come, the oldest first.
        let mut waiting: VecDeque<mpsc::Sender<Instant>> = VecDeque::new();
        let first_device = pool::first_device();
        let mut ended = 0;
        for tick in 0..(self.lives + self.pause * (STEPS - 1)) * STEPS {
            let (life, step) = (tick / STEPS, tick % STEPS);
            let life = life.checked_sub(step * self.pause).filter(|life| *life < self.lives);
            let Some(life) = life else { continue };
            let due = began + self.tick.mul_f64(tick as f64);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if step == 0 {
                while tasks.try_join_next().is_some() {}
                let (tell, told) = mpsc::channel(Job::ALL.len());
                if tasks.len() < MOST_LIVES {
                    tasks.spawn(Arc::clone(lives).live(first_device + life, told));
                } else {
                    lives.count(Job::Create, Err("too many under way".to_owned()), due);
                }
                waiting.push_back(tell);
            }
            // A life that failed has gone, and the rest of its requests with it.
            if let Some(tell) = waiting.get((life - ended) as usize) {
                let _ = tell.try_send(due);
            }
            if step == STEPS - 1 {
                waiting.pop_front();
                ended += 1;
            }
        }
        tasks
    }
}

/// What lives share.
struct Lives {
    connections: Connections,
    tallies: Mutex<BTreeMap<Job, Tally>>,
}

impl Lives {
    fn new(server: &Server, connections: usize) -> Result<Self, Failure> {
        let mut tallies = BTreeMap::new();
        for job in Job::ALL {
            tallies.insert(job, Tally::new()?);
        }
        let connections = Connections::new(&server.target, connections);
        Ok(Self { connections, tallies: Mutex::new(tallies) })
    }

    /// One life: its requests, each when it is due and the one before has been answered.
    async fn live(self: Arc<Self>, device: u64, mut told: mpsc::Receiver<Instant>) {
        let mut session = Session::of_device(device);
        for job in Job::ALL {
            let Some(due) = told.recv().await else { return };
            let answer = self.connections.perform(job, &session).await;
            let made = answer.as_ref().map(|answer| answer.made().map(str::to_owned));
            let Ok(made) = made else { return self.count(job, answer, due) };
            session.id = made.unwrap_or(session.id);
            self.count(job, answer, due);
        }
    }

    fn count(&self, job: Job, answer: Result<Answer, String>, due: Instant) {
        let took = due.elapsed();
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tally) = tallies.get_mut(&job) else { return };
        match answer {
            Ok(answer) => tally.answered(took, answer.body.len()),
            Err(why) => tally.failed(why),
        }
    }

    /// What each kind of request came to.
    fn phases(&self, took: Duration) -> Vec<Phase> {
        let tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = took.as_secs_f64();
        let phase = |(job, tally): (&Job, &Tally)| Phase {
            job: *job,
            seconds,
            // All ran at the same time: nobody knows which cost what.
            cost: None,
            figures: tally.figures(),
        };
        tallies.iter().map(phase).collect()
    }
}
