//! A workload that is the same for the same seed, though two threads take part in it.
//!
//! Commands are given while the ledger's thread is in the middle of a commit, by that thread
//! itself, from the disk's watcher: so they wait together, and the next batch is theirs. Only when
//! nothing is left to be answered does the test's own thread give one.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fastrand::Rng;
use greenwave_core::decide::NetworkReport;
use greenwave_core::{Command, RuleSetId, Session, SessionId};
use greenwave_ledger::{
    Committed, Ledger, LedgerError, OutboxId, Outcome, Registry, Settlement, SqliteLedger,
    TransactError,
};

use crate::fixture::{
    APPLICATION, ManualClock, asked, at, create_for, delete, device, id, names, network,
};
use crate::life::Plan;

/// Devices that sessions are for.
const DEVICES: u8 = 12;

enum Answer {
    /// With the number of the command: they are carried out in the order in which they are given.
    Transacted(u64, Box<Result<Committed, TransactError>>),
    /// `None` is a row that is still to be settled.
    Settled(Option<OutboxId>, Result<(), LedgerError>),
    Named(Result<(), LedgerError>),
}

type Waiting = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What was said of a session, the latest last: when it was, and what it became. `None` is history.
pub(crate) type Story = Vec<(u64, Option<Session>)>;

pub(crate) struct Workload {
    chance: Rng,
    ledger: Arc<SqliteLedger>,
    clock: Arc<ManualClock>,
    seconds: i64,
    waiting: Vec<Waiting>,
    /// How many commands are still to be given, and how many were.
    left: usize,
    given: u64,
    waker: Waker,
    sessions: Vec<SessionId>,
    next_session: u32,
    outbox: Vec<OutboxId>,
    /// All that was acknowledged.
    pub(crate) told: Told,
    pub(crate) stories: HashMap<SessionId, Story>,
    /// What should not have been answered.
    pub(crate) failures: Vec<String>,
}

/// What the applications have been told so far, and may rely on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// How many answers there were, whatever they said.
    pub(crate) answers: usize,
    /// The last that was said of each session.
    pub(crate) sessions: HashMap<SessionId, u64>,
    /// Notifications that are over with.
    pub(crate) settled: Vec<OutboxId>,
}

impl Workload {
    pub(crate) fn new(
        plan: &Plan,
        ledger: Arc<SqliteLedger>,
        clock: Arc<ManualClock>,
        waker: Waker,
    ) -> Self {
        Self {
            chance: Rng::with_seed(plan.seed),
            ledger,
            clock,
            seconds: 0,
            waiting: Vec::new(),
            left: plan.commands,
            given: 0,
            waker,
            sessions: Vec::new(),
            next_session: plan.first_session,
            outbox: Vec::new(),
            told: Told::default(),
            stories: HashMap::new(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.seconds
    }

    /// What was told of each session, and the number of the next one.
    pub(crate) fn into_stories(self) -> (HashMap<SessionId, Story>, u32) {
        (self.stories, self.next_session)
    }

    /// Hears what has been answered.
    pub(crate) fn listen(&mut self) {
        for mut waiting in std::mem::take(&mut self.waiting) {
            match waiting.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                Poll::Ready(answer) => self.hear(answer),
                Poll::Pending => self.waiting.push(waiting),
            }
        }
    }

    /// Gives some commands, or none, while others are under way.
    pub(crate) fn give_some(&mut self) {
        if self.chance.u8(0..6) == 0 {
            for _ in 0..self.chance.u8(1..12) {
                self.give();
            }
        }
    }

    /// Sees to it that there is something to be answered. `false` once all is done.
    pub(crate) fn keep_going(&mut self) -> bool {
        self.listen();
        while self.waiting.is_empty() && self.left > 0 {
            self.give();
        }
        !self.waiting.is_empty()
    }

    fn give(&mut self) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        self.seconds += self.chance.i64(0..3);
        self.clock.set(self.seconds);
        let mut waiting = self.draw();
        match waiting.as_mut().poll(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(answer) => self.hear(answer),
            Poll::Pending => self.waiting.push(waiting),
        }
    }

    fn draw(&mut self) -> Waiting {
        let ledger = Arc::clone(&self.ledger);
        match self.chance.u8(0..100) {
            0..2 => {
                let name = format!("shop {}", self.chance.u8(..));
                Box::pin(async move { Answer::Named(ledger.application(name).await.map(drop)) })
            }
            2..22 if !self.outbox.is_empty() => {
                let row = self.outbox.swap_remove(self.chance.usize(..self.outbox.len()));
                let settlement = self.settlement(row);
                let done = matches!(settlement, Settlement::Done { .. }).then_some(row);
                Box::pin(async move { Answer::Settled(done, ledger.settle(row, settlement).await) })
            }
            _ => {
                let command = self.command();
                self.given += 1;
                let number = self.given;
                Box::pin(async move {
                    Answer::Transacted(number, Box::new(ledger.transact(command).await))
                })
            }
        }
    }

    fn settlement(&mut self, row: OutboxId) -> Settlement {
        if self.chance.u8(0..3) == 0 {
            self.outbox.push(row);
            return Settlement::Retry { next_at: at(self.seconds + 30) };
        }
        Settlement::Done { outcome: Outcome::Delivered, note: "204".to_owned() }
    }

    fn command(&mut self) -> Command {
        let known = self.chance.choice(&self.sessions).copied();
        match (known, self.chance.u8(0..100)) {
            (None, _) | (_, 0..35) => self.create(),
            (Some(session), 35..45) => Command::Extend {
                session,
                application: APPLICATION,
                rules: RuleSetId::NokiaV0,
                by: Duration::from_secs(30),
                overall_at_most: Duration::MAX,
            },
            (Some(session), 45..55) => delete(session, APPLICATION),
            (Some(session), 55..65) => Command::Due { session },
            (Some(session), report) => network(
                session,
                match report {
                    65..80 => NetworkReport::Granted,
                    80..92 => NetworkReport::Released,
                    92..96 => NetworkReport::Ended,
                    _ => NetworkReport::Refused,
                },
            ),
        }
    }

    fn create(&mut self) -> Command {
        let named = self.chance.u8(1..=DEVICES);
        // Now and then under a second name, which becomes an alias.
        let others = if self.chance.bool() { vec![] } else { vec![self.chance.u8(100..)] };
        let device = device(named);
        let number = self.next_session;
        self.next_session += 1;
        self.sessions.push(id(number, device));
        let asked = asked(&format!("203.0.113.{}", self.chance.u8(..)));
        create_for(number, APPLICATION, names(&[named], &others), device, asked)
    }

    fn hear(&mut self, answer: Answer) {
        self.told.answers += 1;
        match answer {
            Answer::Transacted(number, result) => match *result {
                Ok(committed) => self.hear_committed(number, committed),
                Err(TransactError::Refused(_)) => {}
                Err(error) => self.failures.push(error.to_string()),
            },
            Answer::Settled(done, Ok(())) => self.told.settled.extend(done),
            Answer::Settled(_, Err(error)) | Answer::Named(Err(error)) => {
                self.failures.push(error.to_string());
            }
            Answer::Named(Ok(())) => {}
        }
    }

    fn hear_committed(&mut self, number: u64, committed: Committed) {
        self.outbox.extend(committed.outbox);
        let Some(session) = committed.changes.session else { return };
        let last = self.told.sessions.entry(session.id).or_default();
        *last = number.max(*last);
        let became = (!committed.changes.retired).then_some(session.clone());
        let story = self.stories.entry(session.id).or_default();
        story.push((number, became));
        story.sort_by_key(|(number, _)| *number);
    }
}
