//! Kills at random moments, under load, with many sessions there already.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenwave::entropy::{Entropy, SystemEntropy};
use http::Method;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::chance::Chance;
use crate::client::{Answer, TestClient};
use crate::fixture::{SESSIONS, path};
use crate::journal::{End, Journal};
use crate::place::{MACHINE, Place, READY, body};
use crate::preload::preload;

/// How many sessions are there before the first start.
const PRELOADED: usize = 10_000;

/// 200 requests a second.
const PERIOD: Duration = Duration::from_millis(5);

/// How long after the load has begun a gateway is killed at the latest.
const LATEST_KILL: Duration = Duration::from_millis(1_500);

/// What one client asks for, and what it was told.
#[derive(Clone)]
struct Client {
    api: TestClient,
    journal: Arc<Mutex<Journal>>,
    /// Sessions of which nothing is being asked.
    idle: Arc<Mutex<Vec<String>>>,
}

impl Client {
    /// Asks for one thing: half the time for a session, else for a change of one.
    fn ask(self, receiver: &str, chance: &Chance, requests: &mut JoinSet<()>) {
        let drawn = chance.below(100);
        let known = if drawn < 50 { self.pick(chance) } else { None };
        match known {
            Some(id) if drawn < 25 => requests.spawn(self.extend(id)),
            Some(id) => requests.spawn(self.delete(id)),
            None => {
                let mut journal = self.journal.lock().unwrap();
                journal.creating();
                let body = body(journal.asked, receiver, 3_600);
                drop(journal);
                requests.spawn(self.create(body))
            }
        };
    }

    fn pick(&self, chance: &Chance) -> Option<String> {
        let mut idle = self.idle.lock().unwrap();
        let count = idle.len() as u64;
        (count > 0).then(|| idle.swap_remove(chance.below(count) as usize))
    }

    async fn create(self, body: Value) {
        let Some(answer) = self.send(Method::POST, SESSIONS, &body.to_string()).await else {
            return;
        };
        self.journal.lock().unwrap().created(&answer, End::Far);
        self.idle.lock().unwrap().push(answer.id());
    }

    async fn extend(self, id: String) {
        self.journal.lock().unwrap().extending(&id, 60);
        let body = r#"{"requestedAdditionalDuration":60}"#;
        let path = format!("{}/extend", path(&id));
        let Some(answer) = self.send(Method::POST, &path, body).await else { return };
        // What the network has not granted yet cannot be extended.
        if answer.status != 409 {
            self.journal.lock().unwrap().extended(&id, &answer);
        }
        self.idle.lock().unwrap().push(id);
    }

    async fn delete(self, id: String) {
        self.journal.lock().unwrap().deleting(&id);
        let Some(answer) = self.send(Method::DELETE, &path(&id), "").await else { return };
        self.journal.lock().unwrap().deleted(&id, &answer);
    }

    async fn send(&self, method: Method, path: &str, body: &str) -> Option<Answer> {
        let api = self.api.header("content-type", "application/json");
        api.try_send(method, path, body).await.ok()
    }
}

/// Audits the gateway of a place, loads it, and kills it at a random moment.
async fn load_and_kill(place: &mut Place, chance: &Chance, idle: &mut Vec<String>) {
    let process = place.audit().await;
    let client = Client {
        api: process.api(),
        journal: Arc::new(Mutex::new(std::mem::take(&mut place.journal))),
        idle: Arc::new(Mutex::new(std::mem::take(idle))),
    };
    // By a thread of its own: a timer's milliseconds would be those of the requests.
    let moment = Duration::from_micros(chance.below(LATEST_KILL.as_micros() as u64));
    let mut kill = tokio::task::spawn_blocking(move || {
        std::thread::sleep(moment);
        process.kill();
    });
    let mut requests = JoinSet::new();
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        tokio::select! {
            killed = &mut kill => break killed.unwrap(),
            _ = ticks.tick() => client.clone().ask(&place.receiver.url(), chance, &mut requests),
        }
    }
    while let Some(answered) = requests.join_next().await {
        answered.unwrap();
    }
    *idle = std::mem::take(&mut client.idle.lock().unwrap());
    place.journal = std::mem::take(&mut client.journal.lock().unwrap());
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_under_load_breaks_no_promise() {
    let _alone = MACHINE.lock().await;
    let mut drawn = [0; 8];
    SystemEntropy::default().fill(&mut drawn);
    let seed = number("GREENWAVE_SEED").unwrap_or(u64::from_ne_bytes(drawn));
    let kills = number("GREENWAVE_KILLS").unwrap_or(3);
    println!("GREENWAVE_SEED={seed}");
    let chance = Chance::new(seed);
    let mut place = Place::new(READY).await;
    preload(&mut place, PRELOADED).await;
    let mut idle = Vec::new();
    for _ in 0..kills {
        load_and_kill(&mut place, &chance, &mut idle).await;
    }
    place.audit().await;
    let (acknowledged, slowest) = (place.journal.acknowledged, place.slowest);
    println!(
        "{kills} kills, {acknowledged} acknowledged changes hold, ready in {slowest:?} at most"
    );
    assert!(acknowledged as u64 >= 10 * kills, "too little was under way");
}
