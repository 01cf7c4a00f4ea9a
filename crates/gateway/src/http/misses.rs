//! Look-ups of what is not the caller's, counted.

use greenwave_core::{ApplicationId, Refusal, RuleSet};
use greenwave_wire::ErrorInfo;

use super::answer::Failure;
use crate::engine::EngineError;
use crate::rates::Misses;

impl Misses {
    /// Counts a look-up of an id that is unknown, or another application's. If there were too many
    /// of them, that is the answer, and not what the id is.
    pub(super) fn count(&self, application: ApplicationId) -> Result<(), Failure> {
        self.note(application).map_err(|wait_s| ErrorInfo::too_many_misses(wait_s).into())
    }

    /// What an error of a look-up is called under these rules, with misses counted.
    pub(super) fn failure(
        &self,
        application: ApplicationId,
        error: &EngineError,
        rules: &RuleSet,
    ) -> Failure {
        if let EngineError::Refused(Refusal::Unknown | Refusal::Foreign) = error
            && let Err(too_many) = self.count(application)
        {
            return too_many;
        }
        Failure::of(error, rules)
    }
}
