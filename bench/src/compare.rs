//! The gateway beside the echo, in turns, on the same machine at the same time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::Failure;
use crate::closed_loop::{Phase, Pressure};
use crate::connection::Connection;
use crate::echo::Recording;
use crate::job::Job;
use crate::machine::Machine;
use crate::pool::{self, Pool};
use crate::server::Server;

/// Requests per CPU-second of the server, beside an echo on the same HTTP stack.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// How often both are measured
    #[arg(long, value_name = "COUNT", default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    #[command(flatten)]
    pressure: Pressure,

    /// Another build's greenwave; by default it is the one that this program was built with
    #[arg(long, value_name = "FILE")]
    gateway: Option<PathBuf>,

    /// Where the gateway's data is put for the time, on a real disk
    #[arg(long, value_name = "DIR")]
    temp: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    pub(crate) machine: Machine,
    pub(crate) connections: usize,
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

/// What several rounds came to.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Compare {
    /// Measures both.
    pub(crate) async fn run(&self) -> Result<Comparison, Failure> {
        let temp = self.temp.clone().unwrap_or_else(std::env::temp_dir);
        let temp = tempfile::tempdir_in(temp);
        let temp = temp.map_err(|error| Failure::new("no directory", error))?;
        let machine = Machine::look(temp.path());
        let gateway = Server::gateway(self.gateway.as_deref(), &temp.path().join("data"))?;
        let first_device = pool::first_device();
        let answers = temp.path().join("answers.json");
        record(&gateway, first_device, &answers).await?;
        let echo = Server::echo(&answers)?;

        let sides = [echo, gateway].map(|server| Side {
            server,
            pool: Arc::new(Pool::new(first_device + 1)),
            phases: Vec::new(),
        });
        let [mut echo, mut gateway] = sides;
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
        let connections = self.pressure.connections;
        let jobs = Job::ALL.map(|job| Compared::new(job, &echo.phases, &gateway.phases));
        Ok(Comparison { machine, connections, jobs: jobs.into() })
    }
}

/// One of the two, its sessions, and what it has come to.
struct Side {
    server: Server,
    pool: Arc<Pool>,
    phases: Vec<Phase>,
}

/// Has the gateway answer each kind of request once, for the echo to repeat.
async fn record(gateway: &Server, device: u64, answers: &Path) -> Result<(), Failure> {
    let pool = Pool::new(device);
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
    /// Whether every request had the answer it should have.
    pub(crate) fn is_clean(&self) -> bool {
        self.phases().all(Phase::is_clean)
    }

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
        let rate = |phase: &Phase| phase.cost.map_or(f64::NAN, |cost| cost.per_cpu_second);
        let ratios = gateway.iter().zip(&echo).map(|(gateway, echo)| rate(gateway) / rate(echo));
        Self {
            job,
            echo: Spread::of(echo.iter().map(rate)),
            gateway: Spread::of(gateway.iter().map(rate)),
            ratio: Spread::of(ratios),
            echo_rounds: echo,
            gateway_rounds: gateway,
        }
    }
}

impl Spread {
    /// Of an even number, the median is the upper of the two in the middle.
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self { median: at(values.len() / 2), min: at(0), max: at(values.len().saturating_sub(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_middle_and_both_ends() {
        let spread = Spread::of([5.0, 1.0, 4.0, 2.0, 3.0].into_iter());
        assert_eq!((spread.median, spread.min, spread.max), (3.0, 1.0, 5.0));
    }
}
