//! A gateway that comes back after sessions have run out without it.
//!
//! The data directory is filled on a clock that stands still, some time ago. So when the gateway
//! starts, on the machine's clock, all of the sessions are over and nobody has seen to any of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use greenwave_core::clock::whole_millis;
use greenwave_ledger::Storage;
use jiff::Timestamp;
use serde::Serialize;

use crate::connection::Connection;
use crate::fill::{self, Lasting, Plan};
use crate::machine::Machine;
use crate::place::Place;
use crate::rules::Rules;
use crate::server::{self, Target};
use crate::{Failure, own_gateway};

/// How long everything may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often it is looked how far the gateway is.
const LOOK: Duration = Duration::from_millis(20);

/// A gateway that comes back after sessions have run out without it.
#[derive(Debug, Args)]
pub(crate) struct Outage {
    /// How many sessions there are
    #[arg(long, value_name = "COUNT", default_value_t = 100_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    sessions: u32,

    /// For how long there is no gateway: sessions last from a second to so long
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600,
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    down: u32,

    /// To how many receivers the events go. None of them may be sent to, so that no network is
    /// measured along
    #[arg(long, value_name = "COUNT", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=65_536))]
    receivers: u32,

    #[command(flatten)]
    place: Place,
}

/// What came of it. Times are from the start of the gateway.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) machine: Machine,
    pub(crate) sessions: u32,
    pub(crate) down_s: u32,
    pub(crate) receivers: u32,
    /// How long it took to fill the directory.
    pub(crate) fill_s: f64,
    /// `/readyz` says yes.
    pub(crate) ready_s: Option<f64>,
    /// No session is requested or available any more.
    pub(crate) ended_s: Option<f64>,
    /// The network has no rule any more.
    pub(crate) rules_gone_s: Option<f64>,
    /// Every event is delivered, or given up.
    pub(crate) settled_s: Option<f64>,
    /// The processor time until then, of all of it.
    pub(crate) cpu_s: f64,
    /// What should not be, and how often it is.
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Outage {
    /// Fills a directory, lets time pass, and starts a gateway on it.
    pub(crate) async fn run(&self) -> Result<Measured, Failure> {
        let temp = self.place.directory()?;
        let directory = temp.path();
        let machine = Machine::look(directory);
        let began = Instant::now();
        let down = Duration::from_secs(self.down.into());
        let plan = Plan {
            sessions: self.sessions,
            began: whole_millis(Timestamp::now()) - down,
            lasting: Lasting::UpTo { seconds: self.down },
            receivers: self.receivers,
        };
        let filled = fill::fill(directory, plan).await?;
        let fill_s = began.elapsed().as_secs_f64();

        let rules = Rules::open(directory).map_err(|error| Failure::new("no rules", error))?;
        let mut measured = Measured {
            machine,
            sessions: self.sessions,
            down_s: self.down,
            receivers: self.receivers,
            fill_s,
            ready_s: None,
            ended_s: None,
            rules_gone_s: None,
            settled_s: None,
            cpu_s: 0.0,
            errors: BTreeMap::new(),
        };
        if rules.count() != self.sessions as usize {
            measured.note("rules before the outage that are too many or too few", 1);
        }
        let before = server::cpu(std::process::id())?;
        measured.come_back(directory, rules).await?;
        measured.cpu_s = (server::cpu(std::process::id())?.saturating_sub(before)).as_secs_f64();
        for (what, count) in fill::check(directory, &filled, plan.began + down)? {
            measured.note(what, count);
        }
        Ok(measured)
    }
}

impl Measured {
    /// Starts the gateway, and notes how long what takes.
    async fn come_back(&mut self, directory: &Path, mut rules: Rules) -> Result<(), Failure> {
        let database = fill::open(directory)?;
        let is_none = |sql: &str| {
            let found = database.query_row(sql, [], |row| row.get::<_, bool>(0));
            found.map(|found| !found).map_err(|error| Failure::new("cannot read the ledger", error))
        };
        let began = Instant::now();
        let gateway = own_gateway::start(directory, Storage::default()).await?;
        let target = Arc::new(Target::of(gateway.sandbox().to_file())?);
        let mut connection = Connection::new(&target);
        while !self.is_over() && began.elapsed() < PATIENCE {
            if self.ready_s.is_none() && connection.is_ready().await {
                self.ready_s = Some(began.elapsed().as_secs_f64());
            }
            rules.look().map_err(|error| Failure::new("cannot follow the rules", error))?;
            if self.rules_gone_s.is_none() && rules.count() == 0 {
                self.rules_gone_s = Some(began.elapsed().as_secs_f64());
            }
            if self.ended_s.is_none()
                && is_none("SELECT EXISTS (SELECT 1 FROM live WHERE phase IN (1, 2))")?
            {
                self.ended_s = Some(began.elapsed().as_secs_f64());
            }
            if self.ended_s.is_some() && is_none("SELECT EXISTS (SELECT 1 FROM outbox)")? {
                self.settled_s = Some(began.elapsed().as_secs_f64());
            }
            tokio::time::sleep(LOOK).await;
        }
        drop(connection);
        gateway.stop().await;
        Ok(())
    }

    /// Whether everything came to its end.
    pub(crate) fn is_over(&self) -> bool {
        self.ready_s.is_some() && self.rules_gone_s.is_some() && self.settled_s.is_some()
    }

    fn note(&mut self, what: &str, count: u64) {
        if count > 0 {
            *self.errors.entry(what.to_owned()).or_default() += count;
        }
    }
}
