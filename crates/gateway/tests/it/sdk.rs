//! The SDK and a gateway that is killed while it answers: however often a request has to be sent,
//! it is carried out once.
//!
//! `GREENWAVE_LOST_ANSWERS` says how many answers are to be lost, where a sample is not enough.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use greenwave_sdk::DeviceId;
use greenwave_sdk::blocking::Client;

use crate::program::Process;

const VARIABLE: &str = "GREENWAVE_LOST_ANSWERS";

/// How many answers are lost in every test run.
const SAMPLE: usize = 10;

#[test]
fn a_lost_answer_never_makes_a_second_session() {
    let times = std::env::var(VARIABLE).ok().and_then(|times| times.parse().ok());
    let times = times.unwrap_or(SAMPLE);
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::up(data.path());
    let proxy = Proxy::start();
    proxy.lead_to(Some(process.root()));
    let client: Client =
        Client::builder().base_url(&proxy.root).retries(20).build(process.key()).unwrap();
    for number in 0..times {
        let (doomed, killing) = channel();
        // Half of them are killed once the answer is there, half while the request is on its way.
        proxy.lose_next(Loss { doomed, with_answer: number % 2 == 0 });
        let id = DeviceId::network_access_identifier(format!("lost{number}@testcsp.net"));
        let device = client.device(id);
        let creating = std::thread::spawn({
            let device = device.clone();
            move || {
                let create = device.create_qod_session("QOS_L").service_ipv4("203.0.113.5");
                create.duration(Duration::from_secs(3_600)).send()
            }
        });
        killing.recv().unwrap();
        proxy.lead_to(None);
        process.kill();
        process = Process::up(data.path());
        proxy.lead_to(Some(process.root()));
        let made = creating.join().unwrap().unwrap();
        let there: Vec<_> = device.sessions().unwrap().iter().map(|s| s.id().to_owned()).collect();
        assert_eq!(there, [made.id()], "call {number}");
    }
    assert_eq!(client.sessions().unwrap().len(), times);
}

/// Stands between the client and whichever gateway runs, and loses answers when it is told to.
struct Proxy {
    root: String,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Where a gateway listens, if one does.
    gateway: Option<String>,
    loss: Option<Loss>,
}

/// What is to become of the next create.
struct Loss {
    /// Told when the gateway is to be killed.
    doomed: Sender<()>,
    /// Whether the gateway has answered by then.
    with_answer: bool,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let state = Mutex::new(State { gateway: None, loss: None });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.serve(stream.unwrap()));
            }
        });
        Self { root, shared }
    }

    fn lead_to(&self, root: Option<&str>) {
        let address = root.map(|root| root.strip_prefix("http://").unwrap().to_owned());
        self.shared.state.lock().unwrap().gateway = address;
        self.shared.changed.notify_all();
    }

    fn lose_next(&self, loss: Loss) {
        self.shared.state.lock().unwrap().loss = Some(loss);
    }
}

impl Shared {
    /// One request after the other, until one of the two sides goes away.
    fn serve(&self, mut client: TcpStream) {
        while let Some(request) = message(&mut client) {
            let Ok(mut gateway) = TcpStream::connect(self.gateway()) else { return };
            if gateway.write_all(&request).is_err() {
                return;
            }
            let loss = match request.starts_with(b"POST /qod/v0/sessions ") {
                true => self.state.lock().unwrap().loss.take(),
                false => None,
            };
            let Some(loss) = loss else {
                let Some(answer) = message(&mut gateway) else { return };
                client.write_all(&answer).unwrap();
                continue;
            };
            if loss.with_answer {
                message(&mut gateway).expect("an answer");
            }
            loss.doomed.send(()).unwrap();
            let _ = client.shutdown(Shutdown::Both);
            return;
        }
    }

    /// Where the gateway is, once there is one.
    fn gateway(&self) -> String {
        let state = self.state.lock().unwrap();
        let state = self.changed.wait_while(state, |state| state.gateway.is_none()).unwrap();
        state.gateway.clone().unwrap()
    }
}

/// A request or an answer with its body, or nothing if there is none any more.
fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|&count| count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1);
        let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok()).unwrap_or(0);
        if body.len() >= length {
            return Some(bytes);
        }
    }
}
