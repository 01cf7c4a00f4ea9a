//! What applications do with assignments.

use greenwave::engine::EngineError;
use greenwave_core::{CreateRequest, NamedBy, QosStatus, Refusal, RuleSetId, Subject};

use crate::client::{APPLICATIONS, Clients};
use crate::oracle::Known;

/// The rules that assignments are asked for by.
const RULES: [RuleSetId; 2] = [RuleSetId::ProvisioningR32, RuleSetId::ProvisioningR41];

impl Clients {
    pub(crate) async fn assign(&self) {
        let application = self.chance.pick(&APPLICATIONS);
        let rules = self.chance.pick(&RULES).rules();
        let request = CreateRequest { asked: self.asked(rules.id), duration_s: None };
        match self.engine.create(application, rules, request, None).await {
            Ok(seen) => self.oracle.created(application, &seen),
            Err(EngineError::Refused(
                Refusal::Assigned | Refusal::TooManySessions { .. } | Refusal::Unknown,
            )) => {}
            Err(error) => self.oracle.failed("assign", &error),
        }
    }

    /// What is revoked can still be seen for a while; revoked once more, it cannot.
    pub(crate) async fn revoke(&self, Known { id, owner, .. }: Known) {
        let application = self.somebody(owner);
        let was_gone = self.oracle.is_gone(id);
        self.oracle.deleting(application == owner, id);
        match self.engine.revoke(application.into(), id).await {
            Ok(_) => {
                assert!(application == owner, "{id} was revoked by a stranger");
                assert!(!was_gone, "{id} was revoked when there was nothing left of it");
                self.oracle.deleted(id);
            }
            Err(error) => self.refused("revoke", application == owner, &error),
        }
    }

    /// Looks for what a device has.
    pub(crate) async fn look_up(&self) {
        let application = self.chance.pick(&APPLICATIONS);
        let rules = self.chance.pick(&RuleSetId::ALL).rules();
        let (device, named_by) = (self.device(rules.id), NamedBy::Request);
        match self.engine.of_device(application, rules, &device, named_by).await {
            Ok(found) => {
                for seen in &found {
                    assert_eq!(seen.session.application, application, "a stranger's");
                    assert_eq!(seen.session.rules.subject(), rules.subject, "not asked for");
                    self.oracle.promised(seen);
                }
                let in_force =
                    found.iter().filter(|seen| seen.view.status != QosStatus::Unavailable);
                let is_one = rules.subject == Subject::Session || in_force.count() <= 1;
                assert!(is_one, "a device has two assignments: {found:?}");
            }
            Err(error) => self.oracle.failed("look up", &error),
        }
        if let Err(error) = self.engine.assigned(rules, &device, named_by).await {
            self.oracle.failed("look up", &error);
        }
    }
}
