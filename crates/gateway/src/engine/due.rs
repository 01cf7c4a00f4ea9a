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

/// How many are taken from the agenda at a time, to be attended to in the order in which they lie
/// in the ledger: of a million that end in one second, neighbours share the pages to be written.
const TAKEN: usize = 1 << 20;

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
                attend_to(&engine, sessions).await;
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

/// Attends to sessions that are due. What comes due meanwhile waits behind a part of them only.
async fn attend_to(engine: &Engine, mut sessions: Vec<SessionId>) {
    if sessions.len() > AT_ONCE {
        engine.parts.ledger.arrange(&mut sessions);
    }
    let due = |session| Command::Due { session };
    for sessions in sessions.chunks(AT_ONCE) {
        submit_all(engine, sessions.iter().copied().map(due).collect()).await;
        let more = engine.sessions.due_already(engine.parts.timer.now(), AT_ONCE);
        if !more.is_empty() {
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
    for (session, result) in sessions.into_iter().zip(results) {
        match result {
            Ok(_) => {}
            Err(TransactError::Ledger(error)) => {
                tracing::error!(%error, "cannot attend to a session: trying again");
                engine.sessions.set(session, Some(engine.parts.timer.now() + PAUSE));
            }
            // A session that is unknown has become history since.
            Err(_) => {}
        }
    }
}
