//! Access tokens instead of keys.

mod corpus;
mod remote;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use greenwave::tokens::{Settings, WallClock};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::TestClient;
use crate::fixture::{Fixture, SESSIONS, path, tutorial};
use crate::mint::Signer;

/// A clock for tokens that a test moves, in seconds.
pub(crate) struct Wall(Arc<AtomicI64>);

/// A moment.
pub(crate) const NOW: i64 = 1_800_000_000;

impl Wall {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW)))
    }

    pub(crate) fn settings(&self) -> Settings {
        let seconds = Arc::clone(&self.0);
        let now = move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap();
        Settings { external: None, clock: WallClock::new(now) }
    }

    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

/// Claims of a good token of the sandbox's issuer.
pub(crate) fn claims(f: &Fixture) -> Value {
    json!({
        "iss": f.api.root, "aud": f.api.root, "sub": "1", "client_id": "1",
        "iat": NOW, "exp": NOW + 600, "scope": "quality-on-demand:sessions:read",
    })
}

pub(crate) fn bearer(f: &Fixture, token: &str) -> TestClient {
    TestClient::new(&f.api.root).header("Authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn a_token_is_as_good_as_a_key() {
    let wall = Wall::new();
    let f = Fixture::with_tokens(wall.settings()).await;
    let mut claims = claims(&f);
    claims["scope"] = json!("quality-on-demand:sessions:read quality-on-demand:sessions:create");
    let token = Signer::of(f.directory.path()).sign(&claims);
    let api = bearer(&f, &token);
    let id = api.post(SESSIONS, tutorial()).await.id();
    f.get(&id).await.assert_ok();
    api.get(&path(&id)).await.assert_ok();
    let other = TestClient::with_key(&f.api.root, f.stranger().await.key());
    let other = other.header("Authorization", &format!("Bearer {token}"));
    other.get(&path(&id)).await.assert_ok();
}

/// However often it has been taken before.
#[tokio::test]
async fn a_token_runs_out() {
    let wall = Wall::new();
    let f = Fixture::with_tokens(wall.settings()).await;
    let api = bearer(&f, &Signer::of(f.directory.path()).sign(&claims(&f)));
    for (after, taken) in [(0, true), (600, true), (659, true), (660, false), (661, false)] {
        wall.set(NOW + after);
        let answer = api.get(SESSIONS).await;
        assert_eq!(answer.status, if taken { 200 } else { 401 }, "after {after} s");
    }
    f.timer.pass(std::time::Duration::from_secs(86_400));
    wall.set(NOW);
    api.get(SESSIONS).await.assert_ok();
}
