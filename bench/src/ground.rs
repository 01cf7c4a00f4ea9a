//! What a gateway is measured on: a directory in which sessions live already, and somebody to be
//! told of new ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use greenwave_core::clock::whole_millis;
use jiff::Timestamp;
use serde::Serialize;
use tempfile::TempDir;

use crate::Failure;
use crate::fill::{self, Filled, Lasting, Plan};
use crate::machine::Machine;
use crate::place::Place;
use crate::pool::Pool;
use crate::server::Server;
use crate::sinks::{self, Manner};

/// What it is to be.
#[derive(Clone, Debug, Args)]
pub(crate) struct Ground {
    /// How many sessions live there already, for a day
    #[arg(long, value_name = "COUNT", default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    live: u32,

    /// Have receivers on loopback told of new sessions, so that events are written
    #[arg(long, value_name = "MANNER", num_args = 0..=1, require_equals = true,
        default_missing_value = "prompt")]
    sink: Option<Manner>,

    #[command(flatten)]
    place: Place,
}

/// What it is.
pub(crate) struct Prepared {
    pub(crate) machine: Machine,
    pub(crate) filled: Option<Arc<Filled>>,
    pub(crate) state: State,
    directory: TempDir,
    sinks: Vec<Arc<str>>,
}

/// What of it is told.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct State {
    /// How many sessions lived there already.
    pub(crate) live: u32,
    /// How long it took to make them.
    pub(crate) fill_s: f64,
    /// What those do who are told of new sessions, if anybody is.
    pub(crate) sink: Option<Manner>,
    /// How many events the tables had in the end.
    pub(crate) events: u64,
    /// How many there should have been beside them, at the least.
    pub(crate) events_missing: u64,
}

impl Ground {
    /// Makes it so.
    pub(crate) async fn prepare(&self) -> Result<Prepared, Failure> {
        let directory = self.place.directory()?;
        let machine = Machine::look(directory.path());
        let began = Instant::now();
        let mut filled = None;
        if self.live > 0 {
            let plan = Plan {
                sessions: self.live,
                began: whole_millis(Timestamp::now()),
                lasting: Lasting::Long,
                receivers: 0,
            };
            filled = Some(Arc::new(fill::fill(&directory.path().join("data"), plan).await?));
        }
        let fill_s = began.elapsed().as_secs_f64();
        let sinks = match self.sink {
            Some(manner) => sinks::start(manner).await?,
            None => Vec::new(),
        };
        let state =
            State { live: self.live, fill_s, sink: self.sink, events: 0, events_missing: 0 };
        Ok(Prepared { machine, filled, state, directory, sinks })
    }
}

impl Prepared {
    /// For what else is kept for the time.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The gateway's data directory. It is not there if nothing lives in it yet.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts a gateway on it, of another build if there is one.
    pub(crate) fn gateway(&self, binary: Option<&Path>) -> Result<Server, Failure> {
        match self.state.sink {
            Some(Manner::Silent) => Server::quiet_gateway(binary, &self.data()),
            _ => Server::gateway(binary, &self.data()),
        }
    }

    /// A pool of sessions that is like this.
    pub(crate) fn pool(&self, first_device: u64) -> Pool {
        Pool::new(first_device).telling(self.sinks.clone())
    }

    /// Counts the events that were written of so many creates. Each of them has been granted, so
    /// there is one of each at least.
    pub(crate) fn count_events(&mut self, creates: u64) -> Result<(), Failure> {
        if self.sinks.is_empty() {
            return Ok(());
        }
        let count = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM deliveries)";
        let count = fill::open(&self.data())?.query_row(count, [], |row| row.get::<_, i64>(0));
        let count = count.map_err(|error| Failure::new("cannot read the ledger", error))?;
        self.state.events = count.unsigned_abs();
        self.state.events_missing = creates.saturating_sub(self.state.events);
        Ok(())
    }
}

impl State {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let told = match self.sink {
            None => String::new(),
            Some(Manner::Prompt) => format!(", {} events, delivered at once", self.events),
            Some(Manner::Silent) => format!(", {} events, none of them answered", self.events),
        };
        let missing = match self.events_missing {
            0 => String::new(),
            missing => format!("ERROR events that are missing: {missing}\n"),
        };
        let made_s = self.fill_s;
        format!("{missing}{} sessions lived there already (made in {made_s:.1} s){told}", self.live)
    }
}
