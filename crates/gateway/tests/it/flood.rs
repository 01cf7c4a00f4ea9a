//! What can be done to an HTTP/2 connection, with frames written by hand (RFC 9113).

use std::time::Duration;

use greenwave::http::Limits;

use crate::client::{SOON, TestClient, within};
use crate::fixture::{Fixture, SESSIONS, limits};
use crate::program::Process;
use crate::raw::{RawClient, key};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const CANCEL: [u8; 4] = [0, 0, 0, 8];
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A header as a literal that is not kept (RFC 7541, 6.2.2).
fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        assert!(text.len() < 127);
        bytes.push(text.len() as u8);
        bytes.extend(text.as_bytes());
    }
    bytes
}

fn head(method: &str, path: &str, key: &str) -> Vec<u8> {
    [
        header(":method", method),
        header(":scheme", "http"),
        header(":path", path),
        header(":authority", "x"),
        header("x-rapidapi-key", key),
        header("content-type", "application/json"),
    ]
    .concat()
}

fn begin(stream: u32, flags: u8, head: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, stream, head)
}

/// The streams that a client may begin.
fn streams() -> impl Iterator<Item = u32> {
    (1..).step_by(2)
}

struct Http2(RawClient);

struct Frame {
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

impl Http2 {
    async fn connect(root: &str) -> Self {
        Self::with_settings(root, &[]).await
    }

    async fn with_settings(root: &str, settings: &[u8]) -> Self {
        let mut client = RawClient::sending(root, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        client.send(frame(SETTINGS, 0, 0, settings)).await;
        client.send(frame(SETTINGS, ACK, 0, &[])).await;
        Self(client)
    }

    /// The next frame, or none if the connection has ended.
    async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame { kind: head[3], flags: head[4], payload })
    }

    /// Waits until everything that was sent has been looked at. Tells whether the connection lives.
    async fn is_up_to_date(&mut self) -> bool {
        self.0.send(frame(PING, 0, 0, b"are you?")).await;
        while let Some(read) = self.read().await {
            match (read.kind, read.flags) {
                (PING, ACK) if read.payload == b"are you?" => return true,
                (GOAWAY, _) => return false,
                _ => {}
            }
        }
        false
    }

    /// Reads until the connection is closed, and tells why it was. Whoever is asked meanwhile
    /// whether he lives says that he does.
    async fn reason(mut self) -> Option<u32> {
        let reading = async {
            let mut reason = None;
            while let Some(read) = self.read().await {
                match (read.kind, read.flags) {
                    (GOAWAY, _) => {
                        reason = Some(u32::from_be_bytes(read.payload[4..8].try_into().unwrap()));
                    }
                    // The other side may have gone in between.
                    (PING, 0) => self.0.try_send(frame(PING, ACK, 0, &read.payload)).await,
                    _ => {}
                }
            }
            reason
        };
        within(SOON, "the end of the connection", reading).await
    }
}

#[tokio::test]
async fn streams_that_are_reset_as_soon_as_they_begin_end_the_connection() {
    let f = Fixture::new().await;
    let mut client = Http2::connect(&f.api.root).await;
    let head = head("GET", SESSIONS, &key(&f));
    let flood: Vec<u8> = streams()
        .take(1_000)
        .flat_map(|id| [begin(id, END_STREAM, &head), frame(RST_STREAM, 0, id, &CANCEL)].concat())
        .collect();
    client.0.send(flood).await;
    assert_eq!(client.reason().await, Some(ENHANCE_YOUR_CALM));
    f.api.get(SESSIONS).await.assert_ok();
}

#[tokio::test]
async fn requests_that_are_abandoned_again_and_again_end_the_connection() {
    let f = Fixture::with_limits(Limits { resets: 200, ..limits() }).await;
    let mut client = Http2::connect(&f.api.root).await;
    let head = head("POST", SESSIONS, &key(&f));
    let mut ids = streams();
    let mut reset = 0;
    // Each waits for its body when it is reset.
    while client.is_up_to_date().await {
        let batch: Vec<u32> = ids.by_ref().take(50).collect();
        client.0.send(batch.iter().flat_map(|id| begin(*id, 0, &head)).collect::<Vec<_>>()).await;
        if !client.is_up_to_date().await {
            break;
        }
        let resets = batch.iter().flat_map(|id| frame(RST_STREAM, 0, *id, &CANCEL));
        client.0.send(resets.collect::<Vec<_>>()).await;
        reset += batch.len();
        assert!(reset <= 400, "{reset} were taken");
    }
    assert!(reset >= 200, "{reset} are no reason");
    client.reason().await;
    f.api.get(SESSIONS).await.assert_ok();
}

#[tokio::test]
async fn a_head_in_endless_pieces_ends_the_connection() {
    let f = Fixture::new().await;
    let mut client = Http2::connect(&f.api.root).await;
    client.0.send(frame(HEADERS, END_STREAM, 1, &head("GET", "/", "x"))).await;
    client.0.send(frame(CONTINUATION, 0, 1, &header("x", "y")).repeat(100)).await;
    assert_eq!(client.reason().await, Some(ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn floods_of_settings_and_pings_are_cut_off() {
    let f = Fixture::with_limits(Limits { head: Duration::from_secs(1), ..limits() }).await;
    for flood in [
        frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]),
        frame(PING, 0, 0, b"and you?"),
        frame(DATA, 0, 0, &[]),
    ] {
        let mut client = Http2::connect(&f.api.root).await;
        let honest = async {
            for _ in 0..20 {
                // On a connection of its own: one that was idle would be hung up on, too.
                let api = TestClient::with_key(&f.api.root, &key(&f));
                api.get(SESSIONS).await.assert_ok();
            }
        };
        let flood = flood.repeat(100);
        tokio::join!(honest, client.0.send_endlessly(&flood));
    }
}

#[tokio::test]
async fn a_window_that_is_never_opened_does_not_hold_its_answers_for_ever() {
    let brief = Duration::from_millis(100);
    let brief = Limits { head: brief, idle: brief, finish: brief, ..limits() };
    let f = Fixture::with_limits(brief).await;
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    let mut client = Http2::with_settings(&f.api.root, &[0, 4, 0, 0, 0, 0]).await;
    let head = head("GET", "/", "x");
    let requests = streams().take(100).flat_map(|id| begin(id, END_STREAM, &head));
    client.0.send(requests.collect::<Vec<_>>()).await;
    assert!(client.is_up_to_date().await);
    client.reason().await;
    f.api.get(SESSIONS).await.assert_ok();
}

/// How much memory a process has, in KiB.
fn memory_kib(process: &Process) -> u64 {
    let status = format!("/proc/{}/status", process.id().as_raw_pid());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_take_little_memory() {
    let directory = tempfile::tempdir().unwrap();
    let process = Process::up(directory.path());
    process.api().get(SESSIONS).await.assert_ok();
    let before = memory_kib(&process);
    let mut floods = Vec::new();
    for _ in 0..20 {
        let (root, key) = (process.root().to_owned(), process.key().to_owned());
        floods.push(tokio::spawn(async move {
            let head = head("POST", SESSIONS, &key);
            let mut client = Http2::with_settings(&root, &[0, 4, 0, 0, 0, 0]).await;
            // Only then are the windows as large as they will be.
            assert!(client.is_up_to_date().await);
            let bodies = streams().take(100).flat_map(|id| {
                let part = frame(DATA, 0, id, &[b' '; 8_192]);
                [begin(id, 0, &head), part].concat()
            });
            client.0.send(bodies.collect::<Vec<_>>()).await;
            assert!(client.is_up_to_date().await);
            client
        }));
    }
    let mut held = Vec::new();
    for flood in floods {
        held.push(within(SOON, "a flood", flood).await.unwrap());
    }
    process.api().get(SESSIONS).await.assert_ok();
    let more = memory_kib(&process) - before;
    println!("2,000 streams with 8 KiB each took {more} KiB");
    assert!(more < 64 << 10, "{more} KiB");
}
