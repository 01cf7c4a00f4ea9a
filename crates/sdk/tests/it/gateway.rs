//! A gateway in this process, on a directory of its own.

use std::sync::Arc;
use std::time::Duration;

use greenwave::clock::SystemTimer;
use greenwave::entropy::SystemEntropy;
use greenwave::gateway::{Config, Gateway};
use greenwave::http::Limits;
use greenwave_ledger::Storage;
use greenwave_sdk::ClientOf;
use greenwave_sdk::operation::Executor;
use secrecy::ExposeSecret;

pub(crate) struct TestGateway {
    gateway: Gateway,
    _directory: tempfile::TempDir,
}

impl TestGateway {
    /// One whose network grants at once.
    pub(crate) async fn start() -> Self {
        Self::with_grant_delay(Duration::ZERO).await
    }

    pub(crate) async fn with_grant_delay(grant_delay: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            directory: directory.path().to_owned(),
            port: 0,
            grant_delay,
            retention: Duration::from_secs(30 * 86_400),
            timer: SystemTimer::start(),
            entropy: Arc::new(SystemEntropy::default()),
            limits: Limits::default(),
            trusted: Vec::new(),
            tokens: greenwave::tokens::Settings::default(),
            storage: Storage::default(),
        };
        Self { gateway: Gateway::start(config).await.unwrap(), _directory: directory }
    }

    pub(crate) fn root(&self) -> &str {
        &self.gateway.sandbox().api_root
    }

    pub(crate) fn key(&self) -> &str {
        self.gateway.sandbox().application_key.expose_secret()
    }

    pub(crate) fn client<E: Executor>(&self) -> ClientOf<E> {
        ClientOf::builder().base_url(self.root()).build(self.key()).unwrap()
    }
}
