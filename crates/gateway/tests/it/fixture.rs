//! A gateway in this process, on a directory of its own, with a clock that is moved.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use greenwave::entropy::SystemEntropy;
use greenwave::gateway::{Config, Gateway, StartError};
use greenwave::http::Limits;
use greenwave::tokens;
use greenwave_core::SessionId;
use greenwave_ledger::{OpenError, Storage};
use greenwave_network::ManualTimer;
use greenwave_network::simulator::rules;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::client::{Answer, SOON, TestClient, within};

pub(crate) const SESSIONS: &str = "/qod/v0/sessions";
pub(crate) const RETRIEVE: &str = "/qod/v0/retrieve-sessions";

/// The time that a slow network takes to grant a session.
pub(crate) const SLOW: Duration = Duration::from_millis(50);

pub(crate) struct Fixture {
    pub(crate) timer: Arc<ManualTimer>,
    pub(crate) directory: Arc<tempfile::TempDir>,
    pub(crate) gateway: Gateway,
    /// With the sandbox's key.
    pub(crate) api: TestClient,
    /// With the operator's token.
    pub(crate) admin: TestClient,
}

/// When the clock stands still at first.
pub(crate) fn start() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

impl Fixture {
    /// A gateway whose network grants at once, without the clock being moved.
    pub(crate) async fn new() -> Self {
        Self::with_grant_delay(Duration::ZERO).await
    }

    /// A gateway whose network does not grant anything before the clock is moved.
    pub(crate) async fn slow() -> Self {
        Self::with_grant_delay(SLOW).await
    }

    pub(crate) async fn with_grant_delay(grant_delay: Duration) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        Self::open(directory, ManualTimer::new(start()), grant_delay).await
    }

    pub(crate) async fn open(
        directory: Arc<tempfile::TempDir>,
        timer: Arc<ManualTimer>,
        grant_delay: Duration,
    ) -> Self {
        let gateway = start_when_free(|| config(&directory, &timer, grant_delay)).await;
        Self::of(gateway, directory, timer)
    }

    /// A gateway like [`Self::new`]'s that takes on this much.
    pub(crate) async fn with_limits(limits: Limits) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let timer = ManualTimer::new(start());
        let config = Config { limits, ..config(&directory, &timer, Duration::ZERO) };
        let gateway = Gateway::start(config).await.unwrap();
        Self::of(gateway, directory, timer)
    }

    /// A gateway like [`Self::new`]'s that takes these tokens.
    pub(crate) async fn with_tokens(tokens: tokens::Settings) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let timer = ManualTimer::new(start());
        let config = Config { tokens, ..config(&directory, &timer, Duration::ZERO) };
        let gateway = Gateway::start(config).await.unwrap();
        Self::of(gateway, directory, timer)
    }

    /// A gateway like [`Self::new`]'s that trusts this authority, too.
    pub(crate) async fn trusting(authority: CertificateDer<'static>) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let timer = ManualTimer::new(start());
        let config =
            Config { trusted: vec![authority], ..config(&directory, &timer, Duration::ZERO) };
        let gateway = Gateway::start(config).await.unwrap();
        Self::of(gateway, directory, timer)
    }

    /// Cuts the gateway off as a crash would, and opens it again.
    pub(crate) async fn crash(self) -> Self {
        let Self { directory, timer, gateway, .. } = self;
        drop(gateway);
        let gateway = start_when_free(|| config(&directory, &timer, SLOW)).await;
        Self::of(gateway, directory, timer)
    }

    fn of(gateway: Gateway, directory: Arc<tempfile::TempDir>, timer: Arc<ManualTimer>) -> Self {
        let sandbox = gateway.sandbox();
        let api = TestClient::with_key(&sandbox.api_root, sandbox.application_key.expose_secret());
        let token = format!("Bearer {}", sandbox.admin_token.expose_secret());
        let admin = TestClient::new(&sandbox.admin_url).header("Authorization", &token);
        Self { timer, directory, gateway, api, admin }
    }

    /// A client with a key of another application.
    pub(crate) async fn stranger(&self) -> TestClient {
        let answer = self.admin.post("/greenwave/v1/keys", json!({"application": "other"})).await;
        let key = answer.json["key"].as_str().unwrap().to_owned();
        TestClient::with_key(&self.api.root, &key)
    }

    pub(crate) async fn create(&self, body: Value) -> String {
        let answer = self.api.post(SESSIONS, body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.id()
    }

    /// A session that is available.
    pub(crate) async fn live(&self, body: Value) -> String {
        let id = self.create(body).await;
        self.until(&id, "AVAILABLE").await;
        id
    }

    /// Moves the clock until a slow network has granted the session: it may first have to be told.
    pub(crate) async fn grant(&self, id: &str) -> Answer {
        let path = path(id);
        let granting = async {
            loop {
                self.timer.pass(SLOW);
                let answer = self.api.get(&path).await;
                if answer.is_status("AVAILABLE") {
                    return answer;
                }
            }
        };
        within(SOON, "a grant", granting).await
    }

    pub(crate) async fn get(&self, id: &str) -> Answer {
        self.api.get(&path(id)).await
    }

    /// Waits until the session has this status.
    pub(crate) async fn until(&self, id: &str, status: &str) -> Answer {
        self.api.get_until(&path(id), |answer| answer.is_status(status)).await
    }

    /// Waits until the network has the rules of these sessions and no others.
    pub(crate) async fn until_rules(&self, wanted: &[String]) {
        let path = self.directory.path().join("network.jsonl");
        let mut wanted = wanted.to_vec();
        wanted.sort();
        let looking = async {
            while rules_in(&path) != wanted {
                tokio::task::yield_now().await;
            }
        };
        within(SOON, format!("the rules of {} sessions", wanted.len()), looking).await;
    }

    /// Ends the gateway as a signal would.
    pub(crate) async fn stop(self) -> (Arc<tempfile::TempDir>, Arc<ManualTimer>) {
        self.gateway.stop().await;
        (self.directory, self.timer)
    }
}

/// Starts a gateway once nobody holds the directory. What is cut off goes when the runtime gets to
/// it, and a process that another test starts has all files of this one until it is itself.
async fn start_when_free(config: impl Fn() -> Config) -> Gateway {
    let opening = async {
        loop {
            match Gateway::start(config()).await {
                Err(StartError::Open(OpenError::InUse { .. })) => tokio::task::yield_now().await,
                result => return result.unwrap(),
            }
        }
    };
    within(SOON, "the directory", opening).await
}

fn config(
    directory: &tempfile::TempDir,
    timer: &Arc<ManualTimer>,
    grant_delay: Duration,
) -> Config {
    Config {
        directory: directory.path().to_owned(),
        port: 0,
        grant_delay,
        retention: Duration::from_secs(30 * 86_400),
        timer: timer.clone(),
        entropy: Arc::new(SystemEntropy::default()),
        limits: limits(),
        trusted: Vec::new(),
        tokens: tokens::Settings::default(),
        storage: Storage::default(),
    }
}

/// The default, but without taking leave of clients that will not come back.
pub(crate) fn limits() -> Limits {
    Limits { linger: Duration::ZERO, ..Limits::default() }
}

pub(crate) fn path(id: &str) -> String {
    format!("{SESSIONS}/{id}")
}

/// The sessions that the simulated network has rules for.
pub(crate) fn rules_in(path: &Path) -> Vec<String> {
    let rules = rules::read(path).unwrap();
    let mut sessions: Vec<SessionId> = rules.into_iter().map(|rule| rule.session).collect();
    sessions.sort_unstable();
    sessions.iter().map(ToString::to_string).collect()
}

/// A request for a device of this name, lasting a minute.
pub(crate) fn request(device: &str) -> Value {
    json!({
        "device": {"networkAccessIdentifier": device},
        "applicationServer": {"ipv4Address": "203.0.113.5"},
        "qosProfile": "QOS_L",
        "duration": 60,
    })
}

/// The tutorial's device.
pub(crate) fn tutorial() -> Value {
    request("device@testcsp.net")
}

/// The same request with something added or replaced.
pub(crate) fn with(mut request: Value, name: &str, value: Value) -> Value {
    request[name] = value;
    request
}
