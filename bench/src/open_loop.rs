//! Creates on a schedule that waits for nobody: a request's time is counted from when it was due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Failure;
use crate::connection::Connections;
use crate::job::{Job, Session};
use crate::tally::Tally;

/// How many creates may be under way. What is due beyond them is an error.
const MOST_UNDER_WAY: usize = 10_000;

/// What came of it.
pub(crate) struct Created {
    /// The ids of the sessions.
    pub(crate) ids: Vec<String>,
    /// How long it took, and what went wrong.
    pub(crate) tally: Tally,
}

/// The answer to one create, and how long it took.
type One = (Result<String, String>, Duration);

/// Creates these sessions, one each `tick`, for as long as there are any.
pub(crate) async fn create(
    connections: Arc<Connections>,
    sessions: impl Iterator<Item = Session>,
    tick: Duration,
) -> Result<Created, Failure> {
    let mut created = Created { ids: Vec::new(), tally: Tally::new()? };
    let mut under_way = JoinSet::new();
    let mut due = Instant::now();
    for session in sessions {
        tokio::time::sleep_until(due.into()).await;
        while let Some(Ok(one)) = under_way.try_join_next() {
            created.count(one);
        }
        if under_way.len() < MOST_UNDER_WAY {
            under_way.spawn(one(Arc::clone(&connections), session, due));
        } else {
            created.tally.failed("too many under way".to_owned());
        }
        due += tick;
    }
    while let Some(one) = under_way.join_next().await {
        created.count(one.map_err(|error| Failure::new("a create's work broke", error))?);
    }
    Ok(created)
}

async fn one(connections: Arc<Connections>, session: Session, due: Instant) -> One {
    let answer = connections.perform(Job::Create, &session).await;
    let id = answer.and_then(|answer| Ok(answer.made().ok_or("no session")?.to_owned()));
    (id, due.elapsed())
}

impl Created {
    fn count(&mut self, (id, took): One) {
        match id {
            Ok(id) => {
                self.tally.answered(took, 0);
                self.ids.push(id);
            }
            Err(why) => self.tally.failed(why),
        }
    }
}
