//! Gateways with ever more sessions, side by side: how long they take to start, what memory and
//! what file they need for each session, and what they do in a second of processor time.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use greenwave_core::clock::whole_millis;
use jiff::Timestamp;
use serde::Serialize;

use crate::Failure;
use crate::closed_loop::{Phase, Pressure};
use crate::connection::Connection;
use crate::fill::{self, Lasting, Plan};
use crate::job::Job;
use crate::machine::Machine;
use crate::place::Place;
use crate::pool::{self, Asked, Pool};
use crate::report::{self, Report};
use crate::server::{Memory, Server};
use crate::spread::Spread;

/// What is measured in each round. What it makes it takes away, so that there are as many sessions
/// in the next one.
const JOBS: [Job; 3] = [Job::Create, Job::Get, Job::Delete];

/// How many times as long taking away may take as making.
const PATIENCE: u32 = 20;

/// How a gateway does with ever more sessions.
#[derive(Debug, Args)]
pub(crate) struct Scale {
    /// How many sessions live in each gateway; the others are compared with the smallest
    #[arg(value_name = "LIVE", default_values_t = [10_000, 100_000, 1_000_000],
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    sizes: Vec<u32>,

    /// How often each is measured
    #[arg(long, value_name = "COUNT", default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    #[command(flatten)]
    pressure: Pressure,

    #[command(flatten)]
    place: Place,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Scaled {
    machine: Machine,
    connections: usize,
    rounds: u32,
    /// The smallest first.
    sizes: Vec<Size>,
}

/// A gateway with so many sessions.
#[derive(Debug, Serialize)]
struct Size {
    live: u32,
    /// How long it took to make them.
    fill_s: f64,
    /// How large the ledger's file was then.
    file_bytes: u64,
    file_bytes_per_session: f64,
    /// From the start of the process until `/readyz` said yes.
    ready_s: f64,
    /// The memory once it had come to rest.
    resident_bytes: u64,
    /// The most memory until then.
    peak_bytes: u64,
    /// How much more of it there is for each session more than the next smaller one has.
    bytes_per_session: Option<f64>,
    jobs: Vec<Rates>,
}

/// A kind of request.
#[derive(Debug, Serialize)]
struct Rates {
    job: Job,
    per_cpu_second: Spread,
    /// By that of the smallest, in the same round.
    ratio: Spread,
    rounds: Vec<Phase>,
}

/// A gateway while it is measured.
struct Side {
    size: Size,
    server: Server,
    pool: Arc<Pool>,
    phases: Vec<Phase>,
}

impl Scale {
    /// Measures them.
    pub(crate) async fn run(&self) -> Result<Scaled, Failure> {
        let temp = self.place.directory()?;
        let machine = Machine::look(temp.path());
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        sizes.dedup();
        let mut sides: Vec<Side> = Vec::new();
        for live in sizes {
            let side = start(&temp.path().join(live.to_string()), live).await?;
            let before = sides.last().map(|before| &before.size);
            sides.push(side.beside(before));
        }
        let until_none_is_left =
            Pressure { seconds: self.pressure.seconds * PATIENCE, ..self.pressure };
        for round in 0..self.rounds {
            for job in JOBS {
                let pressure = if job == Job::Delete { until_none_is_left } else { self.pressure };
                // A B C, C B A, …: what changes with time is nobody's advantage.
                let mut turns: Vec<&mut Side> = sides.iter_mut().collect();
                if round % 2 == 1 {
                    turns.reverse();
                }
                for side in turns {
                    side.phases.push(pressure.phase(&side.server, &side.pool, job).await?);
                }
            }
        }
        let connections = self.pressure.connections;
        let smallest = sides.first().map(|side| side.phases.clone()).unwrap_or_default();
        let sizes = sides.into_iter().map(|side| side.measured(&smallest)).collect();
        Ok(Scaled { machine, connections, rounds: self.rounds, sizes })
    }
}

/// Fills a directory and starts a gateway on it.
async fn start(data: &Path, live: u32) -> Result<Side, Failure> {
    let began = Instant::now();
    let began_at = whole_millis(Timestamp::now());
    let plan = Plan { sessions: live, began: began_at, lasting: Lasting::Long, receivers: 0 };
    let filled = Arc::new(fill::fill(data, plan).await?);
    let fill_s = began.elapsed().as_secs_f64();
    let file = std::fs::metadata(data.join("ledger.db"));
    let file_bytes = file.map_err(|error| Failure::new("no ledger", error))?.len();

    let began = Instant::now();
    let server = Server::gateway(None, data)?;
    if !Connection::new(&server.target).is_ready().await {
        return Err(Failure::new("no gateway", "it is there and not ready"));
    }
    let ready_s = began.elapsed().as_secs_f64();
    server.rest().await?;
    let Memory { resident_bytes, peak_bytes } = server.memory()?;
    let size = Size {
        live,
        fill_s,
        file_bytes,
        file_bytes_per_session: file_bytes as f64 / f64::from(live),
        ready_s,
        resident_bytes,
        peak_bytes,
        bytes_per_session: None,
        jobs: Vec::new(),
    };
    let pool = Pool::new(pool::first_device()).asking(Asked::Filled(filled));
    Ok(Side { size, server, pool: Arc::new(pool), phases: Vec::new() })
}

impl Side {
    /// The same, held against the next smaller one.
    fn beside(mut self, before: Option<&Size>) -> Self {
        self.size.bytes_per_session = before.map(|before| {
            let more = self.size.resident_bytes as f64 - before.resident_bytes as f64;
            more / f64::from(self.size.live - before.live)
        });
        self
    }

    fn measured(self, smallest: &[Phase]) -> Size {
        let of = |phases: &[Phase], job| -> Vec<Phase> {
            phases.iter().filter(|phase| phase.job == job).cloned().collect()
        };
        let rates = |phases: &[Phase]| phases.iter().map(Phase::per_cpu_second).collect::<Vec<_>>();
        let jobs = JOBS.map(|job| {
            let rounds = of(&self.phases, job);
            let (own, of_smallest) = (rates(&rounds), rates(&of(smallest, job)));
            let ratio = Spread::of_ratios(&own, &of_smallest);
            Rates { job, per_cpu_second: Spread::of(own), ratio, rounds }
        });
        Size { jobs: jobs.into(), ..self.size }
    }
}

impl Scaled {
    fn phases(&self) -> impl Iterator<Item = &Phase> {
        self.sizes.iter().flat_map(|size| &size.jobs).flat_map(|rates| &rates.rounds)
    }
}

impl Report for Scaled {
    fn text(&self) -> String {
        let heading = [
            "live",
            "filled in s",
            "ready s",
            "RSS MiB",
            "peak MiB",
            "bytes each",
            "file bytes each",
        ];
        let mib = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1 << 20));
        let rows = self.sizes.iter().map(|size| {
            vec![
                size.live.to_string(),
                format!("{:.1}", size.fill_s),
                format!("{:.2}", size.ready_s),
                mib(size.resident_bytes),
                mib(size.peak_bytes),
                size.bytes_per_session.map_or_else(String::new, |bytes| format!("{bytes:.0}")),
                format!("{:.0}", size.file_bytes_per_session),
            ]
        });
        let of_jobs = ["live", "job", "req/CPU-s", "to the smallest", "min..max"];
        let rates = self.sizes.iter().flat_map(|size| {
            size.jobs.iter().map(|rates| {
                vec![
                    size.live.to_string(),
                    rates.job.name().to_owned(),
                    format!("{:.0}", rates.per_cpu_second.median),
                    format!("{:.3}", rates.ratio.median),
                    rates.ratio.ends(3),
                ]
            })
        });
        format!(
            "{}\n\n{}\n{}{} rounds, {} connections\n{}",
            report::table(&heading, rows),
            report::table(&of_jobs, rates),
            report::errors(self.phases()),
            self.rounds,
            self.connections,
            self.machine.text()
        )
    }

    fn is_clean(&self) -> bool {
        self.phases().all(Phase::is_clean)
    }
}
