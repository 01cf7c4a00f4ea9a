//! What only the simulator does.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::profile::{BitRate, Rates};
use greenwave_core::{Catalogue, QosProfile};
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
async fn a_profile_that_is_changed_is_another_one_from_the_next_session_on() {
    let mut f = Fixture::simulator();
    let order = |number| order(number, "device@testcsp.net", "QOS_E");
    assert_eq!(f.provision(&order(1)).await, News::Granted);
    let catalogue = f.catalogue.now();
    let rates = Rates::guaranteed_at(BitRate::from_mbps(69));
    let profile = catalogue.find("QOS_E").unwrap().clone();
    let wide = QosProfile { downlink: rates, uplink: rates, ..profile };
    f.catalogue.replace(catalogue.with(wide).unwrap());
    assert_eq!(f.provision(&order(2)).await, News::Granted);
    assert_eq!(f.provision(&order(3)).await, News::Refused, "69.5 of 70 Mbit/s uplink are taken");
    // What is given back is what was taken, whatever the profile says by now.
    f.network.release(order(1)).await.unwrap();
    f.catalogue.replace(Catalogue::nokia());
    assert_eq!(f.provision(&order(4)).await, News::Granted);
    assert_eq!(f.provision(&order(5)).await, News::Granted);
    assert_eq!(f.provision(&order(6)).await, News::Refused);
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

#[tokio::test]
async fn the_file_of_rules_is_written_anew_while_the_network_goes_on() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let path = directory.path().join("network.jsonl");
    let mut f = Fixture::simulator_in(Arc::clone(&directory));
    for number in 0..9 {
        f.provision(&order(number, "device@testcsp.net", "QOS_L")).await;
    }
    drop(f);
    let stale = "{\"release\":\"00000000-0000-4000-8000-000000000000\"}\n";
    let kept = std::fs::read_to_string(&path).unwrap();
    let stale = stale.repeat(99_999);
    std::fs::write(&path, kept + &stale).unwrap();

    let mut f = Fixture::simulator_in(directory);
    assert!(std::fs::metadata(&path).unwrap().len() > stale.len() as u64);
    f.network.release(order(0, "device@testcsp.net", "QOS_L")).await.unwrap();
    f.network.release(order(1, "device@testcsp.net", "QOS_L")).await.unwrap();
    f.provision(&order(9, "device@testcsp.net", "QOS_L")).await;
    while std::fs::metadata(&path).unwrap().len() > 10_000 {
        tokio::task::yield_now().await;
    }
    f.provision(&order(0, "device@testcsp.net", "QOS_L")).await;
    let listed = f.installed().await;
    let mut seen: Vec<_> = rules::sessions(&path).unwrap().into_iter().collect();
    seen.sort_unstable();
    assert_eq!(seen.len(), 9);
    assert!(listed.iter().map(|installed| installed.session).eq(seen));
}

#[tokio::test]
async fn a_file_with_little_left_in_it_is_written_anew_at_the_start() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let path = directory.path().join("network.jsonl");
    let mut f = Fixture::simulator_in(Arc::clone(&directory));
    f.provision(&order(1, "device@testcsp.net", "QOS_L")).await;
    drop(f);
    let kept = std::fs::read_to_string(&path).unwrap();
    let stale = "{\"release\":\"00000000-0000-4000-8000-000000000000\"}\n";
    std::fs::write(&path, kept.clone() + &stale.repeat(100_000)).unwrap();
    let f = Fixture::simulator_in(directory);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), kept);
    assert_eq!(f.installed().await.len(), 1);
}
