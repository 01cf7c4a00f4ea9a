//! A client: a gateway, a key, and who carries requests out.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::calls::Calls;
use crate::device::{Device, DeviceId};
use crate::operation::{Executor, Map};
use crate::profile::QosProfile;
use crate::request::Endpoint;
use crate::session::Session;
use crate::{Error, Tokio};

/// Where `greenwave up` listens.
pub const DEFAULT_BASE_URL: &str = "http://127.0.0.1:9091";

/// The environment variable that says where the gateway is, if the program does not.
pub const BASE_URL_VARIABLE: &str = "NAC_BASE_URL";

/// How long a try may take.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a request is sent again: with the pauses between, for about three seconds.
pub const DEFAULT_RETRIES: u32 = 5;

/// A client for async programs: its calls are futures, for tokio.
pub type Client = ClientOf<Tokio>;

/// A client of one gateway, for one key. It is cheap to clone, and clones share connections.
///
/// What its methods return depends on its executor: with [`Tokio`], futures that run on the runtime
/// that they are awaited on; with [`Blocking`](crate::blocking::Blocking), the results themselves.
/// [`Client`] and [`blocking::Client`](crate::blocking::Client) are those two.
pub struct ClientOf<E: Executor> {
    executor: E,
    calls: Calls,
}

/// What a client is made from.
#[must_use = "nothing is there before `build`"]
pub struct Builder<E: Executor = Tokio> {
    base_url: Option<String>,
    timeout: Duration,
    retries: u32,
    executor: PhantomData<fn() -> E>,
}

impl<E: Executor> ClientOf<E> {
    /// A client of the gateway that `NAC_BASE_URL` names, or the one that `greenwave up` starts on
    /// this machine.
    pub fn new(key: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder().build(key)
    }

    /// A client, to be told more.
    pub fn builder() -> Builder<E> {
        Builder {
            base_url: None,
            timeout: DEFAULT_TIMEOUT,
            retries: DEFAULT_RETRIES,
            executor: PhantomData,
        }
    }

    /// A client with an executor that is there. Each request is sent `retries` times again at most.
    pub fn with_executor(executor: E, retries: u32) -> Self {
        let calls = Calls::new(executor.root(), retries.saturating_add(1));
        Self { executor, calls }
    }

    /// A device. Nothing is sent before something is asked for it.
    #[must_use]
    pub fn device(&self, id: DeviceId) -> Device<E> {
        Device::new(self.clone(), id)
    }

    /// A session, as it is now.
    pub fn session(&self, id: impl AsRef<str>) -> E::Answer<Session<E>> {
        let client = self.clone();
        let found = move |info| Session::new(client.clone(), info);
        self.executor.run(Map::new(self.calls.get(id.as_ref()), found))
    }

    /// All sessions of the application, whatever their devices, the oldest first. One that begins
    /// or ends while they are read may be missing. More than a million are an error.
    pub fn sessions(&self) -> E::Answer<Vec<Session<E>>> {
        let client = self.clone();
        let found = move |infos: Vec<_>| {
            infos.into_iter().map(|info| Session::new(client.clone(), info)).collect()
        };
        self.executor.run(Map::new(self.calls.all_sessions(), found))
    }

    /// The profiles that sessions can be asked for with, where the gateway tells them.
    pub fn qos_profiles(&self) -> E::Answer<Vec<QosProfile>> {
        self.executor.run(self.calls.qos_profiles())
    }

    /// Who carries requests out.
    #[must_use]
    pub fn executor(&self) -> &E {
        &self.executor
    }

    /// The operations that it carries out.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }
}

impl<E: Executor> Builder<E> {
    /// Where the gateway is, such as `https://qod.example.com`.
    pub fn base_url(self, url: impl Into<String>) -> Self {
        Self { base_url: Some(url.into()), ..self }
    }

    /// How long each try may take; 30 s otherwise.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// How often a request is sent again if it fails in a way that may pass; 5 times otherwise.
    pub fn retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// A client with this application key.
    pub fn build(self, key: impl AsRef<str>) -> Result<ClientOf<E>, Error> {
        let variable = || std::env::var(BASE_URL_VARIABLE).ok().filter(|url| !url.is_empty());
        let url = self.base_url.or_else(variable);
        let endpoint = Endpoint::new(url.as_deref().unwrap_or(DEFAULT_BASE_URL), key.as_ref())?;
        Ok(ClientOf::with_executor(E::new(endpoint, self.timeout)?, self.retries))
    }
}

impl<E: Executor> Clone for ClientOf<E> {
    fn clone(&self) -> Self {
        Self { executor: self.executor.clone(), calls: self.calls.clone() }
    }
}

impl<E: Executor> fmt::Debug for ClientOf<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("root", &self.executor.root()).finish_non_exhaustive()
    }
}

impl<E: Executor> fmt::Debug for Builder<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("base_url", &self.base_url)
            .field("timeout", &self.timeout)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}
