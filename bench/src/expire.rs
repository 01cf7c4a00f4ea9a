//! Very many sessions that end in the same moment, while a gateway runs and is asked for others.

mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use greenwave_core::clock::whole_millis;
use jiff::Timestamp;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use self::watch::{Seen, Watch};
use crate::Failure;
use crate::connection::Connections;
use crate::fill::{self, Filled, Lasting, Plan};
use crate::job::Job;
use crate::machine::Machine;
use crate::open_loop;
use crate::place::Place;
use crate::report::{self, Report};
use crate::server::{Memory, Server};
use crate::tally::Figures;

/// How long before the end the gateway has to be ready.
const LEAD: Duration = Duration::from_secs(1);

/// How long before the end others are asked for, to see how long that takes when nothing ends.
const BEFORE: Duration = Duration::from_secs(5);

/// After its end a session is not asked for until then: the clocks may differ a little.
const CLOCK_ERROR: Duration = Duration::from_millis(50);

/// How often a session is asked for that has ended.
const LOOK_FOR_ENDED: Duration = Duration::from_millis(50);

/// How long a gateway takes for very many sessions that end in the same moment.
#[derive(Debug, Args)]
pub(crate) struct Expire {
    /// How many sessions end
    #[arg(long, value_name = "COUNT", default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    sessions: u32,

    /// How many others go on
    #[arg(long, value_name = "COUNT", default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    others: u32,

    /// How often one of the others is asked for each second
    #[arg(long, value_name = "COUNT", default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,

    /// How long after the beginning of this command they end; by default 20 s and 100 µs for each
    #[arg(long, value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    after: Option<u32>,

    /// To how many receivers the events go. None of them may be sent to, so that no network is
    /// measured along
    #[arg(long, value_name = "COUNT", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=65_536))]
    receivers: u32,

    /// How many connections there are
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    connections: usize,

    #[command(flatten)]
    place: Place,
}

/// What came of it. Times are from the moment at which the sessions end.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    machine: Machine,
    sessions: u32,
    others: u32,
    receivers: u32,
    /// How long it took to make them.
    fill_s: f64,
    /// From the start of the process until it was ready.
    ready_s: f64,
    /// Each has ended, and its event is committed.
    ended_s: Option<f64>,
    /// The network has no rule of theirs any more.
    released_s: Option<f64>,
    /// Each is history.
    history_s: Option<f64>,
    /// How many had ended, or had no rule any more, before their time.
    early: u64,
    /// How many rules the network had in the end. The others' are to be there.
    rules_left: usize,
    /// How often a session was asked for after its end, and was not there.
    gone: u64,
    /// The memory before, and the most that there was until the end.
    resident_bytes: u64,
    peak_bytes: u64,
    /// Others that were asked for before, and until all were history.
    gets_before: Figures,
    gets_meanwhile: Figures,
    /// What should not be, and how often it is.
    errors: BTreeMap<String, u64>,
}

impl Expire {
    /// Fills a directory, starts a gateway on it, and waits for the moment.
    pub(crate) async fn run(&self) -> Result<Measured, Failure> {
        let temp = self.place.directory()?;
        let machine = Machine::look(temp.path());
        let after = self.after.unwrap_or(20 + self.sessions / 10_000);
        let first = Duration::from_secs(after.into());
        let plan = Plan {
            sessions: self.sessions + self.others,
            began: whole_millis(Timestamp::now()),
            lasting: Lasting::Then { first, sessions: self.sessions },
            receivers: self.receivers,
        };
        let (began, end) = (Instant::now(), plan.began + first);
        let filled = Arc::new(fill::fill(temp.path(), plan).await?);
        let fill_s = began.elapsed().as_secs_f64();

        let began = Instant::now();
        let server = Server::quiet_gateway(None, temp.path())?;
        let ready_s = began.elapsed().as_secs_f64();
        let watch = Watch::begin(temp.path(), end, self.sessions, self.others)?;
        if left_until(end) < LEAD {
            let why = format!("the sessions end {after} s after the beginning: say --after more");
            return Err(Failure::new("they took too long to make", why));
        }
        let load = Load { expire: self, filled: &filled, server: &server };
        let gets_before = load.before(end).await?;
        let before = server.memory()?;
        let (seen, gets_meanwhile, gone) = load.meanwhile(watch, end).await?;
        let Memory { peak_bytes, .. } = server.memory()?;
        drop(server);

        let mut measured = Measured {
            machine,
            sessions: self.sessions,
            others: self.others,
            receivers: self.receivers,
            fill_s,
            ready_s,
            ended_s: seen.ended_s,
            released_s: seen.released_s,
            history_s: seen.history_s,
            early: seen.early,
            rules_left: seen.rules,
            gone: 0,
            resident_bytes: before.resident_bytes,
            peak_bytes,
            gets_before,
            gets_meanwhile,
            errors: BTreeMap::new(),
        };
        measured.note("session that is still shown after its end", gone.requests);
        for (why, count) in gone.errors {
            if why == "404" {
                measured.gone += count;
            } else {
                measured.note(&format!("get of an ended session: {why}"), count);
            }
        }
        for (what, count) in fill::check(temp.path(), &filled, end)? {
            measured.note(what, count);
        }
        Ok(measured)
    }
}

/// Who asks, and whom.
struct Load<'a> {
    expire: &'a Expire,
    filled: &'a Arc<Filled>,
    server: &'a Server,
}

impl Load<'_> {
    /// Asks for others until all of them end.
    async fn before(&self, end: Timestamp) -> Result<Figures, Failure> {
        tokio::time::sleep(left_until(end).saturating_sub(BEFORE)).await;
        let stop = CancellationToken::new();
        let asking = self.ask(self.others(), self.expire.tick(), &stop);
        let waiting = async {
            tokio::time::sleep(left_until(end)).await;
            stop.cancel();
        };
        tokio::join!(asking, waiting).0
    }

    /// Asks for others, and for those that have ended, until all is seen.
    async fn meanwhile(
        &self,
        watch: Watch,
        end: Timestamp,
    ) -> Result<(Seen, Figures, Figures), Failure> {
        let stop = CancellationToken::new();
        let _stopped_in_any_case = stop.clone().drop_guard();
        let watching = async {
            let seen = tokio::task::spawn_blocking(move || watch.follow()).await;
            stop.cancel();
            seen.map_err(|error| Failure::new("the watch broke", error))?
        };
        let asking = self.ask(self.others(), self.expire.tick(), &stop);
        let looking = async {
            tokio::time::sleep(left_until(end + CLOCK_ERROR)).await;
            self.ask(0..self.expire.sessions, LOOK_FOR_ENDED, &stop).await
        };
        tokio::try_join!(watching, asking, looking)
    }

    fn others(&self) -> std::ops::Range<u32> {
        let first = self.expire.sessions;
        first..first + self.expire.others
    }

    /// Asks for any of these until it is to stop.
    async fn ask(
        &self,
        numbers: std::ops::Range<u32>,
        tick: Duration,
        stop: &CancellationToken,
    ) -> Result<Figures, Failure> {
        let connections = Connections::new(&self.server.target, self.expire.connections);
        let (filled, stop) = (Arc::clone(self.filled), stop.clone());
        let any = move || filled.session(fastrand::u32(numbers.clone()));
        let sessions = std::iter::repeat_with(any).take_while(move |_| !stop.is_cancelled());
        let sent = open_loop::send(Arc::new(connections), Job::Get, sessions, tick).await?;
        Ok(sent.tally.figures())
    }
}

impl Expire {
    fn tick(&self) -> Duration {
        Duration::from_secs(1) / self.rate
    }
}

/// How long it is until then, by the wall clock.
fn left_until(at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default()
}

impl Measured {
    fn note(&mut self, what: &str, count: u64) {
        if count > 0 {
            *self.errors.entry(what.to_owned()).or_default() += count;
        }
    }
}

impl Report for Measured {
    fn text(&self) -> String {
        let times = [
            ("all ended, events committed", self.ended_s),
            ("no rule of theirs left", self.released_s),
            ("all are history", self.history_s),
        ];
        let times = times.map(|(what, after_s)| {
            let after = after_s.map_or_else(|| "never".to_owned(), |after| format!("{after:.2}"));
            vec![what.to_owned(), after]
        });
        let gets = [("before", &self.gets_before), ("meanwhile", &self.gets_meanwhile)];
        let heading =
            ["get of others", "answers", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"];
        let faults = gets.iter().flat_map(|(_, figures)| &figures.errors);
        let faults = report::faults(faults.chain(&self.errors));
        let gets = gets.map(|(when, figures)| {
            let mut row = vec![when.to_owned(), figures.requests.to_string()];
            row.extend(figures.times.in_ms());
            row
        });
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        format!(
            "{}\n\n{}\n{faults}{} sessions, {} early; {} asked for after their end were gone; \
             {} rules left, of {} others\n\
             RSS {:.0} MiB before, {:.0} MiB at most; filled in {:.1} s, ready in {:.2} s; \
             {} receivers\n{}",
            report::table(&["after the end", "s"], times.into_iter()),
            report::table(&heading, gets.into_iter()),
            self.sessions,
            self.early,
            self.gone,
            self.rules_left,
            self.others,
            mib(self.resident_bytes),
            mib(self.peak_bytes),
            self.fill_s,
            self.ready_s,
            self.receivers,
            self.machine.text()
        )
    }

    fn is_clean(&self) -> bool {
        let over = [self.ended_s, self.released_s, self.history_s].iter().all(Option::is_some);
        let gets = [&self.gets_before, &self.gets_meanwhile];
        let answered = gets.iter().all(|gets| gets.requests > 0 && gets.errors.is_empty());
        let left = self.rules_left == self.others as usize;
        over && answered && left && self.early == 0 && self.errors.is_empty()
    }
}
