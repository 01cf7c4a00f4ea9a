//! How far a gateway is with sessions that end, seen from outside and so that it costs nobody
//! anything: the ends of tables that only grow, and the network's file as it grows.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use crate::Failure;
use crate::fill;
use crate::rules::Rules;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);

/// How long everything may take, from the moment at which the sessions end.
const PATIENCE: Duration = Duration::from_secs(600);

/// See the module.
pub(super) struct Watch {
    database: Connection,
    rules: Rules,
    end: Timestamp,
    sessions: u64,
    others: usize,
    /// The last keys that were given out before.
    outbox: i64,
    deliveries: i64,
    seen: Seen,
}

/// What was seen. Times are from the moment at which the sessions end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) ended_s: Option<f64>,
    pub(super) released_s: Option<f64>,
    pub(super) history_s: Option<f64>,
    /// How many had ended, or had no rule any more, before their time.
    pub(super) early: u64,
    /// How many rules the network had in the end.
    pub(super) rules: usize,
}

impl Watch {
    /// Begins while none of them has ended.
    pub(super) fn begin(
        directory: &Path,
        end: Timestamp,
        sessions: u32,
        others: u32,
    ) -> Result<Self, Failure> {
        let database = fill::open(directory)?;
        let rules = Rules::open(directory).map_err(no_rules)?;
        let (outbox, deliveries) =
            (last_key(&database, "outbox")?, last_key(&database, "deliveries")?);
        let (sessions, others) = (sessions.into(), others as usize);
        let seen = Seen::default();
        Ok(Self { database, rules, end, sessions, others, outbox, deliveries, seen })
    }

    /// Looks until all are history, or should be.
    pub(super) fn follow(mut self) -> Result<Seen, Failure> {
        let patience = self.end + PATIENCE;
        while self.seen.history_s.is_none() && Timestamp::now() < patience {
            self.look()?;
            std::thread::sleep(LOOK);
        }
        self.seen.rules = self.rules.count();
        Ok(self.seen)
    }

    fn look(&mut self) -> Result<(), Failure> {
        let ended = self.events()?;
        self.rules.look().map_err(no_rules)?;
        let released = (self.sessions as usize + self.others).saturating_sub(self.rules.count());
        // The later of the two: a look that takes long is no reason to take anything for early.
        let after = Timestamp::now().duration_since(self.end).as_secs_f64();
        if after < 0.0 {
            self.seen.early = self.seen.early.max(ended).max(released as u64);
            return Ok(());
        }
        if ended >= self.sessions {
            self.seen.ended_s.get_or_insert(after);
        }
        if released as u64 >= self.sessions {
            self.seen.released_s.get_or_insert(after);
        }
        if self.seen.ended_s.is_some()
            && self.seen.released_s.is_some()
            && self.only_others_live()?
        {
            self.seen.history_s.get_or_insert(after);
        }
        Ok(())
    }

    /// How many events were written since the beginning. Keys are given out in order, and what has
    /// left the outbox before it was seen there is where it goes from there.
    fn events(&self) -> Result<u64, Failure> {
        let outbox = last_key(&self.database, "outbox")? - self.outbox;
        let deliveries = last_key(&self.database, "deliveries")? - self.deliveries;
        Ok(u64::try_from(outbox.max(deliveries)).unwrap_or(0))
    }

    /// Whether only the others are live.
    fn only_others_live(&self) -> Result<bool, Failure> {
        let count = self.database.query_row("SELECT count(*) FROM live", [], |row| row.get(0));
        let count: i64 = count.map_err(unreadable)?;
        Ok(usize::try_from(count).is_ok_and(|count| count <= self.others))
    }
}

fn last_key(database: &Connection, table: &str) -> Result<i64, Failure> {
    let sql = format!("SELECT ifnull(max(row), 0) FROM {table}");
    database.query_row(&sql, [], |row| row.get(0)).map_err(unreadable)
}

fn unreadable(error: rusqlite::Error) -> Failure {
    Failure::new("cannot read the ledger", error)
}

fn no_rules(error: std::io::Error) -> Failure {
    Failure::new("cannot follow the network's rules", error)
}
