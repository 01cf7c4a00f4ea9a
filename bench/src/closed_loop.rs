//! As many requests as go: each connection sends the next one when it has the answer.
//!
//! It tells what a request costs. How long one takes it does not tell: whoever waits for a slow
//! answer asks nothing in the meantime (`life` is for that).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::Failure;
use crate::connection::Connection;
use crate::job::Job;
use crate::machine::Machine;
use crate::pool::{self, Pool};
use crate::report::{Loaded, seconds};
use crate::server::Server;
use crate::tally::{Figures, Tally};

/// As many requests as go over some connections, one kind after the other.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// The data directory of a gateway that runs
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// The last kind of request, of create, get, list and delete
    #[arg(long, value_name = "JOB", default_value = "delete")]
    until: Job,

    #[command(flatten)]
    pressure: Pressure,
}

/// How hard, and for how long.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Pressure {
    /// How long each kind of request is sent
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pub(crate) seconds: Duration,

    /// How many connections there are
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    pub(crate) connections: usize,
}

/// What one kind of request came to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Phase {
    /// The kind.
    pub(crate) job: Job,
    /// How long it was sent.
    pub(crate) seconds: f64,
    /// What it cost the server, if it did nothing else meanwhile.
    #[serde(flatten)]
    pub(crate) cost: Option<Cost>,
    /// What was counted.
    #[serde(flatten)]
    pub(crate) figures: Figures,
}

impl Phase {
    /// Answers per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.figures.requests as f64 / self.seconds
    }

    /// Answers per second of the server's processor time.
    pub(crate) fn per_cpu_second(&self) -> f64 {
        self.cost.map_or(f64::NAN, |cost| cost.per_cpu_second)
    }

    /// Whether there were requests, and each had the answer it should have.
    pub(crate) fn is_clean(&self) -> bool {
        self.figures.requests > 0 && self.figures.errors.is_empty()
    }
}

/// What requests cost a server, with all that they leave behind.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cost {
    /// The processor time.
    pub(crate) cpu_seconds: f64,
    /// Requests per second of it.
    pub(crate) per_cpu_second: f64,
}

impl Load {
    /// Sends it all.
    pub(crate) async fn run(&self) -> Result<Loaded, Failure> {
        let machine = Machine::look(&self.data);
        let server = Server::running(&self.data)?;
        let pool = Arc::new(Pool::new(pool::first_device()));
        let mut phases = Vec::new();
        for job in Job::ALL.into_iter().filter(|job| *job <= self.until) {
            phases.push(self.pressure.phase(&server, &pool, job).await?);
        }
        Ok(Loaded { machine, phases })
    }
}

impl Pressure {
    /// Sends one kind of request, and waits until the server is done with all of it.
    pub(crate) async fn phase(
        &self,
        server: &Server,
        pool: &Arc<Pool>,
        job: Job,
    ) -> Result<Phase, Failure> {
        let (before, began) = (server.cpu()?, Instant::now());
        let mut workers = JoinSet::new();
        for _ in 0..self.connections {
            let connection = Connection::new(&server.target);
            let until = began + self.seconds;
            workers.spawn(work(connection, Arc::clone(pool), job, until, Tally::new()?));
        }
        let mut all = Tally::new()?;
        while let Some(worker) = workers.join_next().await {
            all.add(&worker.map_err(|error| Failure::new("a connection's work broke", error))?);
        }
        let seconds = began.elapsed().as_secs_f64();
        server.rest().await?;
        let cpu_seconds = server.cpu()?.saturating_sub(before).as_secs_f64();
        let figures = all.figures();
        let per_cpu_second = figures.requests as f64 / cpu_seconds;
        let cost = Some(Cost { cpu_seconds, per_cpu_second });
        Ok(Phase { job, seconds, cost, figures })
    }
}

/// What one connection does. It ends with its first error: what would come then is no measure.
async fn work(
    mut connection: Connection,
    pool: Arc<Pool>,
    job: Job,
    until: Instant,
    mut tally: Tally,
) -> Tally {
    while Instant::now() < until {
        let Some(session) = pool.next(job) else { break };
        let began = Instant::now();
        match connection.perform(job, &session).await {
            Ok(answer) => {
                tally.answered(began.elapsed(), answer.body.len());
                if job == Job::Create {
                    pool.made(session.device, &answer);
                }
            }
            Err(why) => {
                tally.failed(why);
                break;
            }
        }
    }
    tally
}
