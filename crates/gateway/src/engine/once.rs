//! What an application may ask for again without having it twice: its request named a key.

use std::time::Duration;

use greenwave_core::{Command, CreateRequest, Refusal, RuleSet, SessionId};
use greenwave_ledger::{Once, Performed, Reply, TransactError};
use greenwave_wire::SinkCredential;

use super::requests::RENAMES;
use super::{Asker, Engine, EngineError};

/// What is answered to a request that named a key.
#[derive(Clone, Debug)]
pub struct Replied {
    /// What is answered.
    pub reply: Reply,
    /// Whether it was answered before.
    pub again: bool,
}

impl Engine {
    /// Makes a session, or replies what was replied when it was made. The reply is looked for
    /// first: since then the device may have become unknown, and the ledger busy or full.
    pub async fn create_once(
        &self,
        rules: &'static RuleSet,
        request: CreateRequest,
        credential: Option<SinkCredential>,
        once: Once,
    ) -> Result<Replied, EngineError> {
        if let Some(performed) = self.parts.ledger.recall(&once).await? {
            return replied(performed);
        }
        for _ in 0..RENAMES {
            let credential = credential.as_ref();
            let create = self.to_create(once.application, rules, &request, credential).await?;
            match self.submit_once(create, once.clone()).await {
                Err(TransactError::Renamed) => {}
                result => return replied(result?),
            }
        }
        Err(EngineError::Unsettled)
    }

    /// Makes a session last longer, or replies what was replied when it was.
    pub async fn extend_once(
        &self,
        asker: Asker<'_>,
        rules: &'static RuleSet,
        session: SessionId,
        by: Duration,
        once: Once,
    ) -> Result<Replied, EngineError> {
        if let Some(performed) = self.parts.ledger.recall(&once).await? {
            return replied(performed);
        }
        let command = self.to_extend(asker, rules, session, by).await?;
        replied(self.submit_once(command, once).await?)
    }

    async fn submit_once(&self, command: Command, once: Once) -> Result<Performed, TransactError> {
        // The ledger looks once more: what is on its way there is seen by nobody else.
        self.ledger_for_command().transact_once(command, once).await
    }
}

fn replied(performed: Performed) -> Result<Replied, EngineError> {
    match performed {
        Performed::Now(_, reply) => {
            Ok(Replied { reply: reply.ok_or(Refusal::Unknown)?, again: false })
        }
        Performed::Before(reply) => Ok(Replied { reply, again: true }),
        Performed::KeyReused => Err(EngineError::KeyReused),
    }
}
