//! What happens to the simulated network without the gateway's doing, and what is really in it.

use std::io;
use std::sync::PoisonError;

use greenwave_core::SessionId;

use super::Simulator;
use super::rules::{self, Owner, Rule};
use crate::{NetworkEvent, News};

/// How many rules of others there may be.
pub const MOST_FOREIGN: usize = 1_000;

/// Why the network does not take a rule.
#[derive(Debug, thiserror::Error)]
pub enum PlantError {
    /// There is no room for it.
    #[error("the network has no room for another rule")]
    Full,
    /// The gateway has asked for this session.
    #[error("the network has been asked for this session already")]
    Asked,
    /// It cannot write its rules.
    #[error("the simulated network cannot write its rules: {0}")]
    Write(#[from] io::Error),
}

impl Simulator {
    /// Forgets everything at once and says nothing of it, as a network that is started again:
    /// rules, whose ever they are, what was asked for, what was to be done late, and which devices
    /// are away. It tells how many rules are gone.
    pub fn forget(&self) -> io::Result<usize> {
        let state = &mut *self.inner.state();
        let gone = state.file.rules();
        state.file.clear()?;
        state.cells.clear();
        state.pending.clear();
        state.away.clear();
        self.inner.installed.clear();
        state.foreign = 0;
        self.late.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        Ok(gone)
    }

    /// Ends a session: its rule is gone, and an event says so. `false` if the network has no rule
    /// of the gateway's for it.
    pub async fn end(&self, session: SessionId) -> io::Result<bool> {
        // First of all, so that nothing ends without its event.
        let room = self.inner.events.reserve().await.map_err(io::Error::other)?;
        let ended = self.inner.uninstall(&mut self.inner.state(), session)?;
        if ended {
            room.send(NetworkEvent { session, news: News::Ended });
        }
        Ok(ended)
    }

    /// Puts a rule into the network that nobody has asked for, and tells what it is like: one of
    /// the gateway's own, as if it had been forgotten there, or somebody else's.
    pub fn plant(&self, owner: Owner, session: SessionId) -> Result<Rule, PlantError> {
        let rule = Rule::planted(session);
        let state = &mut *self.inner.state();
        match owner {
            Owner::Gateway => {
                let installed = &self.inner.installed;
                if installed.contains(session) || state.pending.contains(session) {
                    return Err(PlantError::Asked);
                }
                let share = state.cells.admit_with(rule.cell, &rule.profile);
                let share = share.ok_or(PlantError::Full)?;
                state.file.install(&rule)?;
                installed.insert(session, share);
            }
            Owner::Other => {
                if state.foreign >= MOST_FOREIGN {
                    return Err(PlantError::Full);
                }
                state.file.install_foreign(&rule)?;
                state.foreign += 1;
            }
        }
        Ok(rule)
    }

    /// What is really in the network, read from its file: the gateway's rules first, each owner's
    /// in the order of their sessions.
    pub fn rules(&self) -> io::Result<Vec<(Owner, Rule)>> {
        rules::read_all(&self.inner.rules)
    }
}
