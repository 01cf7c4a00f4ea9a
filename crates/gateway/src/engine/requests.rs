//! What applications ask of the engine.

use std::time::Duration;

use greenwave_core::decide::Create;
use greenwave_core::rules::ExtendRule;
use greenwave_core::{
    ApplicationId, Command, CreateRequest, Device, DeviceKey, DeviceNames, NamedBy, NamedDevice,
    Phase, QosStatus, Refusal, RuleSet, RuleSetId, SessionId, Subject,
};
use greenwave_ledger::{Committed, Lookup, Seen, TransactError};
use greenwave_wire::SinkCredential;

use super::{Engine, EngineError};
use crate::directory::{DirectoryError, Service};
use crate::entropy;

/// How often a create is made anew because its device's names came to mean another device.
pub(super) const RENAMES: usize = 3;

/// How long one who revokes an assignment waits for the network to let go.
const RELEASE_AWAITED: Duration = Duration::from_millis(500);

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The application.
    pub application: ApplicationId,
    /// The device whose user has let it, if its token says so: it may see and do nothing but with
    /// this one.
    pub device: Option<&'a Device>,
}

/// How far a revocation has come.
#[derive(Clone, Debug)]
pub enum Revoked {
    /// Nothing of the assignment is left in the network.
    Done,
    /// The network is still letting go. It was available until now.
    UnderWay(Box<Seen>),
}

/// A device that was named.
pub(super) struct Who {
    pub(super) names: DeviceNames,
    pub(super) named: NamedDevice,
    pub(super) service: Service,
}

impl From<ApplicationId> for Asker<'_> {
    fn from(application: ApplicationId) -> Self {
        Self { application, device: None }
    }
}

impl Engine {
    /// Makes a session, or an assignment.
    pub async fn create(
        &self,
        application: ApplicationId,
        rules: &'static RuleSet,
        request: CreateRequest,
        credential: Option<SinkCredential>,
    ) -> Result<Seen, EngineError> {
        for _ in 0..RENAMES {
            let create = self.to_create(application, rules, &request, credential.as_ref()).await?;
            match self.submit(create).await {
                Err(TransactError::Renamed) => {}
                result => return self.seen(result?),
            }
        }
        Err(EngineError::Unsettled)
    }

    /// The command that makes a session of its own of a request.
    pub(super) async fn to_create(
        &self,
        application: ApplicationId,
        rules: &'static RuleSet,
        request: &CreateRequest,
        credential: Option<&SinkCredential>,
    ) -> Result<Command, EngineError> {
        let catalogue = self.parts.catalogue.now();
        let duration = request.granted_duration(rules, &catalogue)?;
        let asked = &request.asked;
        let who = self.who(&asked.device, asked.named_by, rules).await?;
        self.check_profile(catalogue.find(asked.profile.as_str()), &who).await?;
        let Who { names, named, .. } = who;
        let id = SessionId::new(entropy::sixteen(&*self.parts.entropy), named.device.bucket());
        let mut asked = asked.clone();
        if let (Some(sink), Some(credential)) = (&mut asked.sink, credential) {
            sink.credential = Some(self.parts.secrets.seal(id, credential));
        }
        Ok(Command::Create(Create {
            id,
            device: named.device,
            names,
            application,
            rules: rules.id,
            asked: asked.into(),
            duration,
        }))
    }

    /// Makes a session last longer.
    pub async fn extend(
        &self,
        asker: Asker<'_>,
        rules: &'static RuleSet,
        session: SessionId,
        by: Duration,
    ) -> Result<Seen, EngineError> {
        let command = self.to_extend(asker, rules, session, by).await?;
        self.seen(self.submit(command).await?)
    }

    /// The command that makes a session last longer. Where it is the profile that says how long
    /// that may be, the session is looked at first.
    pub(super) async fn to_extend(
        &self,
        asker: Asker<'_>,
        rules: &'static RuleSet,
        session: SessionId,
        by: Duration,
    ) -> Result<Command, EngineError> {
        let application = asker.application;
        let mut overall_at_most = Duration::MAX;
        if rules.extend == ExtendRule::Overall || asker.device.is_some() {
            let seen = self.session(asker, rules.subject, session).await?;
            let catalogue = self.parts.catalogue.now();
            let profile = catalogue.find(seen.session.asked.profile.as_str());
            overall_at_most =
                profile.map_or(seen.session.duration, |profile| rules.longest(profile));
        }
        Ok(Command::Extend { session, application, rules: rules.id, by, overall_at_most })
    }

    /// Ends a session.
    pub async fn delete(&self, asker: Asker<'_>, session: SessionId) -> Result<(), EngineError> {
        if asker.device.is_some() {
            self.session(asker, Subject::Session, session).await?;
        }
        self.submit_delete(asker.application, Subject::Session, session).await?;
        Ok(())
    }

    /// Ends an assignment, and waits a little for the network to let go of it.
    pub async fn revoke(
        &self,
        asker: Asker<'_>,
        assignment: SessionId,
    ) -> Result<Revoked, EngineError> {
        let before = self.session(asker, Subject::Assignment, assignment).await?;
        let mut settled = self.settling.watch(assignment);
        let committed =
            self.submit_delete(asker.application, Subject::Assignment, assignment).await?;
        if before.view.status != QosStatus::Available {
            return Ok(Revoked::Done);
        }
        let Some(session) = committed.changes.session else { return Ok(Revoked::Done) };
        if committed.changes.retired || matches!(session.phase, Phase::Ended(_)) {
            return Ok(Revoked::Done);
        }
        let until = self.parts.timer.now() + RELEASE_AWAITED;
        tokio::select! {
            () = settled.comes() => Ok(Revoked::Done),
            () = self.parts.timer.sleep_until(until) => {
                Ok(Revoked::UnderWay(Box::new(Seen { session, view: before.view })))
            }
        }
    }

    async fn submit_delete(
        &self,
        application: ApplicationId,
        subject: Subject,
        session: SessionId,
    ) -> Result<Committed, EngineError> {
        Ok(self.submit(Command::Delete { session, application, subject }).await?)
    }

    /// Looks at a session, or an assignment. One that is the other is as good as none.
    pub async fn session(
        &self,
        asker: Asker<'_>,
        subject: Subject,
        session: SessionId,
    ) -> Result<Seen, EngineError> {
        let looked_up = self.parts.ledger.session(asker.application, session).await?;
        match looked_up {
            Lookup::Found(seen) if seen.session.rules.subject() != subject => {
                Err(Refusal::Unknown.into())
            }
            Lookup::Found(seen) if self.is_of(asker, seen.session.device).await? => Ok(*seen),
            Lookup::Found(_) | Lookup::Foreign => Err(Refusal::Foreign.into()),
            Lookup::Unknown => Err(Refusal::Unknown.into()),
        }
    }

    /// Whether the asker may have to do with this device.
    async fn is_of(&self, asker: Asker<'_>, device: DeviceKey) -> Result<bool, EngineError> {
        let Some(own) = asker.device else { return Ok(true) };
        let rules = RuleSetId::NokiaV0.rules();
        match self.name(own, NamedBy::Token, rules).await {
            Ok((_, named)) => Ok(named.device == device),
            Err(EngineError::UnknownDevice(_) | EngineError::NotServed) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Looks at what an application has of this kind for a device.
    pub async fn of_device(
        &self,
        application: ApplicationId,
        rules: &'static RuleSet,
        device: &Device,
        named_by: NamedBy,
    ) -> Result<Vec<Seen>, EngineError> {
        let (_, named) = self.name(device, named_by, rules).await?;
        let mut seen = self.parts.ledger.sessions_of_device(application, named.device).await?;
        seen.retain(|seen| seen.session.rules.subject() == rules.subject);
        Ok(seen)
    }

    /// The application whose assignment of a device is in force, or asked for.
    pub async fn assigned(
        &self,
        rules: &'static RuleSet,
        device: &Device,
        named_by: NamedBy,
    ) -> Result<Option<ApplicationId>, EngineError> {
        let (_, named) = self.name(device, named_by, rules).await?;
        Ok(self.parts.ledger.assigned(named.device).await?)
    }

    /// The device that this is the name of.
    pub async fn device(
        &self,
        rules: &'static RuleSet,
        device: &Device,
    ) -> Result<DeviceKey, EngineError> {
        let (_, named) = self.name(device, NamedBy::Request, rules).await?;
        Ok(named.device)
    }

    /// The device that a request means.
    pub(super) async fn name(
        &self,
        device: &Device,
        named_by: NamedBy,
        rules: &'static RuleSet,
    ) -> Result<(DeviceNames, NamedDevice), EngineError> {
        let who = self.who(device, named_by, rules).await?;
        Ok((who.names, who.named))
    }

    /// The device that a request means, and what it can have. A token may name it in ways that
    /// requests of the same API may not.
    pub(super) async fn who(
        &self,
        device: &Device,
        named_by: NamedBy,
        rules: &'static RuleSet,
    ) -> Result<Who, EngineError> {
        let rules = match named_by {
            NamedBy::Request => rules,
            NamedBy::Token => RuleSetId::NokiaV0.rules(),
        };
        let found = self.parts.directory.look_up(device, rules).await?;
        let named = self.parts.ledger.device(&found.names).await?;
        let named = named.ok_or(DirectoryError::Unsupported)?;
        match (found.known, found.service) {
            (Err(unknown), _) if !named.known => Err(EngineError::UnknownDevice(unknown)),
            (_, Service::NotOffered) => Err(EngineError::NotServed),
            (_, service) => Ok(Who { names: found.names, named, service }),
        }
    }

    /// The session that was committed, as its owner sees it now. One that has ended in this very
    /// moment is as unknown as it is a moment later.
    fn seen(&self, committed: Committed) -> Result<Seen, EngineError> {
        let session = committed.changes.session.ok_or(Refusal::Unknown)?;
        let view = session.view(self.parts.timer.now()).ok_or(Refusal::Unknown)?;
        Ok(Seen { session, view })
    }
}
