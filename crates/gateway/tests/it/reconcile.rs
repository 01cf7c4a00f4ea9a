//! The network held against the ledger: what is leaked goes, what is lost comes back, what is
//! somebody else's stays.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{SOON, within};
use crate::fixture::{Fixture, path, request, tutorial, with};
use crate::receiver::{Received, Receiver};

const RULES: &str = "/greenwave/v1/sandbox/network/rules";
const FORGET: &str = "/greenwave/v1/sandbox/network/forget";
const ORPHANS: &str = "/greenwave/v1/orphans";

/// A session that outlives the test, however far the clock is moved.
fn long(device: &str) -> Value {
    with(request(device), "duration", json!(86_400))
}

impl Fixture {
    async fn plant(&self, owner: &str, count: usize) {
        for _ in 0..count {
            assert_eq!(self.admin.post(RULES, json!({"owner": owner})).await.status, 201);
        }
    }

    async fn rules_of(&self, owner: &str) -> usize {
        let rules = self.admin.get(RULES).await.json;
        let rules = rules["rules"].as_array().unwrap();
        rules.iter().filter(|rule| rule["owner"] == owner).count()
    }

    /// Lets periods pass until a comparison has brought the rules to this number.
    async fn until_reconciled(&self, ours: usize) {
        let passing = async {
            while self.rules_of("gateway").await != ours {
                self.pass_a_period().await;
            }
        };
        within(SOON, format!("{ours} rules"), passing).await;
    }

    /// Lets time pass until a comparison has come to its end, well or not.
    async fn pass_a_period(&self) {
        let passes = async || {
            let of = |result| format!("greenwave_reconcile_passes_total{{result=\"{result}\"}}");
            self.count(&of("done")).await + self.count(&of("failed")).await
        };
        let before = passes().await;
        let passing = async {
            while passes().await == before {
                self.timer.pass(Duration::from_secs(1));
            }
        };
        within(SOON, "a comparison", passing).await;
    }

    /// A figure, by its name and labels.
    async fn figure(&self, name: &str) -> f64 {
        self.find_figure(name).await.unwrap_or_else(|| panic!("no {name}"))
    }

    /// A counter, which is there only once it has counted.
    async fn count(&self, name: &str) -> f64 {
        self.find_figure(name).await.unwrap_or_default()
    }

    async fn find_figure(&self, name: &str) -> Option<f64> {
        let answer = self.admin.get("/metrics").await;
        let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
        let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(is_value))?;
        Some(line[name.len()..].trim().parse().unwrap())
    }

    /// Waits for a figure.
    async fn until_figure(&self, name: &str, wanted: f64) {
        let looking = async { while self.count(name).await != wanted {} };
        within(SOON, format!("{name} to be {wanted}"), looking).await;
    }
}

fn is_value(rest: &str) -> bool {
    rest.starts_with(' ')
}

#[tokio::test]
async fn a_rule_of_no_session_is_removed_and_a_strangers_is_not_touched() {
    let f = Fixture::new().await;
    let id = f.live(long("a@testcsp.net")).await;
    f.plant("gateway", 100).await;
    f.plant("other", 100).await;
    f.until_reconciled(1).await;
    assert_eq!(f.rules_of("other").await, 100);
    f.until_rules(std::slice::from_ref(&id)).await;
    f.until_figure("greenwave_reconcile_leaks_total{kind=\"stray\"}", 100.0).await;
    assert!(f.get(&id).await.is_status("AVAILABLE"));
    assert_eq!(f.figure("greenwave_network_resources{state=\"honoured\"}").await, 1.0);
}

#[tokio::test]
async fn what_the_network_forgot_is_put_back_and_nobody_is_told() {
    let receiver = Receiver::start().await;
    let f = Fixture::new().await;
    let webhook = json!({"notificationUrl": receiver.url()});
    let id = f.live(with(long("a@testcsp.net"), "webhook", webhook)).await;
    let other = f.live(long("b@testcsp.net")).await;
    receiver.until(1).await;
    let before = f.get(&id).await.json;
    assert_eq!(f.admin.post(FORGET, "").await.json, json!({"rules": 2}));
    f.until_reconciled(2).await;
    f.until_figure("greenwave_network_resources{state=\"lost\"}", 0.0).await;
    assert_eq!(f.get(&id).await.json, before, "as if nothing had happened");
    assert_eq!(f.figure("greenwave_reconcile_leaks_total{kind=\"missing\"}").await, 2.0);
    f.settles(&[id, other]).await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn what_the_network_will_not_take_back_ends() {
    let receiver = Receiver::start().await;
    let f = Fixture::new().await;
    let webhook = json!({"notificationUrl": receiver.url()});
    let id = f.live(with(long("a@testcsp.net"), "webhook", webhook)).await;
    receiver.until(1).await;
    f.fault(json!({"operation": "provision", "kind": "refuses"})).await;
    f.admin.post(FORGET, "").await.assert_ok();
    f.pass_a_period().await;
    let ended = f.until(&id, "UNAVAILABLE").await;
    assert_eq!(ended.json["statusInfo"], "NETWORK_TERMINATED");
    let told = receiver.until(2).await;
    assert_eq!(
        Received::status(&told[1]),
        ("UNAVAILABLE".to_owned(), "NETWORK_TERMINATED".to_owned())
    );
    f.settles(&[]).await;
}

#[tokio::test]
async fn a_network_that_cannot_be_listed_is_asked_again() {
    let f = Fixture::new().await;
    f.until_figure("greenwave_reconcile_passes_total{result=\"done\"}", 1.0).await;
    f.plant("gateway", 1).await;
    f.fault(json!({"operation": "list", "kind": "fails", "times": 1})).await;
    f.pass_a_period().await;
    f.until_figure("greenwave_reconcile_passes_total{result=\"failed\"}", 1.0).await;
    assert_eq!(f.rules_of("gateway").await, 1);
    f.until_reconciled(0).await;
}

#[tokio::test]
async fn what_is_released_while_the_network_is_listed_is_no_leak() {
    let f = Fixture::new().await;
    f.until_figure("greenwave_reconcile_passes_total{result=\"done\"}", 1.0).await;
    let id = f.live(long("a@testcsp.net")).await;
    let late = json!({"operation": "list", "kind": "answers-late", "delayMs": 8_000, "times": 1});
    f.fault(late).await;
    // The list is made, with the session on it, and is on its way.
    let listing = async {
        while f.admin.get("/greenwave/v1/sandbox/faults").await.json != json!([]) {
            f.timer.pass(Duration::from_secs(1));
        }
    };
    within(SOON, "a listing", listing).await;
    assert_eq!(f.api.delete(&path(&id)).await.status, 204);
    f.until_rules(&[]).await;
    f.pass_a_period().await;
    assert_eq!(f.count("greenwave_reconcile_leaks_total{kind=\"stray\"}").await, 0.0);
}

#[tokio::test]
async fn what_is_released_before_the_network_makes_its_list_is_not_missing() {
    let f = Fixture::new().await;
    f.until_figure("greenwave_reconcile_passes_total{result=\"done\"}", 1.0).await;
    let id = f.live(long("a@testcsp.net")).await;
    let late = json!({"operation": "list", "kind": "acts-late", "delayMs": 8_000, "times": 1});
    f.fault(late).await;
    // What should be there has been looked up, and the list is still to be made.
    let listing = async {
        while f.admin.get("/greenwave/v1/sandbox/faults").await.json != json!([]) {
            f.timer.pass(Duration::from_secs(1));
        }
    };
    within(SOON, "a listing", listing).await;
    assert_eq!(f.api.delete(&path(&id)).await.status, 204);
    f.until_rules(&[]).await;
    f.pass_a_period().await;
    assert_eq!(f.count("greenwave_reconcile_leaks_total{kind=\"missing\"}").await, 0.0);
}

#[tokio::test]
async fn what_was_leaked_before_a_crash_is_found_at_the_start() {
    let f = Fixture::new().await;
    let id = f.live(long("a@testcsp.net")).await;
    f.plant("gateway", 3).await;
    f.plant("other", 1).await;
    let f = f.crash().await;
    f.until_rules(&[id]).await;
    assert_eq!(f.rules_of("other").await, 1);
}

#[tokio::test]
async fn a_network_that_was_built_anew_while_nobody_looked_gets_its_rules_back() {
    let f = Fixture::new().await;
    let ids = [f.live(long("a@testcsp.net")).await, f.live(long("b@testcsp.net")).await];
    f.live(with(request("c@testcsp.net"), "duration", json!(5))).await;
    let (directory, timer) = f.stop().await;
    std::fs::remove_file(directory.path().join("network.jsonl")).unwrap();
    timer.pass(Duration::from_secs(10));
    let f = Fixture::open(directory, timer, Duration::ZERO).await;
    let mut wanted = ids.to_vec();
    wanted.sort();
    f.until_rules(&wanted).await;
    f.until_figure("greenwave_network_resources{state=\"honoured\"}", 2.0).await;
    f.settles(&wanted).await;
}

#[tokio::test]
async fn a_release_that_is_never_confirmed_becomes_an_orphan_that_can_be_given_up() {
    let f = Fixture::new().await;
    assert_eq!(f.admin.get(ORPHANS).await.json, json!([]));
    f.fault(json!({"operation": "release", "kind": "fails"})).await;
    let id = f.live(tutorial()).await;
    let orphan = format!("{ORPHANS}/{id}");
    f.admin.delete(&orphan).await.assert_error(409, "CONFLICT");
    assert_eq!(f.api.delete(&path(&id)).await.status, 204);
    let becoming = async {
        while f.admin.get(ORPHANS).await.json == json!([]) {
            f.timer.pass(Duration::from_secs(10));
        }
    };
    within(SOON, "an orphan", becoming).await;
    let listed = f.admin.get(ORPHANS).await.json;
    assert_eq!((&listed[0]["sessionId"], &listed[0]["tries"]), (&json!(id), &json!(20)));
    assert_eq!(f.figure("greenwave_network_resources{state=\"orphan\"}").await, 1.0);

    assert_eq!(f.admin.delete(&orphan).await.status, 204);
    assert_eq!(f.admin.get(ORPHANS).await.json, json!([]));
    f.admin.delete(&orphan).await.assert_error(404, "NOT_FOUND");
    f.admin.delete(&format!("{ORPHANS}/nonsense")).await.assert_error(404, "NOT_FOUND");
    // It is a stray rule from now on, and goes once the network lets it.
    f.admin.delete("/greenwave/v1/sandbox/faults").await.assert_ok();
    f.until_reconciled(0).await;
}

#[tokio::test]
async fn figures_tell_what_happened_and_of_whom_nothing() {
    let receiver = Receiver::start().await;
    let f = Fixture::new().await;
    let webhook = json!({"notificationUrl": receiver.url()});
    f.live(with(tutorial(), "webhook", webhook)).await;
    receiver.until(1).await;
    f.timer.pass(Duration::from_secs(61));
    receiver.until(2).await;
    f.until_figure("greenwave_session_release_lateness_seconds_count", 1.0).await;
    f.until_figure("greenwave_event_delivery_seconds_count", 2.0).await;
    for (name, value) in [
        ("greenwave_sessions_created_total", 1.0),
        ("greenwave_status_changes_total{status=\"available\",reason=\"granted\"}", 1.0),
        ("greenwave_status_changes_total{status=\"unavailable\",reason=\"duration_expired\"}", 1.0),
        ("greenwave_session_expiry_lateness_seconds_count", 1.0),
        ("greenwave_session_expiry_lateness_seconds_sum", 1.0),
        ("greenwave_network_resources{state=\"honoured\"}", 0.0),
        ("greenwave_outbox_depth", 0.0),
        ("greenwave_dead_letters_total", 0.0),
    ] {
        assert_eq!(f.figure(name).await, value, "{name}");
    }
    let answer = f.admin.get("/metrics").await;
    let text = String::from_utf8(answer.bytes.to_vec()).unwrap();
    assert!(text.ends_with("# EOF\n"));
    for secret in ["device@", "testcsp", "sandbox", "203.0.113", &receiver.url()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let stranger = crate::client::TestClient::new(&f.admin.root);
    stranger.get("/metrics").await.assert_error(401, "UNAUTHENTICATED");
    f.api.get("/metrics").await.assert_error(404, "NOT_FOUND");
}
