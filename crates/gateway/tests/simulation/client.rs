//! What applications do: all they can, at any time, to each other's sessions too.

use std::sync::Arc;
use std::time::Duration;

use greenwave::engine::{Engine, EngineError};
use greenwave_core::device::{NetworkAccessIdentifier, PhoneNumber};
use greenwave_core::rules::PhoneNumberRule;
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationId, ApplicationServer, Asked, CreateRequest, Device, NamedBy, Pii, PortRange,
    PortsSpec, ProfileName, Refusal, RuleSet, RuleSetId, SessionId, Sink, Subject,
};
use greenwave_ledger::Page;
use greenwave_network::Timer;

use crate::chance::Chance;
use crate::oracle::Oracle;
use crate::process::Process;
use crate::world::{World, WorldClock};

const APPLICATIONS: [ApplicationId; 2] = [ApplicationId(1), ApplicationId(2)];

pub(crate) struct Clients {
    chance: Chance,
    oracle: Arc<Oracle>,
    engine: Arc<Engine>,
    rules: &'static RuleSet,
    clock: Arc<WorldClock>,
}

impl Clients {
    /// Lets one application do one thing, which comes to its end when it does.
    pub(crate) fn act(world: &World, process: &mut Process) {
        let clients = Self {
            chance: world.chance.clone(),
            oracle: Arc::clone(&world.oracle),
            engine: Arc::clone(&process.engine),
            rules: RuleSetId::NokiaV0.rules(),
            clock: Arc::clone(&world.clock),
        };
        let known = world.oracle.known();
        let target = if known.is_empty() { None } else { Some(world.chance.pick(&known)) };
        let what = world.chance.below(20);
        process.requests.spawn(async move {
            match (what, target) {
                (0..=8, _) | (_, None) => clients.create().await,
                (9..=10, Some((session, owner))) => clients.extend(session, owner).await,
                (11..=13, Some((session, owner))) => clients.delete(session, owner).await,
                (14..=16, Some((session, owner))) => clients.look_at(session, owner).await,
                (17, Some((session, owner))) => clients.look_at_its_end(session, owner).await,
                (_, Some(_)) => clients.list().await,
            }
        });
    }

    async fn create(&self) {
        let application = self.chance.pick(&APPLICATIONS);
        let duration_s = self.chance.pick(&[Some(1), Some(3), Some(20), Some(90), Some(600), None]);
        let request = CreateRequest { asked: self.asked(), duration_s };
        match self.engine.create(application, self.rules, request, None).await {
            Ok(seen) => self.oracle.created(application, &seen),
            Err(EngineError::Refused(
                Refusal::Conflict | Refusal::TooManySessions { .. } | Refusal::Unknown,
            )) => {}
            Err(error) => self.oracle.failed("create", &error),
        }
    }

    fn asked(&self) -> Asked {
        let number = self.chance.below(3);
        let nai = NetworkAccessIdentifier::parse(&format!("d{number}@testcsp.net")).unwrap();
        let phone = format!("+3670000000{number}");
        let phone = PhoneNumber::parse(&phone, PhoneNumberRule::PlusOptional).unwrap();
        let device = match self.chance.below(4) {
            0 => Device::new(None, Some(phone), None, None),
            1 => Device::new(Some(nai), Some(phone), None, None),
            _ => Device::new(Some(nai), None, None, None),
        };
        let server = self.chance.pick(&["203.0.113.5", "203.0.113.0/24", "198.51.100.7"]);
        let server = ServerAddress::parse_v4(server).unwrap();
        let ports = || PortsSpec::new(vec![PortRange::new(80, 443).unwrap()], vec![8_080]).unwrap();
        let url = "https://example.com/events";
        Asked {
            named_by: NamedBy::default(),
            device: device.unwrap(),
            server: ApplicationServer::new(Some(server), None).unwrap(),
            device_ports: None,
            server_ports: self.chance.percent(30).then(ports),
            profile: ProfileName::parse("QOS_L").unwrap(),
            sink: self
                .chance
                .percent(70)
                .then(|| Sink { url: Pii::new(url.into()), credential: None }),
        }
    }

    /// Mostly its owner, sometimes the other application.
    fn somebody(&self, owner: ApplicationId) -> ApplicationId {
        if self.chance.percent(80) { owner } else { self.chance.pick(&APPLICATIONS) }
    }

    async fn extend(&self, session: SessionId, owner: ApplicationId) {
        let application = self.somebody(owner);
        let by = self.chance.millis(1_000..100_000);
        let was_gone = self.oracle.is_deleted(session);
        match self.engine.extend(application.into(), self.rules, session, by).await {
            Ok(seen) => {
                assert!(application == owner, "{session} was extended by a stranger");
                assert!(!was_gone, "{session} was extended after it was deleted");
                self.oracle.promised(&seen);
            }
            Err(error) => self.refused("extend", application == owner, &error),
        }
    }

    async fn delete(&self, session: SessionId, owner: ApplicationId) {
        let application = self.somebody(owner);
        let was_gone = self.oracle.is_deleted(session);
        self.oracle.deleting(application == owner, session);
        match self.engine.delete(application.into(), session).await {
            Ok(()) => {
                assert!(application == owner, "{session} was deleted by a stranger");
                assert!(!was_gone, "{session} was deleted twice");
                self.oracle.deleted(session);
            }
            Err(error) => self.refused("delete", application == owner, &error),
        }
    }

    async fn look_at(&self, session: SessionId, owner: ApplicationId) {
        let application = self.somebody(owner);
        let was_gone = self.oracle.is_deleted(session);
        match self.engine.session(application.into(), Subject::Session, session).await {
            Ok(seen) => {
                assert!(application == owner, "{session} was seen by a stranger");
                assert!(!was_gone, "{session} was seen after it was deleted");
                self.oracle.promised(&seen);
            }
            Err(error) => {
                self.refused("get", application == owner, &error);
                if application == owner {
                    self.oracle.not_seen(session);
                }
            }
        }
    }

    /// Looks at the very moment at which the session is to end, and a moment before.
    async fn look_at_its_end(&self, session: SessionId, owner: ApplicationId) {
        let Some(end) = self.oracle.end_of(session) else { return };
        let just_before = end - Duration::from_millis(1);
        for at in [just_before, end] {
            self.clock.sleep_until(at).await;
            self.look_at(session, owner).await;
        }
    }

    async fn list(&self) {
        let application = self.chance.pick(&APPLICATIONS);
        let page = Page { index: 0, size: 100 };
        match self.engine.sessions(application, page).await {
            Ok(listed) => {
                for seen in &listed.sessions {
                    assert_eq!(seen.session.application, application, "a stranger's session");
                    self.oracle.promised(seen);
                }
            }
            Err(error) => self.oracle.failed("list", &error),
        }
    }

    /// An owner may be told that there is nothing, a stranger that it is not theirs as well.
    fn refused(&self, what: &str, own: bool, error: &EngineError) {
        match error {
            EngineError::Refused(Refusal::Unknown | Refusal::NotActive) => {}
            EngineError::Refused(Refusal::Foreign) if !own => {}
            error => self.oracle.failed(what, error),
        }
    }
}
