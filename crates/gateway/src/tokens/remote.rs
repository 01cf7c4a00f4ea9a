//! The keys of an issuer that is elsewhere: fetched when they are wanted, and not more often than
//! once a minute, whatever tokens name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use tokio::sync::watch;

use super::fetch::Fetch;
use super::keys::{KeySet, PublicKey};

/// The shortest time from one try to the next.
const BETWEEN_TRIES_MS: i64 = 60_000;

/// After what time keys are looked at again though nothing is missing: one may have been withdrawn.
const FRESH_FOR_MS: i64 = 10 * 60_000;

/// How long keys are good that could not be looked at again.
const GOOD_FOR_MS: i64 = 24 * 3_600_000;

/// How long a try may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct RemoteKeys {
    fetch: Fetch,
    state: watch::Sender<State>,
    /// Rises when keys change.
    version: AtomicU64,
}

#[derive(Default)]
struct State {
    keys: KeySet,
    /// The text that they were read from.
    text: Vec<u8>,
    fetched_ms: Option<i64>,
    tried_ms: Option<i64>,
    under_way: bool,
}

impl State {
    /// If a clock is set back, a time that lies ahead does not hold for ever.
    fn may_try(&self, now_ms: i64) -> bool {
        let waited = |tried: i64| !(tried..tried + BETWEEN_TRIES_MS).contains(&now_ms);
        !self.under_way && self.tried_ms.is_none_or(waited)
    }

    fn is_within(&self, age_ms: i64, now_ms: i64) -> bool {
        self.fetched_ms.is_some_and(|fetched| now_ms < fetched + age_ms)
    }
}

impl RemoteKeys {
    pub(super) fn new(fetch: Fetch) -> Arc<Self> {
        let state = watch::Sender::new(State::default());
        Arc::new(Self { fetch, state, version: AtomicU64::new(0) })
    }

    /// Rises when keys change.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether the keys are those of this version, and good. A token that is only remembered has
    /// them looked at as any other has: it may be the only one that comes.
    pub(super) fn stand(self: &Arc<Self>, version: u64, now_ms: i64) -> bool {
        let (good, fresh) = {
            let state = self.state.borrow();
            (state.is_within(GOOD_FOR_MS, now_ms), state.is_within(FRESH_FOR_MS, now_ms))
        };
        if good && !fresh {
            self.try_again(now_ms);
        }
        good && self.version() == version
    }

    /// The key of this id. If it is not known, the issuer is asked; whoever comes meanwhile waits
    /// for the same answer.
    pub(super) async fn find(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
        now_ms: i64,
    ) -> Option<Arc<PublicKey>> {
        let found = self.known(id, algorithm, now_ms);
        if found.is_some() {
            if !self.state.borrow().is_within(FRESH_FOR_MS, now_ms) {
                self.try_again(now_ms);
            }
            return found;
        }
        // Before asking, so that the answer cannot come unseen.
        let mut answer = self.state.subscribe();
        self.try_again(now_ms);
        answer.wait_for(|state| !state.under_way).await.ok()?;
        self.known(id, algorithm, now_ms)
    }

    fn known(&self, id: Option<&str>, alg: Algorithm, now_ms: i64) -> Option<Arc<PublicKey>> {
        let state = self.state.borrow();
        if state.is_within(GOOD_FOR_MS, now_ms) { state.keys.find(id, alg) } else { None }
    }

    /// Asks the issuer, if it may be asked. It goes on by itself: whoever wanted it may leave.
    pub(super) fn try_again(self: &Arc<Self>, now_ms: i64) {
        let mut begun = false;
        self.state.send_if_modified(|state| {
            begun = state.may_try(now_ms);
            if begun {
                (state.under_way, state.tried_ms) = (true, Some(now_ms));
            }
            false
        });
        if begun {
            let keys = Arc::clone(self);
            tokio::spawn(async move {
                let fetched = tokio::time::timeout(TIMEOUT, keys.fetch.fetch()).await;
                keys.take(
                    fetched.unwrap_or_else(|_| Err("no answer came in time".to_owned())),
                    now_ms,
                );
            });
        }
    }

    fn take(&self, fetched: Result<Vec<u8>, String>, now_ms: i64) {
        let read = fetched.and_then(|text| {
            let keys = KeySet::parse(&text).map_err(|error| error.to_string())?;
            Ok((text, keys))
        });
        if let Err(error) = &read {
            let from = &self.fetch;
            tracing::warn!(%error, %from, "the keys of the token issuer cannot be had");
        }
        self.state.send_modify(|state| {
            state.under_way = false;
            let Ok((text, keys)) = read else { return };
            state.fetched_ms = Some(now_ms);
            if state.text != text {
                (state.text, state.keys) = (text, keys);
                self.version.fetch_add(1, Ordering::Release);
            }
        });
    }
}
