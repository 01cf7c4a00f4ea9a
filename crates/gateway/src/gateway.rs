//! A gateway as a whole: opened from a directory, served, and stopped.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use greenwave_core::{Clock, CurrentCatalogue};
use greenwave_crashpoint::{Point, reached};
use greenwave_ledger::{
    DirectoryLock, Ledger, LedgerError, OpenError, Registry, RegistryError, SqliteLedger, Storage,
};
use greenwave_network::simulator::Settings;
use greenwave_network::{Simulator, Timer};
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::auth::{Access, AccessError, AccessParts};
use crate::delivery::{self, AddressGuard, SinkClient};
use crate::directory::SandboxDirectory;
use crate::engine::{Engine, Parts};
use crate::entropy::{self, Entropy};
use crate::http::{self, Api, Limits};
use crate::metrics::Metrics;
use crate::profiles::{Profiles, ProfilesError};
use crate::sandbox::{self, Sandbox};
use crate::secrets::{SecretError, Secrets};
use crate::tokens;

/// How many connections may wait in the kernel to be taken, if it lets them: all clients come back
/// at once after a restart.
const QUEUE: u32 = 4_096;

/// What a sandbox gateway is to be like.
pub struct Config {
    /// Where everything is kept. It is made if it is not there.
    pub directory: PathBuf,
    /// The port for applications, on loopback; 0 for any. The admin API has the next one.
    pub port: u16,
    /// How long the simulated network takes to grant a session.
    pub grant_delay: Duration,
    /// How long sessions and events are kept once they are over.
    pub retention: Duration,
    /// What time it is.
    pub timer: Arc<dyn Timer>,
    /// Where keys and ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// How much clients can make it do.
    pub limits: Limits,
    /// Certificate authorities that receivers of events may have theirs from, beside those that the
    /// machine trusts.
    pub trusted: Vec<CertificateDer<'static>>,
    /// Whose tokens are taken.
    pub tokens: tokens::Settings,
    /// What the ledger's file is kept on, if not on the system's disks as they are.
    #[doc(hidden)]
    pub storage: Storage,
}

/// Why a gateway does not start. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory cannot be used.
    #[error("cannot use the directory {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The port is taken.
    #[error("port {port} is taken: stop what is using it, or choose another one with --port")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The port cannot be listened at.
    #[error("cannot listen at port {port}: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The operator's profiles cannot be used.
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The secret cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The ledger cannot answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It cannot be said who may do what.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The ledger came to no end with opening.
    #[error("opening the ledger broke off, which is a bug: {0}")]
    Interrupted(String),
    /// A certificate authority cannot be trusted.
    #[error("cannot use a certificate authority that is to be trusted: {0}")]
    Trust(io::Error),
    /// The sandbox's key cannot be made.
    #[error("cannot make the sandbox's application key: {0}")]
    Key(#[from] RegistryError),
}

/// Why a gateway cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The ledger can keep nothing any more.
    #[error(transparent)]
    Ledger(LedgerError),
    /// A task that should never end has ended.
    #[error("a worker of the gateway has come to its end, which is a bug: {0}")]
    Worker(String),
}

impl Failed {
    fn worker(ended: Result<(), JoinError>) -> Self {
        Self::Worker(ended.err().map_or_else(|| "no panic".to_owned(), |error| error.to_string()))
    }
}

/// A gateway that serves.
pub struct Gateway {
    sandbox: Sandbox,
    ledger: Arc<dyn Ledger>,
    metrics: Arc<Metrics>,
    api: Arc<Api>,
    stop: CancellationToken,
    /// What is asked to stop and waited for.
    serving: JoinSet<()>,
    /// What can be cut off at any time.
    workers: JoinSet<()>,
}

impl Gateway {
    /// Opens everything and serves. When this comes back, requests are answered.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let directory = config.directory.as_path();
        make_directory(directory)?;
        reached(Point::StartDirectoryMade);
        // First of all, so that a port that is taken is told before anything is written.
        let public = listen(config.port)?;
        let admin = listen(config.port.checked_add(1).filter(|_| config.port != 0).unwrap_or(0))?;
        let (public_at, admin_at) = (address(&public)?, address(&admin)?);
        reached(Point::StartListening);

        let secrets = Arc::new(Secrets::open(directory, &*config.entropy)?);
        reached(Point::StartSecretOpened);
        let clock: Arc<dyn Clock> = Arc::new(TimerClock(Arc::clone(&config.timer)));
        let profiles = Arc::new(Profiles::open(directory)?);
        let catalogue = Arc::clone(profiles.catalogue());
        let (sqlite, network) = open(&config, Arc::clone(&clock), Arc::clone(&catalogue)).await?;
        let ledger: Arc<dyn Ledger> = Arc::clone(&sqlite) as _;
        let registry: Arc<dyn Registry> = sqlite;
        let access = AccessParts {
            directory,
            api_root: format!("http://{public_at}"),
            registry,
            secrets: Arc::clone(&secrets),
            timer: Arc::clone(&config.timer),
            entropy: Arc::clone(&config.entropy),
            tokens: config.tokens.clone(),
        };
        let access = Access::open(access).await?;
        let sandbox =
            sandbox::prepare(directory, public_at, admin_at, &access.keys, &*config.entropy)
                .await?;

        reached(Point::SandboxFileWritten);
        let metrics = Arc::new(Metrics::default());
        let parts = Parts {
            ledger: Arc::clone(&ledger),
            network: Arc::clone(&network) as _,
            directory: Arc::new(SandboxDirectory::new(Arc::clone(&secrets))),
            catalogue,
            secrets: Arc::clone(&secrets),
            entropy: Arc::clone(&config.entropy),
            timer: Arc::clone(&config.timer),
            retention: config.retention,
            metrics: Arc::clone(&metrics),
        };
        let (engine, workers) = Engine::start(parts);
        reached(Point::StartEngineStarted);
        let stop = CancellationToken::new();
        let mut serving = JoinSet::new();
        let guard = AddressGuard::new(public_at.ip().is_loopback(), vec![public_at, admin_at]);
        let client =
            SinkClient::new(guard, secrets, clock, config.trusted).map_err(StartError::Trust)?;
        serving.spawn(delivery::deliver(Arc::clone(&engine), Arc::new(client), stop.clone()));

        let (token, limits) = (sandbox.admin_token.clone(), config.limits);
        let api =
            Arc::new(Api::new(engine, access, token, profiles, network, config.entropy, &limits));
        let routes = http::public_routes(Arc::clone(&api));
        serving.spawn(http::serve(public, routes, limits, stop.clone()));
        let routes = http::admin_routes(Arc::clone(&api));
        serving.spawn(http::serve(admin, routes, limits.for_operator(), stop.clone()));
        reached(Point::StartServing);
        Ok(Self { sandbox, ledger, metrics, api, stop, serving, workers })
    }

    /// Where it is and how to use it.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// What happens, counted.
    #[must_use]
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// Comes when the gateway cannot go on: what is in memory may not be true any more, or nobody
    /// does what has to be done. It should end at once, and start anew from what is kept.
    pub async fn failed(&mut self) -> Failed {
        tokio::select! {
            error = self.ledger.failed() => Failed::Ledger(error),
            Some(ended) = self.workers.join_next() => Failed::worker(ended),
            Some(ended) = self.serving.join_next() => Failed::worker(ended),
        }
    }

    /// Lets requests and deliveries that are under way finish, and stops.
    pub async fn stop(mut self) {
        self.api.drain();
        self.stop.cancel();
        while self.serving.join_next().await.is_some() {}
        self.workers.shutdown().await;
        // Somebody may still hold it, in a task that is on its way out.
        self.ledger.close().await;
    }
}

/// Opens the ledger, and starts the network meanwhile: with millions of sessions both take their
/// time. Nothing of either is touched before the directory is ours.
async fn open(
    config: &Config,
    clock: Arc<dyn Clock>,
    catalogue: Arc<CurrentCatalogue>,
) -> Result<(Arc<SqliteLedger>, Arc<Simulator>), StartError> {
    let (directory, storage) = (config.directory.clone(), config.storage.clone());
    let lock = DirectoryLock::take(&directory)?;
    let ledger = tokio::task::spawn_blocking(move || {
        SqliteLedger::open_locked(lock, &storage, &directory, clock)
    });
    let network = start_network(config, catalogue);
    let ledger = ledger.await.map_err(|error| StartError::Interrupted(error.to_string()))??;
    reached(Point::StartLedgerOpened);
    Ok((Arc::new(ledger), Arc::new(network?)))
}

fn start_network(
    config: &Config,
    catalogue: Arc<CurrentCatalogue>,
) -> Result<Simulator, StartError> {
    let rules = config.directory.join("network.jsonl");
    let settings =
        Settings { grant_delay: config.grant_delay, seed: entropy::number(&*config.entropy) };
    Simulator::start(&rules, catalogue, settings, Arc::clone(&config.timer))
        .map_err(|source| io_error(&config.directory, source))
}

fn make_directory(path: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).map_err(|source| io_error(path, source))
}

fn io_error(directory: &Path, source: io::Error) -> StartError {
    StartError::Directory { path: directory.to_owned(), source }
}

/// Listens on loopback: nobody else can reach the gateway unless it is told to let them.
fn listen(port: u16) -> Result<TcpListener, StartError> {
    let bind = || {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        socket.listen(QUEUE)
    };
    bind().map_err(|source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortTaken { port },
        _ => StartError::Listen { port, source },
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Listen { port: 0, source })
}

/// A timer, for those who only want to know the time.
struct TimerClock(Arc<dyn Timer>);

impl Clock for TimerClock {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }
}
