//! What the tests of this crate build their sessions from. Times are seconds after a fixed start;
//! a session lasts 60 s unless a test says otherwise.

use std::borrow::Borrow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Changes, Command, Create, DeviceState, Effect, NetworkReport, Refusal, decide};
use crate::device::NetworkAccessIdentifier;
use crate::ids::{ApplicationId, DeviceKey, IdentifierKey, SessionId};
use crate::naming::DeviceNames;
use crate::rules::{RuleSetId, Subject};
use crate::server::ServerAddress;
use crate::session::{Asked, Event, INDEFINITELY, NamedBy, Session, Sink};
use crate::{ApplicationServer, Device, Pii, ProfileName};

pub(crate) const APPLICATION: ApplicationId = ApplicationId(1);
pub(crate) const OTHER_APPLICATION: ApplicationId = ApplicationId(2);
const DEVICE: DeviceKey = DeviceKey([7; 16]);

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn id(number: u16) -> SessionId {
    let mut random = [0; 16];
    random[14..].copy_from_slice(&number.to_be_bytes());
    SessionId::new(random, DEVICE.bucket())
}

pub(crate) fn asked(server: &str) -> Asked {
    let nai = NetworkAccessIdentifier::parse("device@testcsp.net").unwrap();
    Asked {
        device: Device::new(Some(nai), None, None, None).unwrap(),
        named_by: NamedBy::default(),
        server: ApplicationServer::new(Some(ServerAddress::parse_v4(server).unwrap()), None)
            .unwrap(),
        device_ports: None,
        server_ports: None,
        profile: ProfileName::parse("QOS_L").unwrap(),
        sink: Some(Sink { url: Pii::new("https://example.com/events".into()), credential: None }),
    }
}

pub(crate) fn create(number: u16, application: ApplicationId, server: &str) -> Command {
    Command::Create(Create {
        id: id(number),
        device: DEVICE,
        names: DeviceNames { deciding: vec![IdentifierKey(DEVICE.0)], others: vec![] },
        application,
        rules: RuleSetId::NokiaV0,
        asked: Arc::new(asked(server)),
        duration: Duration::from_secs(60),
    })
}

/// An application asks for an assignment.
pub(crate) fn assign(number: u16, application: ApplicationId) -> Command {
    let mut command = create(number, application, "0.0.0.0/0");
    if let Command::Create(create) = &mut command {
        (create.rules, create.duration) = (RuleSetId::ProvisioningR32, INDEFINITELY);
    }
    command
}

pub(crate) fn extend(number: u16, application: ApplicationId, by_s: u64) -> Command {
    Command::Extend {
        session: id(number),
        application,
        rules: RuleSetId::NokiaV0,
        by: Duration::from_secs(by_s),
        overall_at_most: Duration::MAX,
    }
}

pub(crate) fn delete(number: u16, application: ApplicationId) -> Command {
    Command::Delete { session: id(number), application, subject: Subject::Session }
}

pub(crate) fn network(number: u16, report: NetworkReport) -> Command {
    Command::Network { session: id(number), report }
}

pub(crate) fn due(number: u16) -> Command {
    Command::Due { session: id(number) }
}

pub(crate) fn resume(number: u16) -> Command {
    Command::Resume { session: id(number) }
}

/// A device without sessions.
pub(crate) const NONE: [Session; 0] = [];

pub(crate) fn run<S: Borrow<Session>>(
    sessions: &[S],
    command: &Command,
    now: Timestamp,
) -> Result<Changes, Refusal> {
    let sessions = sessions.iter().map(|session| session.borrow().clone()).collect();
    decide(&DeviceState { sessions }, command, now)
}

pub(crate) fn requested(
    number: u16,
    application: ApplicationId,
    server: &str,
    now: Timestamp,
) -> Session {
    run(&NONE, &create(number, application, server), now).unwrap().session.unwrap()
}

pub(crate) fn live(
    number: u16,
    application: ApplicationId,
    server: &str,
    now: Timestamp,
) -> Session {
    let session = requested(number, application, server, now);
    run(&[session], &network(number, NetworkReport::Granted), now).unwrap().session.unwrap()
}

/// Assignment 1, asked for at this time.
pub(crate) fn assignment(now: Timestamp) -> Session {
    run(&NONE, &assign(1, APPLICATION), now).unwrap().session.unwrap()
}

/// Assignment 1, available since 0 s.
pub(crate) fn assigned() -> Session {
    let granted = network(1, NetworkReport::Granted);
    run(&[assignment(at(0))], &granted, at(0)).unwrap().session.unwrap()
}

/// Session 1, available since 0 s, for this long.
pub(crate) fn live_for(duration_s: u64) -> Session {
    let mut session = requested(1, APPLICATION, "203.0.113.5", at(0));
    session.duration = Duration::from_secs(duration_s);
    run(&[session], &network(1, NetworkReport::Granted), at(0)).unwrap().session.unwrap()
}

/// That many available sessions, all for one flow.
pub(crate) fn sessions(count: usize, application: ApplicationId, now: Timestamp) -> Vec<Session> {
    (1..=count).map(|n| live(n as u16, application, "203.0.113.5", now)).collect()
}

pub(crate) fn events(changes: &Changes) -> Vec<Event> {
    let event = |effect: &Effect| match effect {
        Effect::Notify(event) => Some(event.clone()),
        _ => None,
    };
    changes.effects.iter().filter_map(event).collect()
}
