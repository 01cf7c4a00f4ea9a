//! A clock that is moved, and the commands that tests are made of.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use greenwave_core::decide::{Create, NetworkReport};
use greenwave_core::device::{DeviceIpv4Addr, DeviceIpv6Addr, Imsi, NetworkAccessIdentifier};
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationId, ApplicationServer, Asked, Clock, Command, Device, DeviceKey, DeviceNames,
    IdentifierKey, NamedBy, Pii, PortRange, PortsSpec, ProfileName, RuleSetId, SealedCredential,
    SessionId, Sink, Subject,
};
use greenwave_ledger::{Fingerprint, IdempotencyKey, Once};
use jiff::Timestamp;

pub(crate) const APPLICATION: ApplicationId = ApplicationId(1);
pub(crate) const OTHER_APPLICATION: ApplicationId = ApplicationId(2);

/// Seconds after a fixed start, moved by the test.
#[derive(Debug, Default)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub(crate) fn key(byte: u8) -> IdentifierKey {
    IdentifierKey([byte; 16])
}

pub(crate) fn device(byte: u8) -> DeviceKey {
    key(byte).own_device()
}

pub(crate) fn names(deciding: &[u8], others: &[u8]) -> DeviceNames {
    let keys = |bytes: &[u8]| bytes.iter().map(|&byte| key(byte)).collect();
    DeviceNames { deciding: keys(deciding), others: keys(others) }
}

pub(crate) fn id(number: u32, device: DeviceKey) -> SessionId {
    let mut random = [0; 16];
    random[12..].copy_from_slice(&number.to_be_bytes());
    SessionId::new(random, device.bucket())
}

/// A request that uses everything a request can have.
pub(crate) fn asked(server: &str) -> Asked {
    let nai = NetworkAccessIdentifier::parse("Device@testcsp.net").unwrap();
    let ipv4 = DeviceIpv4Addr::new(
        Some("233.252.0.2".parse().unwrap()),
        Some("192.0.2.25".parse().unwrap()),
        Some(80),
    );
    let ipv6 = DeviceIpv6Addr::parse("2001:DB8:1234:5678:9abc::1").unwrap();
    let phone = greenwave_core::device::PhoneNumber::parse(
        "+36721601234567",
        greenwave_core::rules::PhoneNumberRule::PlusOptional,
    );
    let ranges = vec![PortRange::new(443, 500).unwrap(), PortRange::new(80, 90).unwrap()];
    Asked {
        named_by: NamedBy::default(),
        device: Device::new(Some(nai), Some(phone.unwrap()), Some(ipv4.unwrap()), Some(ipv6))
            .unwrap()
            .with_imsi(Some(Imsi(Pii::new(999_700_000_000_001)))),
        server: ApplicationServer::new(
            Some(ServerAddress::parse_v4(server).unwrap()),
            Some(ServerAddress::parse_v6("2041:0000:140F::875B:131B").unwrap()),
        )
        .unwrap(),
        device_ports: Some(PortsSpec::new(ranges, vec![8080, 0]).unwrap()),
        server_ports: Some(PortsSpec::new(vec![], vec![443]).unwrap()),
        profile: ProfileName::parse("DOWNLINK_L_UPLINK_S").unwrap(),
        sink: Some(Sink {
            url: Pii::new("https://example.com/events?a=b".into()),
            credential: Some(SealedCredential([1, 2, 3, 255].into())),
        }),
    }
}

/// Session `number` of device 1, lasting 60 s.
pub(crate) fn create(number: u32, application: ApplicationId) -> Command {
    create_for(number, application, names(&[1], &[]), device(1), asked("203.0.113.5"))
}

pub(crate) fn create_for(
    number: u32,
    application: ApplicationId,
    names: DeviceNames,
    device: DeviceKey,
    asked: Asked,
) -> Command {
    Command::Create(Create {
        id: id(number, device),
        device,
        names,
        application,
        rules: RuleSetId::NokiaV0,
        asked: Arc::new(asked),
        duration: Duration::from_secs(60),
    })
}

pub(crate) fn network(session: SessionId, report: NetworkReport) -> Command {
    Command::Network { session, report }
}

pub(crate) fn delete(session: SessionId, application: ApplicationId) -> Command {
    Command::Delete { session, application, subject: Subject::Session }
}

/// A request that is called this, and asks for what its key says.
pub(crate) fn once(application: ApplicationId, key: u8) -> Once {
    Once {
        application,
        key: IdempotencyKey([key; 16]),
        request: Fingerprint([key; 16]),
        at_most: 100,
        write: Arc::new(|_, view| format!("{:?} {:?}", view.status, view.duration).into_bytes()),
    }
}
