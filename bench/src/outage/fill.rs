//! Sessions as a gateway leaves them that has gone away while all was well: available, their rules
//! in the network, their applications told of it.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use greenwave::entropy::{Entropy, SystemEntropy};
use greenwave::secrets::Secrets;
use greenwave_core::clock::whole_millis;
use greenwave_core::decide::{Create, NetworkReport};
use greenwave_core::device::NetworkAccessIdentifier;
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationId, ApplicationServer, Asked, Catalogue, Clock, Command, Device, DeviceNames,
    Effect, IdentifierKey, Order, Pii, ProfileName, RuleSetId, SessionId, Sink,
};
use greenwave_ledger::{Committed, Ledger, Outcome, Settlement, SqliteLedger};
use greenwave_network::simulator::Settings;
use greenwave_network::{ManualTimer, Network, NetworkEvent, News, Simulator};
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::Failure;

/// How many are made at a time, so that they share commits.
const AT_ONCE: u32 = 512;

/// Spreads durations over sessions so that neighbours end at different times.
const STRIDE: u64 = 7_919;

/// What a directory was filled with.
pub(super) struct Filled {
    /// When all the sessions became available.
    pub(super) started_at: Timestamp,
    /// The sessions, and how long each lasts.
    pub(super) sessions: Vec<(SessionId, Duration)>,
}

/// Fills a directory with so many sessions that last from a second to `down_s`, and began so long
/// ago.
pub(super) async fn fill(
    directory: &Path,
    sessions: u32,
    down_s: u32,
    receivers: u32,
) -> Result<Filled, Failure> {
    let began = whole_millis(Timestamp::now()) - Duration::from_secs(down_s.into());
    let timer = ManualTimer::new(began);
    let entropy = SystemEntropy::default();
    Secrets::open(directory, &entropy).map_err(failed)?;
    let clock = Arc::clone(&timer) as Arc<dyn Clock>;
    let ledger = SqliteLedger::open(directory, clock).map_err(failed)?;
    let settings = Settings { grant_delay: Duration::ZERO, seed: 0 };
    let rules = directory.join("network.jsonl");
    let network = Simulator::start(&rules, Arc::new(Catalogue::nokia()), settings, timer);
    let network = network.map_err(failed)?;
    let events = network.events().ok_or_else(|| failed("the network says nothing"))?;

    let mut filling = Filling { ledger, network, events };
    let mut filled = Filled { started_at: began, sessions: Vec::with_capacity(sessions as usize) };
    for first in (0..sessions).step_by(AT_ONCE as usize) {
        let mut creates = Vec::new();
        for number in first..sessions.min(first.saturating_add(AT_ONCE)) {
            let duration_s = 1 + u64::from(number) * STRIDE % u64::from(down_s);
            let duration = Duration::from_secs(duration_s);
            let create = create(number, duration, number % receivers, &entropy)?;
            filled.sessions.push((create.id, duration));
            creates.push(create);
        }
        filling.make(creates).await?;
    }
    filling.ledger.close().await;
    Ok(filled)
}

/// What a directory is filled through.
struct Filling {
    ledger: SqliteLedger,
    network: Simulator,
    events: mpsc::Receiver<NetworkEvent>,
}

impl Filling {
    /// Does what an engine and a delivery do: has sessions created, provisioned, granted and told
    /// of.
    async fn make(&mut self, creates: Vec<Create>) -> Result<(), Failure> {
        let commands = creates.into_iter().map(Command::Create);
        let created = self.commit(commands).await?;
        for order in created.iter().filter_map(provision) {
            self.network.provision(order).await.map_err(failed)?;
        }
        let mut grants = Vec::new();
        for _ in &created {
            let event = self.events.recv().await.ok_or_else(|| failed("the network is gone"))?;
            if event.news != News::Granted {
                return Err(failed("the network refuses a session"));
            }
            let (session, report) = (event.session, NetworkReport::Granted);
            grants.push(Command::Network { session, report });
        }
        let granted = self.commit(grants.into_iter()).await?;
        let told = granted.iter().flat_map(|committed| &committed.outbox);
        let settled = told.map(|&id| {
            let note = "the receiver answered 204".to_owned();
            self.ledger.settle(id, Settlement::Done { outcome: Outcome::Delivered, note })
        });
        try_join_all(settled).await.map_err(failed)?;
        Ok(())
    }

    async fn commit(
        &self,
        commands: impl Iterator<Item = Command>,
    ) -> Result<Vec<Committed>, Failure> {
        let committed = commands.map(|command| self.ledger.transact(command));
        try_join_all(committed).await.map_err(failed)
    }
}

fn provision(committed: &Committed) -> Option<Order> {
    committed.changes.effects.iter().find_map(|effect| match effect {
        Effect::Provision(order) => Some(order.clone()),
        _ => None,
    })
}

/// A session of a device of its own, in the sandbox's application.
fn create(
    number: u32,
    duration: Duration,
    receiver: u32,
    entropy: &dyn Entropy,
) -> Result<Create, Failure> {
    let mut random = [[0; 16]; 2];
    random.iter_mut().for_each(|random| entropy.fill(random));
    let [identifier, id] = random;
    let identifier = IdentifierKey(identifier);
    let device = identifier.own_device();
    Ok(Create {
        id: SessionId::new(id, device.bucket()),
        device,
        names: DeviceNames { deciding: vec![identifier], others: Vec::new() },
        application: ApplicationId(1),
        rules: RuleSetId::NokiaV0,
        asked: Arc::new(asked(number, receiver)?),
        duration,
    })
}

/// The greeting's request, with a receiver in 198.18.0.0/15, where no events may be sent to.
fn asked(number: u32, receiver: u32) -> Result<Asked, Failure> {
    let name = NetworkAccessIdentifier::parse(&format!("d{number:016}@testcsp.net"));
    let device = Device::new(Some(name.map_err(failed)?), None, None, None).map_err(failed)?;
    let server = ServerAddress::parse_v4("233.252.0.2").map_err(failed)?;
    let address = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + receiver);
    Ok(Asked {
        device,
        server: ApplicationServer::new(Some(server), None).map_err(failed)?,
        device_ports: None,
        server_ports: None,
        profile: ProfileName::parse("QOS_L").map_err(failed)?,
        sink: Some(Sink {
            url: Pii::new(format!("http://{address}/events").into()),
            credential: None,
        }),
    })
}

fn failed(why: impl std::fmt::Display) -> Failure {
    Failure::new("cannot fill the directory", why)
}
