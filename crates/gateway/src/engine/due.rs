//! What time brings about: expiries, further tries, sessions that are no longer to be shown.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use greenwave_core::{Command, SessionId, Standing};
use greenwave_crashpoint::{Point, reached};
use greenwave_ledger::TransactError;

use super::{Due, Engine};

/// How many sessions are attended to at a time: enough to share a commit, few enough not to hold
/// up requests that come in between.
const AT_ONCE: usize = 256;

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
        match engine.sessions.due(&*timer, AT_ONCE).await {
            Due::Now(sessions) => {
                reached(Point::EngineDue);
                let commands = sessions.into_iter().map(|session| Command::Due { session });
                submit_all(&engine, commands).await;
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

/// Tries what the network owes at once, rather than when the tries that were lost would have timed
/// out.
async fn resume(engine: &Engine) {
    match engine.parts.ledger.standing_as(&OWING).await {
        Ok(owing) => {
            for sessions in owing.chunks(AT_ONCE) {
                let commands = sessions.iter().map(|&session| Command::Resume { session });
                submit_all(engine, commands).await;
            }
        }
        Err(error) => tracing::error!(%error, "cannot look up what is owed: it comes due later"),
    }
}

async fn submit_all(engine: &Engine, commands: impl Iterator<Item = Command>) {
    join_all(commands.map(|command| submit(engine, command))).await;
}

async fn submit(engine: &Engine, command: Command) {
    let session: Option<SessionId> = command.session();
    match engine.submit(command).await {
        // A session that is unknown has become history since.
        Ok(_) | Err(TransactError::Refused(_) | TransactError::Renamed) => {}
        Err(TransactError::Ledger(error)) => {
            tracing::error!(%error, "cannot attend to a session: trying again");
            if let Some(session) = session {
                engine.sessions.set(session, Some(engine.parts.timer.now() + PAUSE));
            }
        }
    }
}
