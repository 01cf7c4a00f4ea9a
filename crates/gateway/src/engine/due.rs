//! What time brings about: expiries, further tries, sessions that are no longer to be shown.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::{Buckets, Command, SessionId, Standing};
use greenwave_crashpoint::{Point, reached};
use greenwave_ledger::TransactError;

use super::{Due, Engine};

/// How many sessions are attended to at a time: enough to share a commit, few enough not to hold
/// up requests that come in between.
const AT_ONCE: usize = 512;

/// How many are attended to in the order in which they lie in the ledger: of a million that end in
/// one second, neighbours share the pages to be written.
const ARRANGED: usize = 1 << 20;

/// How many are taken from the agenda at a stretch: who commits waits meanwhile.
const TAKEN: usize = 4_096;

/// How many portions of what comes due meanwhile are attended to between two of what was due
/// before.
const PORTIONS_BETWEEN: usize = 4;

/// The standings in which the network owes something.
const OWING: [Standing; 4] =
    [Standing::Requested, Standing::Lost, Standing::Leaving, Standing::Orphan];

/// How long to wait when the ledger cannot answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes up what was under way when the gateway stopped, and then attends to every deadline as it
/// comes, for as long as it is run.
pub(super) async fn attend(engine: Arc<Engine>) {
    reached(Point::EngineBeforeResume);
    resume(&engine).await;
    reached(Point::EngineResumed);
    let timer = Arc::clone(&engine.parts.timer);
    loop {
        match engine.sessions.due(&*timer, TAKEN).await {
            Due::Now(sessions) => {
                reached(Point::EngineDue);
                attend_to(&engine, all_due(&engine, sessions)).await;
            }
            Due::Refill { before } => match engine.parts.ledger.deadlines(before).await {
                Ok(found) => engine.sessions.refill(found),
                Err(error) => {
                    tracing::error!(%error, "cannot look up what is due: trying again");
                    engine.sessions.refill_again_at(timer.now() + PAUSE);
                }
            },
        }
    }
}

/// What is due, a part of which was taken already.
fn all_due(engine: &Engine, mut sessions: Vec<SessionId>) -> Vec<SessionId> {
    let now = engine.parts.timer.now();
    while sessions.len() < ARRANGED {
        let more = engine.sessions.due_already(now, TAKEN);
        if more.is_empty() {
            break;
        }
        sessions.extend(more);
    }
    sessions
}

/// Attends to sessions that are due. What comes due meanwhile does not wait for all of them, unless
/// it is several times as many.
async fn attend_to(engine: &Engine, mut sessions: Vec<SessionId>) {
    if sessions.len() > AT_ONCE {
        engine.parts.ledger.arrange(&mut sessions);
    }
    let due = |session| Command::Due { session };
    for sessions in sessions.chunks(AT_ONCE) {
        submit_all(engine, sessions.iter().copied().map(due).collect()).await;
        for _ in 0..PORTIONS_BETWEEN {
            let more = engine.sessions.due_already(engine.parts.timer.now(), AT_ONCE);
            if more.is_empty() {
                break;
            }
            submit_all(engine, more.into_iter().map(due).collect()).await;
        }
    }
}

/// Tries what the network owes at once, rather than when the tries that were lost would have timed
/// out.
async fn resume(engine: &Engine) {
    match engine.parts.ledger.standing_as(&OWING, Buckets::ALL).await {
        Ok(owing) => {
            for sessions in owing.chunks(AT_ONCE) {
                let resume = |&session| Command::Resume { session };
                submit_all(engine, sessions.iter().map(resume).collect()).await;
            }
        }
        Err(error) => tracing::error!(%error, "cannot look up what is owed: it comes due later"),
    }
}

async fn submit_all(engine: &Engine, commands: Vec<Command>) {
    let sessions: Vec<SessionId> = commands.iter().map(Command::session).collect();
    let results = engine.submit_all(commands).await;
    let mut failed = None;
    for (session, result) in sessions.into_iter().zip(results) {
        match result {
            Ok(_) => {}
            Err(TransactError::Ledger(error)) => {
                engine.sessions.set(session, Some(engine.parts.timer.now() + PAUSE));
                failed = Some(error);
            }
            // A session that is unknown has become history since.
            Err(_) => {}
        }
    }
    if let Some(error) = failed {
        tracing::error!(%error, "cannot attend to what is due: trying again");
    }
}
