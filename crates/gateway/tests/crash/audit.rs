//! Whether the promises hold, once a gateway that was started again has come to rest.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::books::{Books, EventKey, Kept};
use crate::client::TestClient;
use crate::fixture::{SESSIONS, path};
use crate::journal::{End, Journal, Promise};
use crate::receiver::Received;

/// Checks everything that is known from before against a gateway that is at rest.
pub(crate) async fn audit(
    api: &TestClient,
    journal: &mut Journal,
    books: &Books,
    received: &[Received],
) {
    for id in std::mem::take(&mut journal.fresh) {
        check_answer(api, &id, &journal.sessions[&id], books).await;
    }
    for (id, promise) in &journal.sessions {
        check_kept(id, promise, books);
    }
    check_unacknowledged(journal, books);
    check_events(books, received);
    check_keys(api, journal).await;
}

/// What the client is told is what it was told.
async fn check_answer(api: &TestClient, id: &str, promise: &Promise, books: &Books) {
    let answer = api.get(&path(id)).await;
    if books.live.contains_key(id) {
        assert!(answer.status == 200 && answer.is_status("AVAILABLE"), "{promise:?}: {answer:?}");
        let lasts = promise.at_least_s..=promise.at_most_s;
        assert!(lasts.contains(&answer.json["duration"].as_u64().unwrap()), "{promise:?}");
    } else {
        answer.assert_error(404, "NOT_FOUND");
    }
}

fn check_kept(id: &str, promise: &Promise, books: &Books) {
    let over = match (books.live.get(id), books.history.get(id)) {
        (Some(_), None) => false,
        (None, Some(_)) => true,
        (None, None) => panic!("{id} was acknowledged and is lost: {promise:?}"),
        (Some(_), Some(_)) => panic!("{id} is live and history"),
    };
    match promise.end {
        End::Far => assert!(!over, "{id} has ended, and nobody asked for it"),
        End::Soon | End::Acknowledged => assert!(over, "{id} has not ended: {promise:?}"),
        End::Asked => {}
    }
    let kept = if over { &books.history[id] } else { &books.live[id] };
    let lasts = promise.at_least_s..=promise.at_most_s;
    assert!(lasts.contains(&kept.duration_s), "{id}: {promise:?}, {kept:?}");
}

/// What nobody was told of may be there, if it was asked for. It is whole then: what is checked of
/// all sessions is checked of it.
fn check_unacknowledged(journal: &Journal, books: &Books) {
    let unknown = books.sessions().filter(|(id, _)| !journal.sessions.contains_key(*id)).count();
    let unanswered = journal.asked - journal.sessions.len();
    assert!(unknown <= unanswered, "{unknown} sessions out of nowhere");
}

/// How many events a session that is at rest has had.
fn events_of(kept: &Kept, over: bool) -> u8 {
    u8::from(kept.started) + u8::from(over && kept.started)
}

/// Each change has its event, which was delivered, maybe more than once but always the same.
fn check_events(books: &Books, received: &[Received]) {
    let mut due: BTreeMap<EventKey, &str> = BTreeMap::new();
    for (id, kept) in books.sessions() {
        let over = books.history.contains_key(id);
        assert_eq!(kept.events, events_of(kept, over), "{id}: {kept:?}");
        let statuses = ["AVAILABLE", "UNAVAILABLE"].into_iter().take(kept.events.into());
        let events = (1..).zip(statuses).filter(|_| kept.sink);
        due.extend(events.map(|(ordinal, status)| ((id.clone(), ordinal), status)));
    }
    assert!(books.delivered.iter().eq(due.keys()), "not one event for each change");

    let mut told: BTreeMap<&str, &Value> = BTreeMap::new();
    for Received { json, .. } in received {
        let first = *told.entry(json["id"].as_str().unwrap()).or_insert(json);
        assert_eq!(first, json, "one id, two events");
    }
    for ((session, ordinal), status) in &due {
        let event = told.remove(format!("{session}-{ordinal}").as_str());
        let event = event.unwrap_or_else(|| panic!("{status} of {session} was not received"));
        assert_eq!(
            (&event["data"]["sessionId"], &event["data"]["qosStatus"]),
            (&json!(session), &json!(status))
        );
    }
    assert!(told.is_empty(), "events out of nowhere: {told:?}");
}

async fn check_keys(api: &TestClient, journal: &Journal) {
    api.get(&format!("{SESSIONS}?perPage=1")).await.assert_ok();
    for (key, valid) in &journal.keys {
        let status = TestClient::with_key(&api.root, key).get(SESSIONS).await.status;
        let fine: &[u16] = match valid {
            Some(true) => &[200],
            Some(false) => &[401],
            None => &[200, 401],
        };
        assert!(fine.contains(&status), "{}", json!({"status": status, "valid": valid}));
    }
}
