//! What goes wrong in calls, when it is wanted.

use std::time::Duration;

use greenwave_core::device::NetworkAccessIdentifier;
use greenwave_core::{Buckets, Device};
use greenwave_network::simulator::CellName;
use greenwave_network::simulator::faults::{
    CallFault, Concern, Fault, GrantFault, Kind, LONGEST_DELAY, Operation,
};
use greenwave_network::{Installed, Network, NetworkError, News, Provisioned};

use crate::fixture::{Disturbed, now, order};

const LATER: Duration = Duration::from_secs(12);

fn one() -> greenwave_core::Order {
    order(1, "device@testcsp.net", "QOS_L")
}

impl Disturbed {
    fn once(&self, operation: Operation, fault: CallFault) {
        self.network.faults().add(Fault::once(Kind::Call(operation, fault))).unwrap();
    }

    fn once_granting(&self, fault: GrantFault) {
        self.network.faults().add(Fault::once(Kind::Grant(fault))).unwrap();
    }

    /// Has a session installed, without any fault.
    async fn live(&mut self) {
        assert_eq!(self.network.provision(one()).await.unwrap(), Provisioned::Pending);
        self.pass(50);
        assert_eq!(self.event().await, Some((one().session, News::Granted)));
    }
}

#[tokio::test]
async fn a_provision_without_an_answer_has_done_nothing() {
    let mut f = Disturbed::new();
    f.once(Operation::Provision, CallFault::NeverAnswers);
    let mut answer = f.network.provision(one());
    f.timer.pass(LONGEST_DELAY);
    assert!(now(&mut answer).await.is_none());
    drop(answer);
    assert_eq!(f.event().await, None);
    assert!(f.sessions().await.is_empty());
    f.live().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_its_rule() {
    let mut f = Disturbed::new();
    f.once(Operation::Provision, CallFault::LosesAnswer);
    let mut answer = f.network.provision(one());
    f.timer.pass(LONGEST_DELAY);
    assert!(now(&mut answer).await.is_none());
    drop(answer);
    assert_eq!(f.event().await, None, "nobody is told");
    assert_eq!(f.sessions().await, [one().session]);
    assert_eq!(f.network.provision(one()).await.unwrap(), Provisioned::Granted);
}

#[tokio::test]
async fn an_answer_that_is_late_tells_of_a_rule_that_is_there() {
    let f = Disturbed::new();
    f.once(Operation::Provision, CallFault::AnswersLate(LATER));
    let mut answer = f.network.provision(one());
    assert_eq!(f.sessions().await, [one().session]);
    f.pass(11_999);
    assert!(now(&mut answer).await.is_none());
    f.pass(1);
    assert_eq!(now(&mut answer).await.unwrap().unwrap(), Provisioned::Granted);
}

#[tokio::test]
async fn what_is_done_late_is_done_though_nobody_waits() {
    let mut f = Disturbed::new();
    f.once(Operation::Provision, CallFault::ActsLate(LATER));
    drop(f.network.provision(one()));
    f.network.release(one()).await.unwrap();
    f.pass(11_999);
    assert_eq!(f.event().await, None);
    assert!(f.sessions().await.is_empty());
    f.pass(1);
    assert_eq!(f.event().await, None);
    assert_eq!(f.sessions().await, [one().session]);
}

#[tokio::test]
async fn what_is_done_late_is_answered_then() {
    let mut f = Disturbed::new();
    f.live().await;
    f.once(Operation::Release, CallFault::ActsLate(LATER));
    let mut answer = f.network.release(one());
    assert!(now(&mut answer).await.is_none());
    assert_eq!(f.sessions().await, [one().session]);
    f.timer.pass(LATER);
    assert!(now(&mut answer).await.unwrap().is_ok());
    drop(answer);
    assert!(f.sessions().await.is_empty());
}

#[tokio::test]
async fn not_everything_can_be_late() {
    let f = Disturbed::new();
    let late = Kind::Call(Operation::Release, CallFault::ActsLate(LATER));
    f.network.faults().add(Fault::new(late)).unwrap();
    for _ in 0..1_024 {
        drop(f.network.release(one()));
    }
    let busy = f.network.release(one()).await;
    assert!(matches!(busy, Err(NetworkError::Busy { .. })), "{busy:?}");
    f.timer.pass(LATER);
    for _ in 0..1_024 {
        tokio::task::yield_now().await;
    }
    assert!(now(&mut f.network.release(one())).await.is_none(), "there is room again");
}

#[tokio::test]
async fn a_call_that_fails_has_done_nothing_or_everything() {
    let mut f = Disturbed::new();
    f.once(Operation::Provision, CallFault::Fails);
    f.network.provision(one()).await.unwrap_err();
    assert!(f.sessions().await.is_empty());
    f.once(Operation::Provision, CallFault::ActsThenFails);
    f.network.provision(one()).await.unwrap_err();
    assert_eq!(f.sessions().await, [one().session]);
    assert_eq!(f.event().await, None);
    f.once(Operation::Release, CallFault::Fails);
    f.network.release(one()).await.unwrap_err();
    assert_eq!(f.sessions().await, [one().session]);
    f.once(Operation::Release, CallFault::ActsThenFails);
    f.network.release(one()).await.unwrap_err();
    assert!(f.sessions().await.is_empty());
}

#[tokio::test]
async fn a_busy_network_says_for_how_long() {
    let f = Disturbed::new();
    f.once(Operation::Provision, CallFault::Busy(Some(LATER)));
    let busy = f.network.provision(one()).await;
    assert!(matches!(busy, Err(NetworkError::Busy { retry_after: Some(LATER) })), "{busy:?}");
    f.once(Operation::List, CallFault::Busy(None));
    let busy = f.network.installed(Buckets::ALL).await;
    assert!(matches!(busy, Err(NetworkError::Busy { retry_after: None })), "{busy:?}");
    assert!(f.sessions().await.is_empty());
}

#[tokio::test]
async fn a_network_refuses_at_once_or_later() {
    let mut f = Disturbed::new();
    f.once_granting(GrantFault::Refuses);
    assert_eq!(f.network.provision(one()).await.unwrap(), Provisioned::Refused);
    f.pass(50);
    assert_eq!(f.event().await, None);
    f.once_granting(GrantFault::RefusesLater);
    assert_eq!(f.network.provision(one()).await.unwrap(), Provisioned::Pending);
    assert_eq!(f.event().await, None);
    f.pass(50);
    assert_eq!(f.event().await, Some((one().session, News::Refused)));
    assert!(f.sessions().await.is_empty());
}

#[tokio::test]
async fn a_cell_gets_back_what_a_refusal_has_not_used() {
    let mut f = Disturbed::new();
    let stadium = |number| order(number, "stadium-7@testcsp.net", "QOS_L");
    for number in 1..=3 {
        f.once_granting(GrantFault::RefusesLater);
        f.network.provision(stadium(number)).await.unwrap();
    }
    f.pass(50);
    while f.event().await.is_some() {}
    for number in 1..=3 {
        assert_eq!(f.network.provision(stadium(number)).await.unwrap(), Provisioned::Pending);
    }
    assert_eq!(f.network.provision(stadium(4)).await.unwrap(), Provisioned::Refused);
}

#[tokio::test]
async fn what_is_never_confirmed_stays_asked_for_until_it_is_released() {
    let mut f = Disturbed::new();
    f.once_granting(GrantFault::NeverConfirms);
    for _ in 0..3 {
        assert_eq!(f.network.provision(one()).await.unwrap(), Provisioned::Pending);
        f.pass(60_000);
        assert_eq!(f.event().await, None);
    }
    assert!(f.sessions().await.is_empty());
    f.network.release(one()).await.unwrap();
    f.live().await;
}

#[tokio::test]
async fn a_grant_is_confirmed_twice() {
    let mut f = Disturbed::new();
    f.once_granting(GrantFault::ConfirmsTwice);
    assert_eq!(f.network.provision(one()).await.unwrap(), Provisioned::Pending);
    f.pass(50);
    for _ in 0..2 {
        assert_eq!(f.event().await, Some((one().session, News::Granted)));
    }
    assert_eq!(f.event().await, None);
    assert_eq!(f.sessions().await, [one().session]);
}

#[tokio::test]
async fn a_grant_is_confirmed_before_the_answer_comes() {
    let f = &mut Disturbed::new();
    f.once_granting(GrantFault::ConfirmsFirst(Duration::from_millis(10)));
    let mut answer = f.network.provision(one());
    assert!(now(&mut answer).await.is_none());
    assert_eq!(f.events.try_recv().unwrap().news, News::Granted);
    f.timer.pass(Duration::from_millis(10));
    assert_eq!(now(&mut answer).await.unwrap().unwrap(), Provisioned::Pending);
    drop(answer);
    assert_eq!(f.event().await, None);
    assert_eq!(f.sessions().await, [one().session]);
}

#[tokio::test]
async fn a_fault_takes_the_place_of_a_grant_that_was_to_come() {
    let mut f = Disturbed::new();
    f.network.provision(one()).await.unwrap();
    f.once(Operation::Provision, CallFault::ActsThenFails);
    f.network.provision(one()).await.unwrap_err();
    assert_eq!(f.sessions().await, [one().session]);
    f.pass(50);
    assert_eq!(f.event().await, None);
    f.network.release(one()).await.unwrap();
    assert!(f.sessions().await.is_empty());
}

#[tokio::test]
async fn a_fault_is_only_about_what_it_names() {
    let f = Disturbed::new();
    let name = NetworkAccessIdentifier::parse("device@testcsp.net").unwrap();
    let other = order(2, "stadium@testcsp.net", "QOS_L");
    for concern in [
        Concern { session: Some(one().session), ..Concern::default() },
        Concern {
            device: Some(Device::new(Some(name), None, None, None).unwrap()),
            ..Concern::default()
        },
        Concern { cell: Some(CellName::City(0x1212)), ..Concern::default() },
    ] {
        let fault = Fault { concern, ..Fault::new(Kind::Grant(GrantFault::Refuses)) };
        let listed = f.network.faults().add(fault).unwrap();
        assert_eq!(f.network.provision(other.clone()).await.unwrap(), Provisioned::Pending);
        assert_eq!(f.network.provision(one()).await.unwrap(), Provisioned::Refused);
        assert_eq!(f.network.faults().list()[0].struck, 1);
        assert!(f.network.faults().remove(listed.id));
        assert!(!f.network.faults().remove(listed.id));
    }
    assert_eq!(f.network.provision(one()).await.unwrap(), Provisioned::Pending);
}

#[tokio::test]
async fn removing_what_belongs_to_nobody_can_go_wrong_as_a_release() {
    let mut f = Disturbed::new();
    f.live().await;
    let concern = Concern { cell: Some(CellName::City(0x1212)), ..Concern::default() };
    let fails = Kind::Call(Operation::Release, CallFault::Fails);
    f.network.faults().add(Fault { concern, ..Fault::once(fails) }).unwrap();
    let installed = Installed { session: one().session };
    f.network.remove(installed).await.unwrap_err();
    f.network.remove(installed).await.unwrap();
    assert!(f.sessions().await.is_empty());
}

#[tokio::test]
async fn a_network_that_is_started_again_has_no_faults() {
    let f = Disturbed::new();
    f.network.faults().add(Fault::new(Kind::Grant(GrantFault::Refuses))).unwrap();
    let f = f.restarted();
    assert!(f.network.faults().list().is_empty());
    assert_eq!(f.network.provision(one()).await.unwrap(), Provisioned::Pending);
}
