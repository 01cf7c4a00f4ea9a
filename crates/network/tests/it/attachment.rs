//! Devices that leave the network and come back.

use std::time::Duration;

use greenwave_core::{DeviceKey, Order, SessionId};
use greenwave_network::simulator::attachment::{DetachError, MOST_AWAY};
use greenwave_network::simulator::faults::{CallFault, Fault, GrantFault, Kind, Operation};
use greenwave_network::simulator::rules::Owner;
use greenwave_network::{Network, NetworkError, News, Provisioned};

use crate::fixture::{Disturbed, now, order};

/// A session of a device in the cell that admits three.
fn one(number: u8) -> Order {
    order(number, "stadium@testcsp.net", "QOS_L")
}

/// A session of another device there.
fn other(number: u8) -> Order {
    order(number, "stadium-2@testcsp.net", "QOS_L")
}

impl Disturbed {
    async fn granted(&mut self, order: Order) {
        let session = order.session;
        assert_eq!(self.network.provision(order).await.unwrap(), Provisioned::Pending);
        self.pass(50);
        assert_eq!(self.event().await, Some((session, News::Granted)));
    }

    async fn events(&mut self) -> Vec<(SessionId, News)> {
        let mut events = Vec::new();
        while let Some(event) = self.event().await {
            events.push(event);
        }
        events.sort_unstable_by_key(|(session, _)| *session);
        events
    }

    async fn is_away(&self, order: Order) -> bool {
        matches!(self.network.provision(order).await, Err(NetworkError::NotAttached))
    }
}

#[tokio::test]
async fn what_a_device_has_goes_with_it_and_is_told_of() {
    let mut f = Disturbed::new();
    f.granted(one(1)).await;
    f.granted(one(2)).await;
    f.granted(other(3)).await;
    assert_eq!(f.network.detach(one(1).device).await.unwrap(), 2);
    assert_eq!(f.events().await, [1, 2].map(|of| (one(of).session, News::Detached)));
    assert_eq!(f.sessions().await, [other(3).session]);
    assert_eq!(f.network.detach(one(1).device).await.unwrap(), 0, "it is away already");
    assert_eq!(f.event().await, None);
    // Its cell has room again.
    f.granted(other(4)).await;
    f.granted(other(5)).await;
    let f = f.restarted();
    assert_eq!(f.sessions().await, [3, 4, 5].map(|of| other(of).session));
}

#[tokio::test]
async fn nothing_can_be_had_for_a_device_that_is_away() {
    let mut f = Disturbed::new();
    f.network.detach(one(1).device).await.unwrap();
    assert!(f.is_away(one(1)).await);
    f.granted(other(2)).await;
    let at_once = Kind::Call(Operation::Provision, CallFault::AnswersLate(Duration::from_secs(1)));
    let first = Kind::Grant(GrantFault::ConfirmsFirst(Duration::from_secs(1)));
    for fault in [at_once, first] {
        f.network.faults().add(Fault::once(fault)).unwrap();
        let mut answer = f.network.provision(one(1));
        f.timer.pass(Duration::from_secs(1));
        let answer = now(&mut answer).await.unwrap();
        assert!(matches!(answer, Err(NetworkError::NotAttached)), "{answer:?}");
    }
    f.pass(60_000);
    assert_eq!(f.event().await, None);
    assert_eq!(f.sessions().await, [other(2).session]);
    f.network.release(one(1)).await.unwrap();
}

#[tokio::test]
async fn that_it_is_back_is_told_of_what_it_had_and_of_what_was_asked_for() {
    let mut f = Disturbed::new();
    for number in 1..=2 {
        f.granted(one(number)).await;
    }
    f.network.detach(one(1).device).await.unwrap();
    f.events().await;
    assert!(f.is_away(one(3)).await && f.is_away(one(4)).await);
    for released in [2, 4] {
        f.network.release(one(released)).await.unwrap();
    }
    assert!(f.network.attach(one(1).device).await);
    assert_eq!(f.events().await, [1, 3].map(|of| (one(of).session, News::Attached)));
    assert!(f.sessions().await.is_empty(), "nobody has asked for it again");
    f.granted(one(1)).await;
    assert!(!f.network.attach(one(1).device).await, "it was not away");
    assert_eq!(f.event().await, None);
}

#[tokio::test]
async fn nothing_comes_of_what_was_asked_for_when_the_device_left() {
    let mut f = Disturbed::new();
    assert_eq!(f.network.provision(one(1)).await.unwrap(), Provisioned::Pending);
    assert_eq!(f.network.detach(one(1).device).await.unwrap(), 0, "there was no rule");
    f.pass(60_000);
    assert_eq!(f.events().await, [(one(1).session, News::Detached)]);
    f.network.attach_all().await;
    assert_eq!(f.events().await, [(one(1).session, News::Attached)]);
    for number in 1..=3 {
        f.granted(one(number)).await;
    }
}

#[tokio::test]
async fn the_rules_of_others_stay() {
    let f = Disturbed::new();
    f.network.plant(Owner::Other, one(1).session).unwrap();
    // Planted rules are of this device.
    assert_eq!(f.network.detach(DeviceKey([0; 16])).await.unwrap(), 0);
    assert_eq!(f.network.rules().unwrap().len(), 1);
}

#[tokio::test]
async fn a_network_that_is_started_again_has_nobody_away() {
    let f = Disturbed::new();
    f.network.detach(one(1).device).await.unwrap();
    f.network.forget().unwrap();
    assert!(!f.is_away(one(1)).await);
    f.network.detach(one(1).device).await.unwrap();
    assert!(!f.restarted().is_away(one(1)).await);
}

#[tokio::test]
async fn a_thousand_may_be_away() {
    let f = Disturbed::new();
    let device = |number: usize| DeviceKey((number as u128).to_be_bytes());
    for number in 0..MOST_AWAY {
        f.network.detach(device(number)).await.unwrap();
    }
    let refused = f.network.detach(device(MOST_AWAY)).await;
    assert!(matches!(refused, Err(DetachError::TooMany)), "{refused:?}");
    f.network.attach(device(0)).await;
    f.network.detach(device(MOST_AWAY)).await.unwrap();
}
