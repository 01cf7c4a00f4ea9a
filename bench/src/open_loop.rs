//! Requests on a schedule that waits for nobody: a request's time is counted from when it was due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Failure;
use crate::connection::Connections;
use crate::job::{Job, Session};
use crate::tally::Tally;

/// How many requests may be under way. What is due beyond them is an error.
const MOST_UNDER_WAY: usize = 10_000;

/// What came of it.
pub(crate) struct Sent {
    /// The ids of the sessions that were created.
    pub(crate) ids: Vec<String>,
    /// How long it took, and what went wrong.
    pub(crate) tally: Tally,
}

/// What came of one request, with the id of what it has created, and how long it took.
type One = (Result<Option<String>, String>, Duration);

/// Does a job for these sessions, one each `tick`, for as long as there are any.
pub(crate) async fn send(
    connections: Arc<Connections>,
    job: Job,
    sessions: impl Iterator<Item = Session> + Send + 'static,
    tick: Duration,
) -> Result<Sent, Failure> {
    let mut sent = Sent { ids: Vec::new(), tally: Tally::new()? };
    // A thread of its own: the runtime's timer may be a millisecond late.
    let pacing = tokio::task::spawn_blocking(move || {
        let mut under_way = JoinSet::new();
        let mut due = Instant::now();
        for session in sessions {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            while let Some(Ok(one)) = under_way.try_join_next() {
                sent.count(one);
            }
            if under_way.len() < MOST_UNDER_WAY {
                under_way.spawn(one(Arc::clone(&connections), job, session, due));
            } else {
                sent.tally.failed("too many under way".to_owned());
            }
            due += tick;
        }
        (sent, under_way)
    });
    let broke = |error| Failure::new("a request's work broke", error);
    let (mut sent, mut under_way) = pacing.await.map_err(broke)?;
    while let Some(one) = under_way.join_next().await {
        sent.count(one.map_err(broke)?);
    }
    Ok(sent)
}

async fn one(connections: Arc<Connections>, job: Job, session: Session, due: Instant) -> One {
    let answer = connections.perform(job, &session).await;
    let created = answer.map(|answer| {
        let id = if job == Job::Create { answer.made() } else { None };
        id.map(str::to_owned)
    });
    (created, due.elapsed())
}

impl Sent {
    fn count(&mut self, (created, took): One) {
        match created {
            Ok(id) => {
                self.tally.answered(took, 0);
                self.ids.extend(id);
            }
            Err(why) => self.tally.failed(why),
        }
    }
}
