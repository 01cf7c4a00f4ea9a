//! The orders that tests are made of, and a simulated network that is disturbed.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use greenwave_core::device::NetworkAccessIdentifier;
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationServer, Asked, Buckets, Catalogue, CurrentCatalogue, Device, DeviceKey, NamedBy,
    Order, Precedence, ProfileName, SessionId,
};
use greenwave_network::simulator::Settings;
use greenwave_network::simulator::rules::Owner;
use greenwave_network::{Answer, Installed, ManualTimer, Network, NetworkEvent, News, Simulator};
use jiff::Timestamp;
use tokio::sync::mpsc;

pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// An order for session `number` of the device of this name.
pub(crate) fn order(number: u8, name: &str, profile: &str) -> Order {
    let device = DeviceKey([name.len() as u8; 16]);
    let session = SessionId::new([number; 16], device.bucket());
    let nai = NetworkAccessIdentifier::parse(name).unwrap();
    let asked = Asked {
        named_by: NamedBy::default(),
        device: Device::new(Some(nai), None, None, None).unwrap(),
        server: ApplicationServer::new(Some(ServerAddress::parse_v4("203.0.113.5").unwrap()), None)
            .unwrap(),
        device_ports: None,
        server_ports: None,
        profile: ProfileName::parse(profile).unwrap(),
        sink: None,
    };
    let precedence = Precedence::new(&asked.flow(), start(), session);
    Order { session, device, asked: Arc::new(asked), precedence }
}

/// A simulated network, with a clock that stands still.
pub(crate) struct Disturbed {
    pub(crate) network: Simulator,
    pub(crate) events: mpsc::Receiver<NetworkEvent>,
    pub(crate) timer: Arc<ManualTimer>,
    pub(crate) directory: tempfile::TempDir,
}

impl Disturbed {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let timer = ManualTimer::new(start());
        let network = simulator(&directory, &timer);
        let events = network.events().unwrap();
        Self { network, events, timer, directory }
    }

    /// The same after the gateway was started again.
    pub(crate) fn restarted(self) -> Self {
        drop(self.network);
        let network = simulator(&self.directory, &self.timer);
        let events = network.events().unwrap();
        Self { network, events, ..self }
    }

    /// The sessions that the network really has rules for, by what its file says and by what it
    /// lists.
    pub(crate) async fn sessions(&self) -> Vec<SessionId> {
        let seen = self.network.rules().unwrap();
        let seen = seen.into_iter().filter(|(owner, _)| *owner == Owner::Gateway);
        let seen: Vec<SessionId> = seen.map(|(_, rule)| rule.session).collect();
        let mut listed = self.network.installed(Buckets::ALL).await.unwrap().unwrap();
        listed.sort_unstable();
        let listed: Vec<SessionId> = listed.iter().map(|&Installed { session }| session).collect();
        assert_eq!(seen, listed);
        seen
    }

    /// The next event, if there is one without the clock being moved.
    pub(crate) async fn event(&mut self) -> Option<(SessionId, News)> {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        self.events.try_recv().ok().map(|event| (event.session, event.news))
    }

    pub(crate) fn pass(&self, milliseconds: u64) {
        self.timer.pass(Duration::from_millis(milliseconds));
    }
}

fn simulator(directory: &tempfile::TempDir, timer: &Arc<ManualTimer>) -> Simulator {
    let rules = directory.path().join("network.jsonl");
    let catalogue = Arc::new(CurrentCatalogue::new(Catalogue::nokia()));
    Simulator::start(&rules, catalogue, Settings::default(), timer.clone()).unwrap()
}

/// The answer, if it is there already.
pub(crate) async fn now<T>(answer: &mut Answer<'_, T>) -> Option<T> {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}
