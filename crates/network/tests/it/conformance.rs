//! What holds for every driver.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::{Buckets, Catalogue, CurrentCatalogue, DeviceKey, Order, SessionId};
use greenwave_network::simulator::Settings;
use greenwave_network::{
    Installed, ManualTimer, Network, NetworkEvent, News, Provisioned, Simulator,
};
use tokio::sync::mpsc;

use crate::fixture::{order, start};

/// A network under test, and how to let its time pass.
pub(crate) struct Fixture {
    pub(crate) network: Box<dyn Network>,
    pub(crate) events: mpsc::Receiver<NetworkEvent>,
    pub(crate) timer: Arc<ManualTimer>,
    pub(crate) catalogue: Arc<CurrentCatalogue>,
    pub(crate) directory: Arc<tempfile::TempDir>,
}

impl Fixture {
    pub(crate) fn simulator() -> Self {
        Self::simulator_in(Arc::new(tempfile::tempdir().unwrap()))
    }

    pub(crate) fn simulator_in(directory: Arc<tempfile::TempDir>) -> Self {
        let timer = ManualTimer::new(start());
        let catalogue = Arc::new(CurrentCatalogue::new(Catalogue::nokia()));
        let network = Simulator::start(
            &directory.path().join("network.jsonl"),
            Arc::clone(&catalogue),
            Settings::default(),
            timer.clone(),
        )
        .unwrap();
        let events = network.events().unwrap();
        Self { network: Box::new(network), events, timer, catalogue, directory }
    }

    /// Asks for a session and waits until the network has said what becomes of it.
    pub(crate) async fn provision(&mut self, order: &Order) -> News {
        match self.network.provision(order.clone()).await.unwrap() {
            Provisioned::Granted => News::Granted,
            Provisioned::Refused => News::Refused,
            Provisioned::Pending => {
                self.timer.pass(Duration::from_secs(1));
                let event = self.events.recv().await.unwrap();
                assert_eq!(event.session, order.session);
                event.news
            }
        }
    }

    pub(crate) async fn installed(&self) -> Vec<Installed> {
        self.installed_of(Buckets::ALL).await
    }

    async fn installed_of(&self, buckets: Buckets) -> Vec<Installed> {
        let mut installed = self.network.installed(buckets).await.unwrap().unwrap();
        installed.sort_unstable();
        installed
    }
}

fn one(number: u8) -> Order {
    order(number, "device@testcsp.net", "QOS_L")
}

#[tokio::test]
async fn what_is_granted_is_there_and_what_is_released_is_gone() {
    let mut f = Fixture::simulator();
    assert_eq!(f.provision(&one(1)).await, News::Granted);
    assert_eq!(f.provision(&one(2)).await, News::Granted);
    let both = [Installed { session: one(1).session }, Installed { session: one(2).session }];
    assert_eq!(f.installed().await, both);
    f.network.release(one(1)).await.unwrap();
    assert_eq!(f.installed().await, both[1..]);
}

#[tokio::test]
async fn an_order_that_is_repeated_is_carried_out_once() {
    let mut f = Fixture::simulator();
    assert_eq!(f.provision(&one(1)).await, News::Granted);
    assert_eq!(f.network.provision(one(1)).await.unwrap(), Provisioned::Granted);
    assert_eq!(f.installed().await.len(), 1);
    for _ in 0..2 {
        f.network.release(one(1)).await.unwrap();
        assert!(f.installed().await.is_empty());
    }
}

#[tokio::test]
async fn what_was_never_there_is_released_too() {
    let f = Fixture::simulator();
    f.network.release(one(1)).await.unwrap();
}

#[tokio::test]
async fn what_was_released_can_be_asked_for_again() {
    let mut f = Fixture::simulator();
    assert_eq!(f.provision(&one(1)).await, News::Granted);
    f.network.release(one(1)).await.unwrap();
    assert_eq!(f.provision(&one(1)).await, News::Granted);
}

#[tokio::test]
async fn what_belongs_to_nobody_can_be_removed() {
    let mut f = Fixture::simulator();
    assert_eq!(f.provision(&one(1)).await, News::Granted);
    f.network.remove(f.installed().await[0]).await.unwrap();
    assert!(f.installed().await.is_empty());
}

#[tokio::test]
async fn the_parts_of_a_list_are_the_whole_list() {
    let mut f = Fixture::simulator();
    // The first and the last bucket, and some between.
    for number in [0, 1, 15, 16, 17, 100, 128, 200, 254, 255] {
        let device = DeviceKey([number; 16]);
        let session = SessionId::new([number; 16], device.bucket());
        assert_eq!(f.provision(&Order { session, device, ..one(number) }).await, News::Granted);
    }
    let all = f.installed().await;
    assert_eq!(all.len(), 10);
    for count in [1, 2, 3, 256, 4_095, 4_096] {
        let mut listed = Vec::new();
        for part in Buckets::parts(count) {
            let of_part = f.installed_of(part).await;
            assert!(of_part.iter().all(|installed| part.contains_session(installed.session)));
            listed.extend(of_part);
        }
        assert_eq!(listed, all, "in {count} parts");
    }
}
