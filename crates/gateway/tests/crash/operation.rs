//! What a gateway does while it is killed: how that is prepared, and how it is set off.

use greenwave_crashpoint::Point;
use http::Method;
use serde_json::json;

use crate::books::Books;
use crate::client::{Answer, TestClient};
use crate::fixture::{SESSIONS, path};
use crate::journal::End;
use crate::place::{Fate, Place};
use crate::program::Process;

const KEYS: &str = "/greenwave/v1/keys";

/// How many lines the network's file has to have for it to be written anew.
const STALE_LINES: usize = 100_000;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A start in an empty directory.
    FirstStart,
    /// A start after a crash that has left something to do everywhere.
    Start,
    Create,
    /// A create that is made again, under the same key, once somebody can answer it.
    CreateOnce,
    Extend,
    Delete,
    /// The end of a session whose time is up.
    Expiry,
    /// An event that was not yet sent.
    Delivery,
    /// A key is made, and revoked.
    Keys,
}

impl Operation {
    pub(crate) const ALL: [Self; 9] = [
        Self::FirstStart,
        Self::Start,
        Self::Create,
        Self::CreateOnce,
        Self::Extend,
        Self::Delete,
        Self::Expiry,
        Self::Delivery,
        Self::Keys,
    ];

    /// Brings a place to where the operation can be set off, and leaves nobody running there.
    pub(crate) async fn prepare(self, place: &mut Place, point: Point) {
        match self {
            Self::FirstStart => {}
            Self::Create | Self::CreateOnce | Self::Keys => drop(place.start()),
            Self::Start => {
                leave_work(place).await;
                if is_of_tidying(point) {
                    place.pad_rules(STALE_LINES);
                }
            }
            Self::Extend | Self::Delete => {
                let mut process = place.start();
                create(place, &process, 3_600, End::Far).await;
                let rested = place.rest_or_death(&mut process).await;
                assert!(matches!(rested, Fate::Lives));
                if is_of_tidying(point) {
                    place.pad_rules(STALE_LINES - 1);
                }
            }
            Self::Expiry => {
                let process = place.start();
                create(place, &process, 1, End::Soon).await;
            }
            Self::Delivery => {
                let mut process = place.start_to_die(Point::DeliveryBeforeSend, 1).unwrap();
                create(place, &process, 3_600, End::Far).await;
                assert!(matches!(place.rest_or_death(&mut process).await, Fate::Died));
            }
        }
    }

    /// Sets it off. The gateway may die at any moment.
    pub(crate) async fn perform(self, place: &mut Place, process: &Process) {
        match self {
            Self::FirstStart | Self::Start | Self::Expiry | Self::Delivery => {}
            Self::Create => create(place, process, 3_600, End::Far).await,
            Self::CreateOnce => {
                let body = place.body(3_600).to_string();
                place.once = Some(body.clone());
                if let Some(answer) = create_once(process, &body).await {
                    place.journal.created(&answer, End::Far);
                }
            }
            Self::Extend => extend(place, process).await,
            Self::Delete => delete(place, process).await,
            Self::Keys => change_keys(place, process).await,
        }
    }
}

/// Makes a create again that may have been answered or not: it is of the same session, and there is
/// no other.
pub(crate) async fn repeat(place: &mut Place, process: &Process) {
    let Some(body) = place.once.take() else { return };
    let answer = create_once(process, &body).await.unwrap();
    if !place.journal.sessions.contains_key(&answer.id()) {
        place.journal.created(&answer, End::Far);
    }
    let kept = Books::read(place.data());
    assert_eq!(kept.sessions().map(|(id, _)| id).collect::<Vec<_>>(), [&answer.id()]);
}

fn is_of_tidying(point: Point) -> bool {
    matches!(point, Point::NetworkBeforeTidy | Point::NetworkTidied | Point::NetworkFileReplaced)
}

async fn send(api: &TestClient, method: Method, path: &str, body: &str) -> Option<Answer> {
    // No answer is one that a client has to live with: nothing was acknowledged.
    api.header("content-type", "application/json").try_send(method, path, body).await.ok()
}

async fn create(place: &mut Place, process: &Process, duration_s: u64, end: End) {
    let body = place.body(duration_s).to_string();
    if let Some(answer) = send(&process.api(), Method::POST, SESSIONS, &body).await {
        place.journal.created(&answer, end);
    }
}

async fn create_once(process: &Process, body: &str) -> Option<Answer> {
    let api = process.api().header("Idempotency-Key", "8e03978e-40d5-43e8-bc93-6894a57f9324");
    send(&api, Method::POST, SESSIONS, body).await
}

async fn extend(place: &mut Place, process: &Process) {
    let id = place.journal.sessions.keys().next().unwrap().clone();
    place.journal.extending(&id, 60);
    let (path, body) = (format!("{}/extend", path(&id)), r#"{"requestedAdditionalDuration":60}"#);
    if let Some(answer) = send(&process.api(), Method::POST, &path, body).await {
        place.journal.extended(&id, &answer);
    }
}

async fn delete(place: &mut Place, process: &Process) {
    let id = place.journal.sessions.keys().next().unwrap().clone();
    place.journal.deleting(&id);
    if let Some(answer) = send(&process.api(), Method::DELETE, &path(&id), "").await {
        place.journal.deleted(&id, &answer);
    }
}

async fn change_keys(place: &mut Place, process: &Process) {
    let url = process.printed["admin_url"].as_str().unwrap();
    let token = std::fs::read_to_string(place.data().join("admin.token")).unwrap();
    let admin = TestClient::new(url).header("Authorization", &format!("Bearer {}", token.trim()));
    let body = json!({"application": "other"}).to_string();
    let Some(made) = send(&admin, Method::POST, KEYS, &body).await else { return };
    let key = made.json["key"].as_str().unwrap().to_owned();
    place.journal.keys.insert(key.clone(), Some(true));
    place.journal.acknowledged += 1;

    let path = format!("{KEYS}/{}", made.json["id"]);
    place.journal.keys.insert(key.clone(), None);
    let Some(revoked) = send(&admin, Method::DELETE, &path, "").await else { return };
    revoked.assert_ok();
    place.journal.keys.insert(key, Some(false));
    place.journal.acknowledged += 1;
}

/// A crash that leaves a session that is requested, one that is available and has lost its rule,
/// one for which all is well, and a rule of no session.
async fn leave_work(place: &mut Place) {
    let mut process = place.start_to_die(Point::NetworkBeforeInstall, 3).unwrap();
    for _ in 0..2 {
        create(place, &process, 3_600, End::Far).await;
        assert!(matches!(place.rest_or_death(&mut process).await, Fate::Lives));
    }
    create(place, &process, 3_600, End::Far).await;
    assert!(matches!(place.rest_or_death(&mut process).await, Fate::Died));

    let path = place.data().join("network.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let (first, second) = text.trim().split_once('\n').unwrap();
    let session = |line: &str| -> String {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["install"]["session"].as_str().unwrap().to_owned()
    };
    let stray = second.replace(&session(second), "00000000-0000-4000-8000-000000000001");
    std::fs::write(&path, format!("{first}\n{stray}\n")).unwrap();
}
