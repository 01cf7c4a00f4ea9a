//! How long a create takes when a gateway does half of what it could: the highest rate is found
//! with as many creates as go, and half of it is then asked for on a schedule that does not wait.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::Failure;
use crate::closed_loop::{Phase, Pressure};
use crate::connection::Connections;
use crate::ground::{Ground, Prepared, State};
use crate::job::Job;
use crate::machine::Machine;
use crate::open_loop;
use crate::pool::{self, Pool};
use crate::report::{self, Report, seconds};
use crate::server::Server;
use crate::spread::Spread;
use crate::tally::Figures;

/// How long a create takes at half the highest rate.
#[derive(Debug, Args)]
pub(crate) struct Pace {
    /// How often the highest rate is found, and half of it asked for
    #[arg(long, value_name = "COUNT", default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    #[command(flatten)]
    pressure: Pressure,

    /// How long half of the highest rate is asked for
    #[arg(long = "for", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    lasting: Duration,

    #[command(flatten)]
    ground: Ground,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Paced {
    machine: Machine,
    ground: State,
    connections: usize,
    /// The 99th percentiles of the rounds.
    p99_us: Spread,
    rounds: Vec<Round>,
}

/// What one round came to.
#[derive(Debug, Serialize)]
struct Round {
    /// As many creates as went.
    highest: Phase,
    /// How many of them there were each second.
    highest_per_s: f64,
    /// How many were asked for each second then.
    rate_per_s: f64,
    /// How long those took, from when they were due.
    creates: Figures,
}

impl Pace {
    /// Measures.
    pub(crate) async fn run(&self) -> Result<Paced, Failure> {
        let mut prepared = self.ground.prepare().await?;
        let server = prepared.gateway(None)?;
        let pool = Arc::new(prepared.pool(pool::first_device()));
        let mut rounds = Vec::new();
        for _ in 0..self.rounds {
            rounds.push(self.round(&server, &pool).await?);
        }
        let created = rounds.iter().map(|r| r.highest.figures.requests + r.creates.requests);
        prepared.count_events(created.sum())?;
        let p99s = rounds.iter().map(|round| round.creates.times.p99_us as f64);
        let Prepared { machine, state: ground, .. } = prepared;
        let connections = self.pressure.connections;
        Ok(Paced { machine, ground, connections, p99_us: Spread::of(p99s), rounds })
    }

    async fn round(&self, server: &Server, pool: &Arc<Pool>) -> Result<Round, Failure> {
        let highest = self.pressure.phase(server, pool, Job::Create).await?;
        let highest_per_s = highest.per_second();
        let rate_per_s = highest_per_s / 2.0;
        let count = (rate_per_s * self.lasting.as_secs_f64()).ceil() as usize;
        let connections = Arc::new(Connections::new(&server.target, self.pressure.connections));
        let pool = Arc::clone(pool);
        let sessions = std::iter::from_fn(move || pool.next(Job::Create)).take(count);
        // Of nothing there is no half: the phase has told why.
        let tick = Duration::try_from_secs_f64(1.0 / rate_per_s).unwrap_or_default();
        let sent = open_loop::send(connections, Job::Create, sessions, tick).await?;
        server.rest().await?;
        Ok(Round { highest, highest_per_s, rate_per_s, creates: sent.tally.figures() })
    }
}

impl Report for Paced {
    fn text(&self) -> String {
        let heading = [
            "round",
            "highest creates/s",
            "asked for/s",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "p99.9 ms",
            "max ms",
        ];
        let rows = self.rounds.iter().enumerate().map(|(number, round)| {
            let mut row = vec![
                (number + 1).to_string(),
                format!("{:.0}", round.highest_per_s),
                format!("{:.0}", round.rate_per_s),
            ];
            row.extend(round.creates.times.in_ms());
            row
        });
        let Spread { median, min, max } = self.p99_us;
        let [median, min, max] = [median, min, max].map(|micros| micros / 1_000.0);
        let faults = self.rounds.iter().flat_map(|round| &round.creates.errors);
        format!(
            "{}\n{}{}p99 {median:.2} ms, {min:.2}..{max:.2}; {} connections\n{}\n{}",
            report::table(&heading, rows),
            report::errors(self.rounds.iter().map(|round| &round.highest)),
            report::faults(faults),
            self.connections,
            self.ground.text(),
            self.machine.text()
        )
    }

    fn is_clean(&self) -> bool {
        let clean = |round: &Round| {
            let creates = &round.creates;
            round.highest.is_clean() && creates.requests > 0 && creates.errors.is_empty()
        };
        self.rounds.iter().all(clean) && self.ground.events_missing == 0
    }
}
