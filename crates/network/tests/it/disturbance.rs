//! What happens to the network without the gateway's doing.

use std::time::Duration;

use greenwave_network::simulator::disturbance::{MOST_FOREIGN, PlantError};
use greenwave_network::simulator::faults::{CallFault, Fault, Kind, Operation};
use greenwave_network::simulator::rules::{self, Owner};
use greenwave_network::{Installed, Network, News, Provisioned};

use crate::fixture::{Disturbed, order};

fn one(number: u8) -> greenwave_core::Order {
    order(number, "stadium@testcsp.net", "QOS_L")
}

impl Disturbed {
    async fn live_one(&mut self, number: u8) {
        assert_eq!(self.network.provision(one(number)).await.unwrap(), Provisioned::Pending);
        self.pass(50);
        assert_eq!(self.event().await, Some((one(number).session, News::Granted)));
    }

    fn owners(&self) -> Vec<Owner> {
        self.network.rules().unwrap().into_iter().map(|(owner, _)| owner).collect()
    }
}

#[tokio::test]
async fn a_network_that_forgets_has_nothing_and_says_nothing() {
    let mut f = Disturbed::new();
    f.live_one(1).await;
    f.live_one(2).await;
    f.network.plant(Owner::Other, one(9).session).unwrap();
    let late = Kind::Call(Operation::Provision, CallFault::ActsLate(Duration::from_secs(1)));
    f.network.faults().add(Fault::once(late)).unwrap();
    drop(f.network.provision(one(3)));
    f.network.provision(one(4)).await.unwrap();

    assert_eq!(f.network.forget().unwrap(), 3);
    f.pass(60_000);
    assert_eq!(f.event().await, None);
    assert!(f.sessions().await.is_empty() && f.network.rules().unwrap().is_empty());
    // The cell, which takes three, has room again.
    for number in 1..=3 {
        f.live_one(number).await;
    }
    assert_eq!(f.network.provision(one(4)).await.unwrap(), Provisioned::Refused);
    let f = f.restarted();
    assert_eq!(f.sessions().await.len(), 3);
}

#[tokio::test]
async fn a_network_ends_a_session_on_its_own() {
    let mut f = Disturbed::new();
    f.live_one(1).await;
    f.live_one(2).await;
    assert!(f.network.end(one(1).session).await.unwrap());
    assert_eq!(f.event().await, Some((one(1).session, News::Ended)));
    assert_eq!(f.sessions().await, [one(2).session]);
    assert!(!f.network.end(one(1).session).await.unwrap(), "it has ended already");
    f.network.provision(one(3)).await.unwrap();
    assert!(!f.network.end(one(3).session).await.unwrap(), "it has not begun");
    assert_eq!(f.event().await, None);
}

#[tokio::test]
async fn a_stray_rule_of_ours_is_listed_and_can_be_removed() {
    let f = Disturbed::new();
    let planted = f.network.plant(Owner::Gateway, one(1).session).unwrap();
    assert_eq!(f.sessions().await, [one(1).session]);
    assert_eq!(rules::read(&f.directory.path().join("network.jsonl")).unwrap(), [planted]);
    let f = f.restarted();
    assert_eq!(f.sessions().await, [one(1).session]);
    f.network.remove(Installed { session: one(1).session }).await.unwrap();
    assert!(f.sessions().await.is_empty());
    assert!(f.owners().is_empty());
}

#[tokio::test]
async fn a_session_that_was_asked_for_is_no_stray() {
    let mut f = Disturbed::new();
    f.live_one(2).await;
    f.network.provision(one(1)).await.unwrap();
    let refused = f.network.plant(Owner::Gateway, one(1).session);
    assert!(matches!(refused, Err(PlantError::Asked)), "{refused:?}");
    let refused = f.network.plant(Owner::Gateway, one(2).session);
    assert!(matches!(refused, Err(PlantError::Asked)), "{refused:?}");
}

#[tokio::test]
async fn what_is_not_ours_is_not_listed_and_nothing_touches_it() {
    let f = Disturbed::new();
    let session = one(1).session;
    f.network.plant(Owner::Other, session).unwrap();
    assert!(f.sessions().await.is_empty());
    f.network.remove(Installed { session }).await.unwrap();
    f.network.release(one(1)).await.unwrap();
    assert!(!f.network.end(session).await.unwrap());
    assert_eq!(f.owners(), [Owner::Other]);
    let mut f = f.restarted();
    assert!(f.sessions().await.is_empty());
    assert_eq!(f.owners(), [Owner::Other]);
    // One of ours may be called the same.
    f.live_one(1).await;
    assert_eq!(f.owners(), [Owner::Gateway, Owner::Other]);
    f.network.release(one(1)).await.unwrap();
    assert_eq!(f.owners(), [Owner::Other]);
}

#[tokio::test]
async fn there_is_room_for_so_many_of_others() {
    let f = Disturbed::new();
    for _ in 0..MOST_FOREIGN {
        f.network.plant(Owner::Other, one(1).session).unwrap();
    }
    let refused = f.network.plant(Owner::Other, one(1).session);
    assert!(matches!(refused, Err(PlantError::Full)), "{refused:?}");
}
