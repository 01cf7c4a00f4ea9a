//! Too much, too large, too slow: what it gets, and that others do not feel it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use greenwave::http::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::client::{SOON, TestClient, within};
use crate::fixture::{Fixture, RETRIEVE, SESSIONS, limits, request, tutorial, with};
use crate::raw::{RawClient, half_create, key};

/// For clients that are too slow.
const BRIEF: Duration = Duration::from_millis(100);

const GET_ROOT: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn requests_beyond_the_limit_are_refused_at_once_and_probes_and_the_operator_are_not() {
    let f = Fixture::with_limits(Limits { requests: 0, ..limits() }).await;
    let mut waits = BTreeSet::new();
    for _ in 0..50 {
        let answer = f.api.post(SESSIONS, tutorial()).await;
        answer.assert_error(503, "UNAVAILABLE");
        waits.insert(answer.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap());
    }
    assert!(waits.iter().all(|wait| (1..=5).contains(wait)), "{waits:?}");
    assert!(waits.len() > 1, "they would all come back together");
    f.api.get(SESSIONS).await.assert_error(503, "UNAVAILABLE");
    f.api.get("/healthz").await.assert_ok();
    f.api.get("/readyz").await.assert_ok();
    f.admin.get("/greenwave/v1/keys").await.assert_ok();
    TestClient::new(&f.api.root).get(SESSIONS).await.assert_error(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_place_is_free_again_whatever_came_of_the_request() {
    let f = Fixture::with_limits(Limits { requests: 1, ..limits() }).await;
    let path = crate::fixture::path(&f.create(tutorial()).await);
    for _ in 0..3 {
        f.api.get(&path).await.assert_ok();
        f.api.get(SESSIONS).await.assert_ok();
        f.api.get(&crate::fixture::path("none")).await.assert_error(404, "NOT_FOUND");
        f.api.post(SESSIONS, "{").await.assert_error(400, "INVALID_ARGUMENT");
        let unknown = with(tutorial(), "qosProfile", "NONE".into());
        f.api.post(SESSIONS, unknown).await.assert_error(400, "INVALID_ARGUMENT");
    }
    f.api.delete(&path).await.assert_ok();
    f.create(tutorial()).await;
}

#[tokio::test]
async fn what_is_refused_for_want_of_a_place_has_not_happened() {
    let f = Fixture::with_limits(Limits { requests: 2, ..limits() }).await;
    let creates = (0..100).map(|number| {
        let api = f.api.clone();
        async move { api.post(SESSIONS, request(&format!("device-{number}@testcsp.net"))).await }
    });
    let answers = join_all(creates).await;
    let (created, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 201);
    assert!(!created.is_empty() && !refused.is_empty(), "{} created", created.len());
    for answer in refused {
        answer.assert_error(503, "UNAVAILABLE");
    }
    let list = f.api.get(&format!("{SESSIONS}?perPage=100")).await;
    assert_eq!(list.json.as_array().unwrap().len(), created.len());
}

#[tokio::test]
async fn clients_that_do_not_finish_a_head_are_hung_up_on() {
    let f = Fixture::with_limits(Limits { head: BRIEF, ..limits() }).await;
    let settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let beginnings: [&[u8]; 7] = [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        // One that was served, and then begins another request, or none.
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n",
        settings,
    ];
    for beginning in beginnings {
        let client = RawClient::sending(&f.api.root, beginning).await;
        client.rest().await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let f = Fixture::with_limits(Limits { body: BRIEF, ..limits() }).await;
    let mut client = half_create(&f.api.root, &key(&f), &tutorial().to_string()).await;
    client.send("{").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 408);
    client.rest().await;
    assert_eq!(f.api.get(SESSIONS).await.json, json!([]));
}

#[tokio::test]
async fn a_body_that_is_still_arriving_takes_no_place() {
    let f = Fixture::with_limits(Limits { requests: 1, ..limits() }).await;
    let (key, body) = (key(&f), request("slow@testcsp.net").to_string());
    let slow = (0..100).map(|_| half_create(&f.api.root, &key, &body));
    let mut slow = join_all(slow).await;
    f.create(tutorial()).await;
    let mut last = slow.pop().unwrap();
    last.send(&body).await;
    assert_eq!(last.answer().await.status, 201);
}

#[tokio::test]
async fn bodies_take_a_bounded_part_of_the_memory() {
    let f = Fixture::with_limits(Limits { bodies_kib: 8, ..limits() }).await;
    let large = with(tutorial(), "padding", "x".repeat(5_000).into());
    f.api.post(SESSIONS, large.clone()).await.assert_ok();
    let mut slow = half_create(&f.api.root, &key(&f), &"x".repeat(6_000)).await;
    slow.send("x".repeat(5_999)).await;
    let refused = async { while f.api.post(SESSIONS, large.clone()).await.status != 503 {} };
    within(SOON, "a refusal", refused).await;
    f.api.post(SESSIONS, tutorial()).await.assert_ok();
    drop(slow);
    let served = async { while f.api.post(SESSIONS, large.clone()).await.status != 201 {} };
    within(SOON, "room", served).await;
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_cut_off() {
    let brief = Limits { head: BRIEF, idle: BRIEF, finish: BRIEF, ..limits() };
    let f = Fixture::with_limits(brief).await;
    let mut client = RawClient::connect(&f.api.root).await;
    client.send_endlessly(GET_ROOT.as_bytes()).await;
    f.api.get(SESSIONS).await.assert_ok();
}

#[tokio::test]
async fn beyond_the_limit_of_connections_one_waits_for_another_to_leave() {
    let f = Fixture::with_limits(Limits { connections: 3, ..limits() }).await;
    let mut inside = Vec::new();
    for _ in 0..3 {
        let mut client = RawClient::sending(&f.api.root, GET_ROOT).await;
        client.answer().await;
        inside.push(client);
    }
    let mut outside = RawClient::sending(&f.api.root, GET_ROOT).await;
    for client in &mut inside {
        client.send(GET_ROOT).await;
        assert_eq!(client.answer().await.status, 200);
    }
    assert!(outside.is_silent());
    inside.pop();
    assert_eq!(outside.answer().await.status, 200);
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let f = Fixture::new().await;
    let many = "x: y\r\n".repeat(101);
    let large = format!("x: {}\r\n", "y".repeat(40_000));
    for headers in [many, large] {
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n{GET_ROOT}");
        let answers = RawClient::sending(&f.api.root, head).await.rest().await;
        assert!(answers.starts_with("HTTP/1.1 431 "), "{answers}");
        assert!(!answers.contains("200 OK"), "{answers}");
    }
    let path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(40_000));
    let answers = RawClient::sending(&f.api.root, path).await.rest().await;
    assert!(answers.starts_with("HTTP/1.1 431 "), "{answers}");
    // One whose end never comes.
    let mut client = RawClient::sending(&f.api.root, "GET / HTTP/1.1\r\n").await;
    client.send_endlessly(b"x: y\r\n").await;
    f.api.get(SESSIONS).await.assert_ok();
}

/// The head of a create with this key and a body that is framed like this.
fn head(key: &str, framing: &str) -> String {
    format!(
        "POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nX-RapidAPI-Key: {key}\r\n\
         Content-Type: application/json\r\n{framing}\r\n\r\n"
    )
}

#[tokio::test]
async fn chunks_whose_size_extension_or_trailer_has_no_end_are_cut_off() {
    let f = Fixture::with_limits(Limits { body: BRIEF, ..limits() }).await;
    for (beginning, endless) in [("", "0"), ("1;", "x"), ("0\r\n", "x: y\r\n")] {
        let head = head(&key(&f), "Transfer-Encoding: chunked");
        let mut client = RawClient::sending(&f.api.root, head + beginning).await;
        client.send_endlessly(endless.repeat(1_000).as_bytes()).await;
    }
    assert_eq!(f.api.get(SESSIONS).await.json, json!([]));
}

#[tokio::test]
async fn bodies_without_an_end_are_not_read_on() {
    let f = Fixture::new().await;
    let large = "Content-Length: 1073741824";
    let chunked = "Transfer-Encoding: chunked";
    let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
    let right = key(&f);
    for (key, framing, data, status) in [
        (&*right, large, &*"x".repeat(8_192), 413),
        (&*right, chunked, &*chunk, 413),
        // Nothing is read for somebody who has no key.
        ("wrong", large, &*"x".repeat(8_192), 401),
        ("wrong", chunked, &*chunk, 401),
    ] {
        let mut client = RawClient::sending(&f.api.root, head(key, framing)).await;
        client.send(data.repeat(9)).await;
        assert_eq!(client.answer().await.status, status);
        // What the kernel's buffers hold may still go out.
        let sent = client.send_endlessly(data.as_bytes()).await;
        assert!(sent < 32 << 20, "{sent} bytes were taken");
    }
    assert_eq!(f.api.get(SESSIONS).await.json, json!([]));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let f = Fixture::new().await;
    let requests: String = (0..1_000)
        .map(|number| format!("GET /healthz HTTP/1.1\r\nHost: x\r\nx-correlator: {number}\r\n\r\n"))
        .collect();
    let mut client = RawClient::sending(&f.api.root, requests).await;
    for number in 0..1_000 {
        let answer = client.answer().await;
        assert_eq!(answer.status, 200);
        assert!(answer.head.contains(&format!("x-correlator: {number}\r\n")), "{}", answer.head);
    }
}

/// How many connections there can be in this process, which has both of their ends.
fn possible_connections(wanted: usize) -> usize {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    // Other tests have files, too.
    let files = usize::try_from(maximum.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let possible = wanted.min(files / 3);
    if possible < wanted {
        println!("ONLY {possible} CONNECTIONS INSTEAD OF {wanted}: no more files (ulimit -Hn)");
    }
    possible
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_slow_clients_hurt_nobody_and_are_served_in_the_end() {
    let f = Fixture::new().await;
    let quiet = slowest_of(&f.api).await;
    let (key, body) = (key(&f), json!({"device": tutorial()["device"]}).to_string());
    let count = possible_connections(5_000);
    let began = Instant::now();
    let slow = (0..count).map(|number| {
        let (root, key, length) = (&f.api.root, &key, body.len());
        // Half of them wait in their heads, half in their bodies.
        let head = format!(
            "POST {RETRIEVE} HTTP/1.1\r\nHost: x\r\nX-RapidAPI-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        let end = if number % 2 == 0 { head.len() / 2 } else { head.len() };
        async move {
            let client = RawClient::sending(root, &head[..end]).await;
            (client, head[end..].to_owned())
        }
    });
    let slow = join_all(slow).await;
    let joined = Instant::now();
    f.api.get(SESSIONS).await.assert_ok();
    let joined = joined.elapsed();
    let crowded = slowest_of(&f.api).await;
    let connected = began.elapsed();
    let finish = slow.into_iter().map(|(mut client, rest)| {
        let body = &body;
        async move {
            client.send(rest + body).await;
            assert_eq!(client.answer().await.status, 200);
            client
        }
    });
    let all = join_all(finish).await;
    println!(
        "{} connections in {connected:?}, all answered after {:?}; slowest of an honest client \
         {quiet:?} alone, {crowded:?} among them, {joined:?} right behind them",
        all.len(),
        began.elapsed(),
    );
}

/// The slowest of some requests of an honest client.
async fn slowest_of(api: &TestClient) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..100 {
        let began = Instant::now();
        api.get(SESSIONS).await.assert_ok();
        slowest = slowest.max(began.elapsed());
    }
    slowest
}
