//! Sessions that are there before the first start: written by the ledger itself, with rules as the
//! network would have written them.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use greenwave::clock::SystemTimer;
use greenwave::entropy::{Entropy, SystemEntropy};
use greenwave::sandbox::DEFAULT_APPLICATION;
use greenwave::secrets::Secrets;
use greenwave_core::decide::{Create, NetworkReport};
use greenwave_core::device::NetworkAccessIdentifier;
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationId, ApplicationServer, Asked, Command, Device, DeviceNames, IdentifierKey, NamedBy,
    ProfileName, RuleSetId, Session, SessionId,
};
use greenwave_ledger::{Ledger, Registry, SqliteLedger};
use greenwave_network::simulator::rules::Rule;
use serde_json::json;

use crate::journal::{End, Promise};
use crate::place::Place;

/// How long the sessions last.
const DURATION: Duration = Duration::from_secs(86_400);

/// How many are made at a time: as many as share a commit.
const AT_ONCE: usize = 512;

/// Fills a place with available sessions of the sandbox's application.
pub(crate) async fn preload(place: &mut Place, count: usize) {
    // The secret comes first: a ledger whose secret is lost is not opened.
    Secrets::open(place.data(), &SystemEntropy::default()).unwrap();
    let ledger = SqliteLedger::open(place.data(), SystemTimer::start()).unwrap();
    let application = ledger.application(DEFAULT_APPLICATION.to_owned()).await.unwrap().id;
    let mut rules = Vec::new();
    for first in (0..count).step_by(AT_ONCE) {
        let batch = (first..count.min(first + AT_ONCE)).map(|_| make(&ledger, application));
        for session in join_all(batch).await {
            let rule = Rule::of(&session.order());
            writeln!(rules, "{}", json!({"install": rule})).unwrap();
            let (id, lasts) = (session.id.to_string(), DURATION.as_secs());
            let promise = Promise { at_least_s: lasts, at_most_s: lasts, end: End::Far };
            place.journal.sessions.insert(id, promise);
        }
    }
    place.journal.asked += count;
    std::fs::write(place.data().join("network.jsonl"), rules).unwrap();
    ledger.close().await;
}

async fn make(ledger: &SqliteLedger, application: ApplicationId) -> Session {
    let mut random = [0; 32];
    SystemEntropy::default().fill(&mut random);
    let (name, id) = random.split_first_chunk().unwrap();
    let name = IdentifierKey(*name);
    let device = name.own_device();
    let id = SessionId::new(id.try_into().unwrap(), device.bucket());
    let create = Create {
        id,
        device,
        names: DeviceNames { deciding: vec![name], others: Vec::new() },
        application,
        rules: RuleSetId::NokiaV0,
        asked: Arc::new(asked()),
        duration: DURATION,
    };
    ledger.transact(Command::Create(create)).await.unwrap();
    let granted = Command::Network { session: id, report: NetworkReport::Granted };
    ledger.transact(granted).await.unwrap().changes.session.unwrap()
}

fn asked() -> Asked {
    let device = NetworkAccessIdentifier::parse("device@testcsp.net").unwrap();
    let server = ServerAddress::parse_v4("203.0.113.5").unwrap();
    Asked {
        named_by: NamedBy::default(),
        device: Device::new(Some(device), None, None, None).unwrap(),
        server: ApplicationServer::new(Some(server), None).unwrap(),
        device_ports: None,
        server_ports: None,
        profile: ProfileName::parse("QOS_L").unwrap(),
        sink: None,
    }
}
