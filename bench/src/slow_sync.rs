//! Many connections beside one, on a disk that takes longer for each sync. Whoever commits together
//! waits together, so many get on at nearly the rate at which one commit follows another.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::Failure;
use crate::closed_loop::{Phase, Pressure};
use crate::ground::{Ground, Prepared, State};
use crate::job::Job;
use crate::machine::Machine;
use crate::pool;
use crate::report::{self, Report};
use crate::server::Server;
use crate::spread::Spread;
use crate::tally::Quantiles;

/// What many connections are to one when the disk is slow.
#[derive(Debug, Args)]
pub(crate) struct SlowSync {
    /// How many milliseconds each sync takes longer
    #[arg(long, value_name = "MS", default_value_t = 2,
        value_parser = clap::value_parser!(u64).range(..=10_000))]
    delay_ms: u64,

    /// How often both are measured
    #[arg(long, value_name = "COUNT", default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    #[command(flatten)]
    pressure: Pressure,

    #[command(flatten)]
    ground: Ground,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Slowed {
    machine: Machine,
    ground: State,
    delay_ms: u64,
    /// How many connections the many were.
    connections: usize,
    /// The rate of many by that of one, in the same round.
    ratio: Spread,
    many: Side,
    one: Side,
    /// In how many rounds one connection's creates took less time than a sync does. Each has one of
    /// its own, so there should be none.
    too_quick: usize,
}

/// So many connections.
#[derive(Debug, Serialize)]
struct Side {
    per_second: Spread,
    rounds: Vec<Phase>,
}

impl SlowSync {
    /// Measures both.
    pub(crate) async fn run(&self) -> Result<Slowed, Failure> {
        let mut prepared = self.ground.prepare().await?;
        let server = Server::slow_gateway(&prepared.data(), self.delay_ms)?;
        let pool = Arc::new(prepared.pool(pool::first_device()));
        let (mut many, mut one) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            // A B, B A, …: what changes with time is nobody's advantage.
            let many_first = round % 2 == 0;
            for is_many in [many_first, !many_first] {
                let connections = if is_many { self.pressure.connections } else { 1 };
                let pressure = Pressure { connections, ..self.pressure };
                let phase = pressure.phase(&server, &pool, Job::Create).await?;
                if is_many { many.push(phase) } else { one.push(phase) }
            }
        }
        let created = many.iter().chain(&one).map(|phase| phase.figures.requests);
        prepared.count_events(created.sum())?;
        let rates = |phases: &[Phase]| phases.iter().map(Phase::per_second).collect::<Vec<_>>();
        let (many_rates, one_rates) = (rates(&many), rates(&one));
        let delay_us = self.delay_ms * 1_000;
        let too_quick = one.iter().filter(|phase| phase.figures.times.p50_us < delay_us).count();
        let Prepared { machine, state: ground, .. } = prepared;
        Ok(Slowed {
            machine,
            ground,
            delay_ms: self.delay_ms,
            connections: self.pressure.connections,
            ratio: Spread::of_ratios(&many_rates, &one_rates),
            too_quick,
            many: Side { per_second: Spread::of(many_rates), rounds: many },
            one: Side { per_second: Spread::of(one_rates), rounds: one },
        })
    }
}

impl Report for Slowed {
    fn text(&self) -> String {
        let heading =
            ["connections", "creates/s", "creates/s min..max", "p50 ms", "p99 ms", "max ms"];
        let row = |connections: usize, side: &Side| {
            let of = |times: fn(&Quantiles) -> u64| {
                let times = side.rounds.iter().map(|phase| times(&phase.figures.times) as f64);
                format!("{:.2}", Spread::of(times).median / 1_000.0)
            };
            vec![
                connections.to_string(),
                format!("{:.0}", side.per_second.median),
                side.per_second.ends(0),
                of(|times| times.p50_us),
                of(|times| times.p99_us),
                of(|times| times.max_us),
            ]
        };
        let rows = [row(self.connections, &self.many), row(1, &self.one)];
        let too_quick = match self.too_quick {
            0 => String::new(),
            rounds => {
                format!("ERROR rounds with creates that were quicker than a sync: {rounds}\n")
            }
        };
        format!(
            "{}\n{}{too_quick}ratio {:.1}, {}; {} rounds, {} ms more for each sync\n{}\n{}",
            report::table(&heading, rows.into_iter()),
            report::errors(self.many.rounds.iter().chain(&self.one.rounds)),
            self.ratio.median,
            self.ratio.ends(1),
            self.many.rounds.len(),
            self.delay_ms,
            self.ground.text(),
            self.machine.text()
        )
    }

    fn is_clean(&self) -> bool {
        let mut phases = self.many.rounds.iter().chain(&self.one.rounds);
        phases.all(Phase::is_clean) && self.too_quick == 0 && self.ground.events_missing == 0
    }
}
