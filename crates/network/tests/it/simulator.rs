//! What only the simulator does.

use std::sync::Arc;
use std::time::Duration;

use greenwave_network::simulator::rules;
use greenwave_network::{News, Provisioned};

use crate::conformance::Fixture;
use crate::fixture::order;

#[tokio::test]
async fn a_grant_takes_fifty_milliseconds() {
    let mut f = Fixture::simulator();
    let order = order(1, "device@testcsp.net", "QOS_L");
    assert_eq!(f.network.provision(order.clone()).await.unwrap(), Provisioned::Pending);
    assert_eq!(f.network.provision(order.clone()).await.unwrap(), Provisioned::Pending);
    f.timer.pass(Duration::from_millis(49));
    tokio::task::yield_now().await;
    assert!(f.installed().await.is_empty());
    f.timer.pass(Duration::from_millis(1));
    assert_eq!(f.events.recv().await.unwrap().news, News::Granted);
    assert_eq!(f.installed().await.len(), 1);
}

#[tokio::test]
async fn what_is_released_before_it_is_granted_is_never_granted() {
    let mut f = Fixture::simulator();
    let (early, later) =
        (order(1, "device@testcsp.net", "QOS_L"), order(2, "device@testcsp.net", "QOS_L"));
    f.network.provision(early.clone()).await.unwrap();
    f.network.provision(later.clone()).await.unwrap();
    f.network.release(early).await.unwrap();
    f.timer.pass(Duration::from_millis(50));
    let event = f.events.recv().await.unwrap();
    assert_eq!((event.session, event.news), (later.session, News::Granted));
    assert!(f.events.try_recv().is_err());
}

#[tokio::test]
async fn rules_survive_the_gateway_and_can_be_read_from_outside() {
    let mut f = Fixture::simulator();
    let order = order(1, "device@testcsp.net", "QOS_L");
    assert_eq!(f.provision(&order).await, News::Granted);
    let directory = Arc::clone(&f.directory);
    drop(f);
    let seen = rules::read(&directory.path().join("network.jsonl")).unwrap();
    assert_eq!(seen[0].session, order.session);
    assert_eq!(seen[0].flow, "203.0.113.5/32 device:0-65535 server:0-65535");

    let f = Fixture::simulator_in(directory);
    assert_eq!(f.installed().await.len(), 1);
    assert_eq!(f.network.provision(order).await.unwrap(), Provisioned::Granted);
}

#[tokio::test]
async fn a_crowded_cell_refuses_the_fourth_session() {
    let mut f = Fixture::simulator();
    let stadium = |number| order(number, "stadium-7@testcsp.net", "QOS_S");
    for number in 1..=3 {
        assert_eq!(f.provision(&stadium(number)).await, News::Granted);
    }
    assert_eq!(f.provision(&stadium(4)).await, News::Refused);
    f.network.release(stadium(2)).await.unwrap();
    assert_eq!(f.provision(&stadium(4)).await, News::Granted);
}

#[tokio::test]
async fn a_cell_still_knows_its_load_after_a_restart() {
    let mut f = Fixture::simulator();
    let stadium = |number| order(number, "stadium-7@testcsp.net", "QOS_S");
    for number in 1..=3 {
        f.provision(&stadium(number)).await;
    }
    let directory = Arc::clone(&f.directory);
    drop(f);
    let f = Fixture::simulator_in(directory);
    assert_eq!(f.network.provision(stadium(4)).await.unwrap(), Provisioned::Refused);
}

#[tokio::test]
async fn guaranteed_rates_are_given_out_only_once() {
    let mut f = Fixture::simulator();
    let low_delay = |number| order(number, "device@testcsp.net", "QOS_E");
    let mut granted = 0;
    for number in 0..200 {
        granted += usize::from(f.provision(&low_delay(number)).await == News::Granted);
    }
    assert_eq!(granted, 140, "70 Mbit/s uplink in shares of 0.5");
}
