//! What becomes of sessions while the operator has everything forgotten.

use std::collections::BTreeSet;
use std::sync::Arc;

use greenwave_core::SessionId;

use super::Oracle;

/// A wish to have everything forgotten that is being granted, or given up when this is dropped.
pub(crate) struct Forgetting {
    oracle: Arc<Oracle>,
    /// What somebody had been told of before.
    before: BTreeSet<SessionId>,
}

impl Forgetting {
    pub(super) fn begin(oracle: &Arc<Oracle>) -> Self {
        let live = oracle.disk.live();
        let mut state = oracle.state.lock().unwrap();
        state.forgets += 1;
        state.maybe_forgotten.extend(live.iter().map(|session| session.id));
        let before = state.created.iter().map(|known| known.id).collect();
        Self { oracle: Arc::clone(oracle), before }
    }

    /// It was granted: what was known before is not to be seen any more.
    pub(crate) fn done(self) {
        self.oracle.state.lock().unwrap().forgotten.extend(&self.before);
    }
}

impl Drop for Forgetting {
    fn drop(&mut self) {
        let live = self.oracle.disk.live();
        let mut state = self.oracle.state.lock().unwrap();
        state.forgets -= 1;
        state.maybe_forgotten.extend(live.iter().map(|session| session.id));
    }
}
