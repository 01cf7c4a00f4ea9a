//! Stopping while clients are there: nobody who has sent a request goes without an answer.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use greenwave::http::Limits;
use rustix::process::{Resource, Rlimit, prlimit};

use crate::client::{SOON, TestClient, eventually, within};
use crate::fixture::{Fixture, SESSIONS, limits, request, tutorial};
use crate::program::Process;
use crate::raw::{RawClient, half_create, key};

/// Creates one session after the other until it is told that this was the last one on its
/// connection. Tells how many.
async fn create_until_told(root: String, key: String, worker: usize, made: &AtomicUsize) {
    let mut client = RawClient::connect(&root).await;
    for number in 0.. {
        let body = request(&format!("device-{worker}-{number}@testcsp.net")).to_string();
        let head = format!(
            "POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nX-RapidAPI-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        client.send(head).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        made.fetch_add(1, Ordering::Relaxed);
        if answer.head.contains("connection: close") {
            assert_eq!(client.rest().await, "");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_fails_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let process = Process::up(directory.path());
    let made = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for worker in 0..16 {
        let (root, key) = (process.root().to_owned(), process.key().to_owned());
        let made = Arc::clone(&made);
        clients
            .push(tokio::spawn(async move { create_until_told(root, key, worker, &made).await }));
    }
    eventually("some sessions", || made.load(Ordering::Relaxed) > 200).await;
    let began = Instant::now();
    let (code, log) = tokio::task::spawn_blocking(move || process.terminate()).await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    for client in clients {
        client.await.unwrap();
    }
    let process = Process::up(directory.path());
    let mut sessions = 0;
    for page in 1.. {
        let list = process.api().get(&format!("{SESSIONS}?perPage=100&page={page}")).await;
        let length = list.json.as_array().unwrap().len();
        sessions += length;
        if length == 0 {
            break;
        }
    }
    assert_eq!(sessions, made.load(Ordering::Relaxed));
}

#[tokio::test]
async fn while_it_takes_leave_it_is_not_ready_but_serves_and_a_second_signal_ends_that() {
    let directory = tempfile::tempdir().unwrap();
    let process = Process::up(directory.path());
    let body = tutorial().to_string();
    let _slow = half_create(process.root(), process.key(), &body).await;
    process.ask_to_stop();
    let probe = TestClient::new(process.root());
    probe.get_until("/readyz", |answer| answer.status == 503).await;
    let answer = process.api().post(SESSIONS, tutorial()).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers["connection"], "close");
    probe.get("/healthz").await.assert_ok();
    process.ask_to_stop();
    let began = Instant::now();
    let (code, log) = process.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(log.contains("stopping at once"), "{log}");
}

#[tokio::test]
async fn a_request_that_does_not_come_to_an_end_does_not_hold_up_the_stop() {
    let brief = Limits { finish: Duration::from_millis(100), ..limits() };
    let f = Fixture::with_limits(brief).await;
    let client = half_create(&f.api.root, &key(&f), &tutorial().to_string()).await;
    within(SOON, "the stop", f.stop()).await;
    client.rest().await;
}

#[tokio::test]
async fn a_request_that_waits_in_the_kernel_is_answered_before_the_stop() {
    let f = Fixture::with_limits(Limits { connections: 4, ..limits() }).await;
    let root = f.api.root.clone();
    let mut clients = Vec::new();
    let stopping = tokio::spawn(f.gateway.stop());
    // On this one thread, the gateway has not run since.
    for _ in 0..4 {
        let address = root.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut stream, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        clients.push(stream);
    }
    within(SOON, "the stop", stopping).await.unwrap();
    for mut client in clients {
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut client, &mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer:?}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}

#[test]
fn it_uses_as_many_files_as_it_may() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -S -n 99; exec \"$0\" up --json --port 0 --data \"$1\""])
        .arg(env!("CARGO_BIN_EXE_greenwave"))
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut printed = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut printed).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "{line}");
}

#[tokio::test]
async fn without_files_it_waits_and_then_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let process = Process::up_with(directory.path(), &["--log", "warn"]);
    let open =
        std::fs::read_dir(format!("/proc/{}/fd", process.id().as_raw_pid())).unwrap().count();
    let few = Some(open as u64 + 5);
    prlimit(Some(process.id()), Resource::Nofile, Rlimit { current: few, maximum: few }).unwrap();
    let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(RawClient::sending(process.root(), get).await);
    }
    // Those that are in are served, and those that wait are taken as others leave.
    for mut client in clients {
        assert_eq!(client.answer().await.status, 200);
    }
    process.api().post(SESSIONS, tutorial()).await.assert_ok();
    let (code, log) = process.terminate();
    assert_eq!(code, Some(0));
    let lines = log.lines().filter(|line| line.contains("cannot take connections")).count();
    assert!((1..=40).contains(&lines), "{log}");
}
