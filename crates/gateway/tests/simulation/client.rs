//! What applications do: all they can, at any time, to each other's sessions too.

use std::sync::Arc;
use std::time::Duration;

use greenwave::engine::{Engine, EngineError};
use greenwave_core::device::{NetworkAccessIdentifier, PhoneNumber};
use greenwave_core::rules::{OwnOverlap, PhoneNumberRule};
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationId, ApplicationServer, Asked, CreateRequest, Device, NamedBy, Pii, PortRange,
    PortsSpec, ProfileName, Refusal, RuleSetId, Sink, Subject,
};
use greenwave_ledger::Page;
use greenwave_network::Timer;

use crate::chance::Chance;
use crate::oracle::{Known, Oracle};
use crate::process::Process;
use crate::world::{World, WorldClock};

pub(crate) const APPLICATIONS: [ApplicationId; 2] = [ApplicationId(1), ApplicationId(2)];

/// The rules that sessions are asked for by, most often Nokia's.
const SESSION_RULES: [RuleSetId; 4] =
    [RuleSetId::NokiaV0, RuleSetId::NokiaV0, RuleSetId::CamaraR32, RuleSetId::CamaraR41];

pub(crate) struct Clients {
    pub(crate) chance: Chance,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) engine: Arc<Engine>,
    clock: Arc<WorldClock>,
}

impl Clients {
    /// Lets one application do one thing, which comes to its end when it does.
    pub(crate) fn act(world: &World, process: &mut Process) {
        let clients = Self {
            chance: world.chance.clone(),
            oracle: Arc::clone(&world.oracle),
            engine: Arc::clone(&process.engine),
            clock: Arc::clone(&world.clock),
        };
        let known = world.oracle.known();
        let target = if known.is_empty() { None } else { Some(world.chance.pick(&known)) };
        let what = world.chance.below(100);
        process.requests.spawn(async move {
            match (what, target) {
                (0..=33, _) => clients.create().await,
                (34..=43, _) | (_, None) => clients.assign().await,
                (44..=52, Some(known)) => clients.extend(known).await,
                (53..=67, Some(known)) => clients.end(known).await,
                (68..=83, Some(known)) => clients.look_at(known).await,
                (84..=88, Some(known)) => clients.look_at_its_end(known).await,
                (89..=93, Some(_)) => clients.list().await,
                (94..=98, Some(_)) => clients.look_up().await,
                (_, Some(_)) => clients.forget().await,
            }
        });
    }

    async fn create(&self) {
        let application = self.chance.pick(&APPLICATIONS);
        let rules = self.chance.pick(&SESSION_RULES).rules();
        let durations = [Some(1), Some(3), Some(20), Some(90), Some(600), None];
        let duration_s = self.chance.pick(&durations).or(match rules.duration.default {
            Some(_) => None,
            None => Some(86_400),
        });
        let request = CreateRequest { asked: self.asked(rules.id), duration_s };
        match self.engine.create(application, rules, request, None).await {
            Ok(seen) => self.oracle.created(application, &seen),
            Err(EngineError::Refused(
                Refusal::Conflict | Refusal::TooManySessions { .. } | Refusal::Unknown,
            )) => {}
            Err(EngineError::Refused(Refusal::OwnConflict(_)))
                if rules.own_overlap == OwnOverlap::Conflict => {}
            Err(error) => self.oracle.failed("create", &error),
        }
    }

    pub(crate) fn device(&self, rules: RuleSetId) -> Device {
        let number = self.chance.below(3);
        let nai = NetworkAccessIdentifier::parse(&format!("d{number}@testcsp.net")).unwrap();
        let phone = format!("+3670000000{number}");
        let phone = PhoneNumber::parse(&phone, PhoneNumberRule::PlusOptional).unwrap();
        let knows_names = rules == RuleSetId::NokiaV0;
        let device = match self.chance.below(4) {
            0 => Device::new(None, Some(phone), None, None),
            1 => Device::new(Some(nai), Some(phone), None, None),
            _ if knows_names => Device::new(Some(nai), None, None, None),
            _ => Device::new(None, Some(phone), None, None),
        };
        device.unwrap()
    }

    pub(crate) fn asked(&self, rules: RuleSetId) -> Asked {
        let device = self.device(rules);
        let server = self.chance.pick(&["203.0.113.5", "203.0.113.0/24", "198.51.100.7"]);
        let server = ServerAddress::parse_v4(server).unwrap();
        let ports = || PortsSpec::new(vec![PortRange::new(80, 443).unwrap()], vec![8_080]).unwrap();
        let url = "https://example.com/events";
        Asked {
            named_by: NamedBy::default(),
            device,
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
    pub(crate) fn somebody(&self, owner: ApplicationId) -> ApplicationId {
        if self.chance.percent(80) { owner } else { self.chance.pick(&APPLICATIONS) }
    }

    async fn extend(&self, Known { id, owner, rules }: Known) {
        let application = self.somebody(owner);
        // Mostly by the rules that it was made under. There are none by which assignments are.
        let own = rules.subject() == Subject::Session && self.chance.percent(90);
        let rules = if own { rules } else { self.chance.pick(&SESSION_RULES) };
        let by = self.chance.millis(1_000..100_000);
        let was_gone = self.oracle.is_gone(id);
        match self.engine.extend(application.into(), rules.rules(), id, by).await {
            Ok(seen) => {
                assert!(application == owner, "{id} was extended by a stranger");
                assert!(!was_gone, "{id} was extended after it was deleted");
                assert_eq!(seen.session.rules.subject(), Subject::Session, "what lasts for ever");
                self.oracle.promised(&seen);
            }
            Err(error) => self.refused("extend", application == owner, &error),
        }
    }

    /// Deletes a session, or revokes an assignment.
    async fn end(&self, known: Known) {
        match known.rules.subject() {
            Subject::Session => self.delete(known).await,
            Subject::Assignment => self.revoke(known).await,
        }
    }

    async fn delete(&self, Known { id, owner, .. }: Known) {
        let application = self.somebody(owner);
        let was_gone = self.oracle.is_gone(id);
        self.oracle.deleting(application == owner, id);
        match self.engine.delete(application.into(), id).await {
            Ok(()) => {
                assert!(application == owner, "{id} was deleted by a stranger");
                assert!(!was_gone, "{id} was deleted twice");
                self.oracle.deleted(id);
            }
            Err(error) => self.refused("delete", application == owner, &error),
        }
    }

    async fn look_at(&self, known: Known) {
        let Known { id, owner, rules } = known;
        let application = self.somebody(owner);
        let was_gone = self.oracle.is_gone(id);
        if self.chance.percent(5) {
            let other = match rules.subject() {
                Subject::Session => Subject::Assignment,
                Subject::Assignment => Subject::Session,
            };
            let seen = self.engine.session(application.into(), other, id).await;
            assert!(seen.is_err(), "{id} is no {other:?}");
        }
        match self.engine.session(application.into(), rules.subject(), id).await {
            Ok(seen) => {
                assert!(application == owner, "{id} was seen by a stranger");
                assert!(!was_gone, "{id} was seen after it was deleted");
                self.oracle.promised(&seen);
            }
            Err(error) => {
                self.refused("get", application == owner, &error);
                if application == owner {
                    self.oracle.not_seen(id);
                }
            }
        }
    }

    /// Looks at the very moment at which the session is to end, and a moment before.
    async fn look_at_its_end(&self, known: Known) {
        let Some(end) = self.oracle.end_of(known.id) else { return };
        let just_before = end - Duration::from_millis(1);
        for at in [just_before, end] {
            self.clock.sleep_until(at).await;
            self.look_at(known).await;
        }
    }

    async fn list(&self) {
        let application = self.chance.pick(&APPLICATIONS);
        let page = Page { index: 0, size: 100 };
        match self.engine.sessions(application, page).await {
            Ok(listed) => {
                for seen in &listed.sessions {
                    assert_eq!(seen.session.application, application, "a stranger's session");
                    assert_eq!(seen.session.rules.subject(), Subject::Session, "not asked for");
                    self.oracle.promised(seen);
                }
            }
            Err(error) => self.oracle.failed("list", &error),
        }
    }

    /// The operator has everything forgotten.
    async fn forget(&self) {
        let forgetting = self.oracle.forgetting();
        match self.engine.forget_all().await {
            Ok(_) => forgetting.done(),
            Err(error) => self.oracle.failed("forget", &error),
        }
    }

    /// An owner may be told that there is nothing, a stranger that it is not theirs as well.
    pub(crate) fn refused(&self, what: &str, own: bool, error: &EngineError) {
        match error {
            EngineError::Refused(Refusal::Unknown | Refusal::NotActive) => {}
            EngineError::Refused(Refusal::Foreign) if !own => {}
            error => self.oracle.failed(what, error),
        }
    }
}
