//! The gateway beside the echo, in turns, on the same machine at the same time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::Failure;
use crate::closed_loop::{Phase, Pressure};
use crate::connection::Connection;
use crate::echo::Recording;
use crate::ground::{Ground, Prepared, State};
use crate::job::Job;
use crate::machine::Machine;
use crate::pool::{self, Asked, Pool};
use crate::server::Server;
use crate::spread::Spread;

/// Requests per CPU-second of the server, beside an echo on the same HTTP stack.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// How often both are measured
    #[arg(long, value_name = "COUNT", default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    #[command(flatten)]
    pressure: Pressure,

    #[command(flatten)]
    ground: Ground,

    /// Which sessions are asked for and listed
    #[arg(long, value_name = "WHICH", default_value = "recent")]
    of: Of,

    /// Ask with an access token, and not with an application key
    #[arg(long)]
    token: bool,

    /// Another build's greenwave; by default it is the one that this program was built with
    #[arg(long, value_name = "FILE")]
    gateway: Option<PathBuf>,
}

/// Which sessions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Of {
    /// Those that the round has made
    Recent,
    /// Any of those that lived there already
    All,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) machine: Machine,
    pub(crate) connections: usize,
    pub(crate) ground: State,
    /// Which sessions were asked for and listed.
    pub(crate) of: Of,
    pub(crate) jobs: Vec<Compared>,
}

/// A kind of request, on both.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) job: Job,
    /// Requests per CPU-second of the echo.
    pub(crate) echo: Spread,
    /// Requests per CPU-second of the gateway.
    pub(crate) gateway: Spread,
    /// The gateway's by the echo's, of the same round.
    pub(crate) ratio: Spread,
    pub(crate) echo_rounds: Vec<Phase>,
    pub(crate) gateway_rounds: Vec<Phase>,
}

impl Compare {
    /// Measures both.
    pub(crate) async fn run(&self) -> Result<Comparison, Failure> {
        let mut prepared = self.ground.prepare().await?;
        let asked = self.asked(&prepared)?;
        let mut gateway = prepared.gateway(self.gateway.as_deref())?;
        if self.token {
            gateway.show_token(self.gateway.as_deref(), &prepared.data())?;
        }
        let first_device = pool::first_device();
        // The echo has one answer to a kind of request, so it is asked for one session.
        let one = match &asked {
            Asked::Filled(filled) => Asked::One(filled.session(0)),
            other => other.clone(),
        };
        let recorded = prepared.directory().join("answers.json");
        record(&gateway, prepared.pool(first_device).asking(one.clone()), &recorded).await?;
        let echo = Server::echo(&recorded)?;

        let side = |server, asked| Side {
            server,
            pool: Arc::new(prepared.pool(first_device + 1).asking(asked)),
            phases: Vec::new(),
        };
        let (mut echo, mut gateway) = (side(echo, one), side(gateway, asked));
        for round in 0..self.rounds {
            for job in Job::ALL {
                // A B, B A, …: what changes with time is nobody's advantage.
                let order = if round % 2 == 0 {
                    [&mut echo, &mut gateway]
                } else {
                    [&mut gateway, &mut echo]
                };
                for side in order {
                    side.phases.push(self.pressure.phase(&side.server, &side.pool, job).await?);
                }
            }
        }
        let created = gateway.phases.iter().filter(|phase| phase.job == Job::Create);
        prepared.count_events(created.map(|phase| phase.figures.requests).sum())?;
        let jobs = Job::ALL.map(|job| Compared::new(job, &echo.phases, &gateway.phases));
        let Prepared { machine, state: ground, .. } = prepared;
        let connections = self.pressure.connections;
        Ok(Comparison { machine, connections, ground, of: self.of, jobs: jobs.into() })
    }

    fn asked(&self, prepared: &Prepared) -> Result<Asked, Failure> {
        match (self.of, &prepared.filled) {
            (Of::Recent, _) => Ok(Asked::Made),
            (Of::All, Some(filled)) => Ok(Asked::Filled(Arc::clone(filled))),
            (Of::All, None) => {
                Err(Failure::new("cannot ask for any of all", "say how many live with --live"))
            }
        }
    }
}

/// One of the two, its sessions, and what it has come to.
struct Side {
    server: Server,
    pool: Arc<Pool>,
    phases: Vec<Phase>,
}

/// Has the gateway answer each kind of request once, for the echo to repeat.
async fn record(gateway: &Server, pool: Pool, answers: &Path) -> Result<(), Failure> {
    let mut connection = Connection::new(&gateway.target);
    let mut recording = Recording::default();
    for job in Job::ALL {
        let session = pool.next(job).ok_or_else(|| Failure::new(job.name(), "no session"))?;
        let answer = connection.perform(job, &session).await;
        let answer = answer.map_err(|why| Failure::new(job.name(), why))?;
        recording.record(job, &answer);
        if job == Job::Create {
            pool.made(session.device, &answer);
        }
    }
    recording.write(answers)?;
    gateway.rest().await
}

impl Comparison {
    /// All that was measured.
    pub(crate) fn phases(&self) -> impl Iterator<Item = &Phase> {
        self.jobs.iter().flat_map(|job| job.echo_rounds.iter().chain(&job.gateway_rounds))
    }
}

impl Compared {
    fn new(job: Job, echo: &[Phase], gateway: &[Phase]) -> Self {
        let of_job = |phases: &[Phase]| -> Vec<Phase> {
            phases.iter().filter(|phase| phase.job == job).cloned().collect()
        };
        let (echo, gateway) = (of_job(echo), of_job(gateway));
        let rates =
            |phases: &[Phase]| -> Vec<f64> { phases.iter().map(Phase::per_cpu_second).collect() };
        let (echo_rates, gateway_rates) = (rates(&echo), rates(&gateway));
        Self {
            job,
            ratio: Spread::of_ratios(&gateway_rates, &echo_rates),
            echo: Spread::of(echo_rates),
            gateway: Spread::of(gateway_rates),
            echo_rounds: echo,
            gateway_rounds: gateway,
        }
    }
}
