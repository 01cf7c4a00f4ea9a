//! What becomes of sessions when the network goes wrong. However it does, in the end the rules in
//! the network are those of the live sessions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Answer, SOON, within};
use crate::fixture::{Fixture, SESSIONS, path, request, tutorial, with};
use crate::receiver::{Received, Receiver};

const FAULTS: &str = "/greenwave/v1/sandbox/faults";
const RULES: &str = "/greenwave/v1/sandbox/network/rules";

/// How often the state is looked at before the clock is moved by a second: so often that the
/// gateway gets to do what is due in it, and no session is given up because the clock ran ahead.
const LOOKS: usize = 20;

/// A session that outlives the test, however far the clock is moved.
fn long() -> Value {
    with(tutorial(), "duration", json!(86_400))
}

impl Fixture {
    /// Lets something go wrong.
    pub(crate) async fn fault(&self, fault: Value) {
        let answer = self.admin.post(FAULTS, fault).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Waits until every fault has struck as often as it was to.
    async fn until_struck(&self) {
        self.admin.get_until(FAULTS, |answer| answer.json == json!([])).await;
    }

    /// Moves the clock second by second until the answer is as wanted, and tells for how long that
    /// took.
    async fn pass_until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Duration {
        let passing = async {
            let mut passed = Duration::ZERO;
            loop {
                for _ in 0..LOOKS {
                    if wanted(&self.api.get(path).await) {
                        return passed;
                    }
                }
                self.timer.pass(Duration::from_secs(1));
                passed += Duration::from_secs(1);
            }
        };
        within(SOON, path, passing).await
    }

    /// The same, until every fault has struck as often as it was to.
    async fn pass_until_struck(&self) {
        let passing = async {
            while self.admin.get(FAULTS).await.json != json!([]) {
                self.timer.pass(Duration::from_secs(1));
            }
        };
        within(SOON, "the faults", passing).await;
    }

    /// Moves the clock second by second until the network has the rules of the sessions that are
    /// available, which are these, and no others.
    pub(crate) async fn settles(&self, wanted: &[String]) {
        let mut wanted = wanted.to_vec();
        wanted.sort();
        let settling = async {
            loop {
                for _ in 0..LOOKS / 4 {
                    let rules = self.admin.get(RULES).await;
                    if ids(&rules.json["rules"], |_| true) == wanted {
                        return;
                    }
                }
                self.timer.pass(Duration::from_secs(1));
            }
        };
        within(SOON, format!("the rules of {} sessions", wanted.len()), settling).await;
        let listed = self.api.get(SESSIONS).await;
        assert_eq!(ids(&listed.json, |session| session["qosStatus"] == "AVAILABLE"), wanted);
    }

    /// A session stays requested for a minute after it was created, which is now, and no longer.
    async fn is_given_up(&self, id: &str) {
        for _ in 0..60 {
            assert!(self.get(id).await.is_status("REQUESTED"));
            self.timer.pass(Duration::from_secs(1));
        }
        let ended = self.until(id, "UNAVAILABLE").await;
        assert_eq!(ended.json["statusInfo"], "NETWORK_TERMINATED");
    }

    async fn delete(&self, id: &str) {
        assert_eq!(self.api.delete(&path(id)).await.status, 204);
        self.get(id).await.assert_error(404, "NOT_FOUND");
    }

    /// A session that tells a receiver what becomes of it.
    async fn create_telling(&self, receiver: &Receiver) -> String {
        let webhook = json!({"notificationUrl": receiver.url()});
        self.create(with(long(), "webhook", webhook)).await
    }
}

/// The ids of those sessions in a list that are wanted, in their order.
fn ids(list: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
    let list = list.as_array().unwrap().iter().filter(|entry| wanted(entry));
    let mut ids: Vec<String> =
        list.map(|entry| entry["sessionId"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn is(status: &'static str) -> impl Fn(&Answer) -> bool {
    move |answer| answer.is_status(status)
}

fn told(qos_status: &str, status_info: &str) -> (String, String) {
    (qos_status.to_owned(), status_info.to_owned())
}

#[tokio::test]
async fn an_error_on_create_is_tried_again() {
    let f = Fixture::new().await;
    f.fault(json!({"operation": "provision", "kind": "fails", "times": 2})).await;
    let id = f.create(long()).await;
    let passed = f.pass_until(&path(&id), is("AVAILABLE")).await;
    assert!(passed >= Duration::from_secs(3), "after 1 s, and after 2 s more: {passed:?}");
    f.settles(&[id]).await;
}

#[tokio::test]
async fn errors_on_create_without_an_end_end_the_session() {
    let receiver = Receiver::start().await;
    let f = Fixture::new().await;
    f.fault(json!({"operation": "provision", "kind": "fails"})).await;
    let id = f.create_telling(&receiver).await;
    f.is_given_up(&id).await;
    let events = receiver.until(1).await;
    assert_eq!(events[0].status(), told("UNAVAILABLE", "NETWORK_TERMINATED"));
    f.settles(&[]).await;

    // Nothing is in the way of another try.
    f.admin.delete(FAULTS).await.assert_ok();
    let again = f.live(long()).await;
    f.settles(&[again]).await;
}

#[tokio::test]
async fn a_rule_whose_answer_comes_after_twelve_seconds_is_granted_once() {
    let receiver = Receiver::start().await;
    let f = Fixture::new().await;
    let late = json!({"operation": "provision", "kind": "answers-late", "delayMs": 12_000});
    f.fault(with(late, "times", json!(1))).await;
    let id = f.create_telling(&receiver).await;
    f.until_struck().await;
    f.until_rules(std::slice::from_ref(&id)).await;
    assert!(f.get(&id).await.is_status("REQUESTED"));
    f.pass_until(&path(&id), is("AVAILABLE")).await;
    // The second try has found it, and the first one's answer is nothing new.
    f.timer.pass(Duration::from_secs(12));
    f.settles(std::slice::from_ref(&id)).await;
    f.delete(&id).await;
    f.settles(&[]).await;
    let events: Vec<_> = receiver.until(2).await.iter().map(Received::status).collect();
    assert_eq!(events, [told("AVAILABLE", ""), told("UNAVAILABLE", "DELETE_REQUESTED")]);
}

#[tokio::test]
async fn answers_that_all_take_twelve_seconds_are_waited_for() {
    let f = Fixture::new().await;
    let late = json!({"operation": "provision", "kind": "answers-late", "delayMs": 12_000});
    f.fault(late).await;
    let id = f.create(long()).await;
    f.until_rules(std::slice::from_ref(&id)).await;
    f.timer.pass(Duration::from_millis(11_999));
    assert!(f.get(&id).await.is_status("REQUESTED"));
    f.timer.pass(Duration::from_millis(1));
    f.until(&id, "AVAILABLE").await;
    f.settles(&[id]).await;
}

#[tokio::test]
async fn a_late_answer_to_a_session_that_was_deleted_leaves_nothing() {
    let f = Fixture::new().await;
    let late = json!({"operation": "provision", "kind": "answers-late", "delayMs": 12_000});
    f.fault(late).await;
    let id = f.create(long()).await;
    f.until_rules(std::slice::from_ref(&id)).await;
    f.delete(&id).await;
    f.settles(&[]).await;
    f.timer.pass(Duration::from_secs(12));
    f.settles(&[]).await;
}

#[tokio::test]
async fn what_the_network_does_when_nobody_wants_it_any_more_is_taken_back() {
    let f = Fixture::new().await;
    let late = json!({"operation": "provision", "kind": "acts-late", "delayMs": 30_000});
    f.fault(with(late, "times", json!(1))).await;
    let id = f.create(long()).await;
    f.until_struck().await;
    f.delete(&id).await;
    // The order to release waits until the call counts as failed.
    f.timer.pass(Duration::from_secs(5));
    // Another session shows that the network's workers go on.
    let other = f.live(with(request("other@testcsp.net"), "duration", json!(86_400))).await;
    f.timer.pass(Duration::from_secs(25));
    f.settles(&[other]).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_effect_is_found_by_the_second_try() {
    let f = Fixture::new().await;
    f.fault(json!({"operation": "provision", "kind": "loses-answer", "times": 1})).await;
    let id = f.create(long()).await;
    let passed = f.pass_until(&path(&id), is("AVAILABLE")).await;
    assert!(passed >= Duration::from_secs(6), "{passed:?}");
    f.fault(json!({"operation": "provision", "kind": "acts-then-fails", "times": 1})).await;
    let other = f.create(long()).await;
    f.pass_until(&path(&other), is("AVAILABLE")).await;
    f.settles(&[id, other]).await;
}

#[tokio::test]
async fn without_any_answer_a_session_is_given_up_and_its_rule_taken_back() {
    let f = Fixture::new().await;
    for kind in ["loses-answer", "never-answers", "never-confirms"] {
        f.fault(json!({"operation": "provision", "kind": kind})).await;
        let id = f.create(long()).await;
        if kind == "loses-answer" {
            f.until_rules(std::slice::from_ref(&id)).await;
        }
        f.is_given_up(&id).await;
        f.settles(&[]).await;
        f.admin.delete(FAULTS).await.assert_ok();
    }
}

#[tokio::test]
async fn a_network_that_is_busy_is_left_alone() {
    let f = Fixture::new().await;
    let busy = json!({"operation": "provision", "kind": "busy", "retryAfterMs": 10_000});
    f.fault(with(busy, "times", json!(1))).await;
    let id = f.create(long()).await;
    let passed = f.pass_until(&path(&id), is("AVAILABLE")).await;
    assert!(passed >= Duration::from_secs(10), "{passed:?}");
    f.settles(&[id]).await;
}

#[tokio::test]
async fn a_refusal_is_told_and_leaves_nothing() {
    let f = Fixture::new().await;
    for kind in ["refuses", "refuses-later"] {
        f.fault(json!({"operation": "provision", "kind": kind, "times": 1})).await;
        let id = f.create(long()).await;
        let answer = f.until(&id, "UNAVAILABLE").await;
        assert_eq!(answer.json["statusInfo"], "NETWORK_TERMINATED");
        f.settles(&[]).await;
    }
}

#[tokio::test]
async fn a_grant_that_comes_twice_or_first_is_told_once() {
    for fault in [
        json!({"operation": "provision", "kind": "confirms-twice", "times": 1}),
        json!({"operation": "provision", "kind": "confirms-first", "delayMs": 10, "times": 1}),
    ] {
        let receiver = Receiver::start().await;
        let f = Fixture::new().await;
        f.fault(fault).await;
        let id = f.create_telling(&receiver).await;
        f.until(&id, "AVAILABLE").await;
        f.timer.pass(Duration::from_secs(1));
        f.settles(std::slice::from_ref(&id)).await;
        f.delete(&id).await;
        let events: Vec<_> = receiver.until(2).await.iter().map(Received::status).collect();
        assert_eq!(events, [told("AVAILABLE", ""), told("UNAVAILABLE", "DELETE_REQUESTED")]);
        f.settles(&[]).await;
    }
}

#[tokio::test]
async fn a_release_that_goes_wrong_is_tried_until_nothing_is_left() {
    let f = Fixture::new().await;
    for fault in [
        json!({"kind": "fails", "times": 3}),
        json!({"kind": "busy", "retryAfterMs": 20_000, "times": 2}),
        json!({"kind": "never-answers", "times": 2}),
        json!({"kind": "acts-late", "delayMs": 12_000, "times": 1}),
        json!({"kind": "acts-then-fails", "times": 2}),
        json!({"kind": "loses-answer", "times": 2}),
    ] {
        let (id, other) = (f.live(long()).await, f.live(long()).await);
        let fault = with(fault, "operation", json!("release"));
        f.fault(with(fault, "sessionId", json!(id))).await;
        f.delete(&id).await;
        f.pass_until_struck().await;
        f.settles(std::slice::from_ref(&other)).await;
        f.delete(&other).await;
        f.settles(&[]).await;
    }
}

#[tokio::test]
async fn a_session_ends_on_time_though_the_network_does_not_release_it() {
    let f = Fixture::new().await;
    f.fault(json!({"operation": "release", "kind": "fails"})).await;
    let id = f.live(tutorial()).await;
    f.timer.pass(Duration::from_secs(60));
    f.get(&id).await.assert_error(404, "NOT_FOUND");
    f.timer.pass(Duration::from_secs(3_600));
    f.until_rules(std::slice::from_ref(&id)).await;
    f.admin.delete(FAULTS).await.assert_ok();
    f.settles(&[]).await;
}

#[tokio::test]
async fn a_session_that_the_network_ends_is_told_of() {
    let receiver = Receiver::start().await;
    let f = Fixture::new().await;
    let id = f.create_telling(&receiver).await;
    f.until(&id, "AVAILABLE").await;
    let other = f.live(long()).await;
    let end = format!("/greenwave/v1/sandbox/network/sessions/{id}/end");
    assert_eq!(f.admin.post(&end, "").await.status, 204);
    let ended = f.until(&id, "UNAVAILABLE").await;
    assert_eq!(ended.json["statusInfo"], "NETWORK_TERMINATED");
    assert_eq!(receiver.until(2).await[1].status(), told("UNAVAILABLE", "NETWORK_TERMINATED"));
    f.admin.post(&end, "").await.assert_error(404, "NOT_FOUND");
    f.settles(&[other]).await;
}

#[tokio::test]
async fn whatever_is_lost_by_chance_the_end_is_right() {
    let f = Fixture::new().await;
    for operation in ["provision", "release"] {
        for kind in ["never-answers", "loses-answer", "acts-then-fails"] {
            f.fault(json!({"operation": operation, "kind": kind, "probability": 0.2})).await;
        }
        let late = json!({"operation": operation, "kind": "acts-late", "delayMs": 7_000});
        f.fault(with(late, "probability", json!(0.2))).await;
    }
    let mut ids = Vec::new();
    for number in 0..40 {
        let body = with(request(&format!("d{number}@testcsp.net")), "duration", json!(86_400));
        ids.push(f.create(body).await);
    }
    for id in &ids {
        f.pass_until(&path(id), |answer| !answer.is_status("REQUESTED")).await;
    }
    let (deleted, kept) = ids.split_at(20);
    for id in deleted {
        assert_eq!(f.api.delete(&path(id)).await.status, 204);
    }
    let mut live = Vec::new();
    for id in kept {
        if f.get(id).await.is_status("AVAILABLE") {
            live.push(id.clone());
        }
    }
    f.settles(&live).await;
}

#[tokio::test]
async fn faults_are_added_looked_at_and_removed() {
    let f = Fixture::new().await;
    assert_eq!(f.admin.get(FAULTS).await.json, json!([]));
    let all = json!({
        "operation": "provision", "kind": "answers-late", "delayMs": 12_000, "times": 3,
        "probability": 0.5, "sessionId": "b81c3a0e-8a4c-4ad5-8a4f-2a6b6b1f7d10",
        "device": "+36721601234567", "cell": "city-7",
    });
    let added = f.admin.post(FAULTS, all.clone()).await;
    assert_eq!(added.status, 201);
    assert_eq!(added.json, with(with(all, "id", json!(1)), "struck", json!(0)));
    let mut fault = json!({"operation": "release", "kind": "busy", "retryAfterMs": 5_000});
    f.fault(fault.clone()).await;
    let one = f.admin.get(&format!("{FAULTS}/2")).await;
    fault["id"] = json!(2);
    fault["struck"] = json!(0);
    assert_eq!(one.json, fault);
    assert_eq!(f.admin.get(FAULTS).await.json, json!([added.json, fault]));

    assert_eq!(f.admin.delete(&format!("{FAULTS}/1")).await.status, 204);
    for gone in ["1", "3", "nonsense"] {
        f.admin.get(&format!("{FAULTS}/{gone}")).await.assert_error(404, "NOT_FOUND");
        f.admin.delete(&format!("{FAULTS}/{gone}")).await.assert_error(404, "NOT_FOUND");
    }
    assert_eq!(f.admin.delete(FAULTS).await.status, 204);
    assert_eq!(f.admin.get(FAULTS).await.json, json!([]));
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_refused_by_the_name_of_its_field() {
    let f = Fixture::new().await;
    let fails = || json!({"operation": "provision", "kind": "fails"});
    let late = || json!({"operation": "provision", "kind": "acts-late", "delayMs": 1});
    for (body, code, field) in [
        (json!({"kind": "fails"}), "INVALID_ARGUMENT", "`operation`"),
        (with(fails(), "operation", json!("x")), "INVALID_ARGUMENT", "operation: "),
        (with(fails(), "kind", json!("x")), "INVALID_ARGUMENT", "kind: "),
        (with(fails(), "other", json!(1)), "INVALID_ARGUMENT", "other: "),
        (with(fails(), "times", json!(0)), "INVALID_ARGUMENT", "times: "),
        (with(fails(), "times", json!("1")), "INVALID_ARGUMENT", "times: "),
        (with(fails(), "probability", json!(0)), "OUT_OF_RANGE", "probability: "),
        (with(fails(), "probability", json!(1.5)), "OUT_OF_RANGE", "probability: "),
        (with(fails(), "delayMs", json!(5)), "INVALID_ARGUMENT", "delayMs: "),
        (with(fails(), "retryAfterMs", json!(5)), "INVALID_ARGUMENT", "retryAfterMs: "),
        (with(late(), "delayMs", Value::Null), "INVALID_ARGUMENT", "delayMs: is missing"),
        (with(late(), "delayMs", json!(0)), "OUT_OF_RANGE", "delayMs: "),
        (with(late(), "delayMs", json!(86_400_001)), "OUT_OF_RANGE", "delayMs: "),
        (with(late(), "delayMs", json!(-1)), "INVALID_ARGUMENT", "delayMs: "),
        (with(fails(), "sessionId", json!("x")), "INVALID_ARGUMENT", "sessionId: "),
        (with(fails(), "device", json!("x")), "INVALID_ARGUMENT", "device: "),
        (with(fails(), "device", json!("a b@x")), "INVALID_ARGUMENT", "device: "),
        (with(fails(), "cell", json!("moon")), "INVALID_ARGUMENT", "cell: "),
        (
            json!({"operation": "release", "kind": "refuses"}),
            "INVALID_ARGUMENT",
            "operation: only provision",
        ),
        (
            json!({"operation": "list", "kind": "fails", "cell": "stadium"}),
            "INVALID_ARGUMENT",
            "operation: ",
        ),
        (json!([]), "INVALID_ARGUMENT", "JSON object"),
    ] {
        let answer = f.admin.post(FAULTS, body.clone()).await;
        let message = answer.assert_error(400, code);
        assert!(message.contains(field), "{body}: {message}");
    }
    assert_eq!(f.admin.get(FAULTS).await.json, json!([]));
}

#[tokio::test]
async fn a_thousand_faults_are_enough() {
    let f = Fixture::new().await;
    for _ in 0..1_000 {
        f.fault(json!({"operation": "list", "kind": "fails"})).await;
    }
    let one_more = f.admin.post(FAULTS, json!({"operation": "list", "kind": "fails"})).await;
    let message = one_more.assert_error(409, "CONFLICT");
    assert!(message.contains("1000"), "{message}");
}

#[tokio::test]
async fn what_is_in_the_network_is_shown_and_forgotten() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let mut planted = Vec::new();
    for owner in ["gateway", "other"] {
        let answer = f.admin.post(RULES, json!({"owner": owner})).await;
        assert_eq!((answer.status, &answer.json["owner"]), (201, &json!(owner)));
        planted.push(answer.json);
    }
    let shown = f.admin.get(RULES).await.json;
    assert_eq!(shown["total"], 3);
    let rules = shown["rules"].as_array().unwrap();
    let ours = rules.iter().find(|rule| rule["sessionId"] == json!(id)).unwrap();
    assert_eq!(ours["owner"], "gateway");
    assert_eq!(ours["profile"], "QOS_L");
    assert_eq!(ours["flow"], "203.0.113.5/32 device:0-65535 server:0-65535");
    assert!(planted.iter().all(|rule| rules.contains(rule)), "{shown}");
    let wrong = f.admin.post(RULES, json!({"owner": "x"})).await;
    assert!(wrong.assert_error(400, "INVALID_ARGUMENT").starts_with("owner: "));

    let forgotten = f.admin.post("/greenwave/v1/sandbox/network/forget", "").await;
    assert_eq!((forgotten.status, forgotten.json), (200, json!({"rules": 3})));
    assert_eq!(f.admin.get(RULES).await.json, json!({"total": 0, "rules": []}));
}

#[tokio::test]
async fn only_the_operator_makes_things_go_wrong() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let stranger = crate::client::TestClient::new(&f.admin.root);
    let fault = json!({"operation": "provision", "kind": "fails"});
    let end = format!("/greenwave/v1/sandbox/network/sessions/{id}/end");
    for answer in [
        stranger.get(FAULTS).await,
        stranger.post(FAULTS, fault).await,
        stranger.delete(FAULTS).await,
        stranger.get(&format!("{FAULTS}/1")).await,
        stranger.delete(&format!("{FAULTS}/1")).await,
        stranger.get(RULES).await,
        stranger.post(RULES, json!({"owner": "gateway"})).await,
        stranger.post("/greenwave/v1/sandbox/network/forget", "").await,
        stranger.post(&end, "").await,
    ] {
        answer.assert_error(401, "UNAUTHENTICATED");
    }
    f.settles(&[id]).await;
    f.api.get(FAULTS).await.assert_error(404, "NOT_FOUND");
}
