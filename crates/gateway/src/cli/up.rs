//! `greenwave up`

mod tokens;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use greenwave_ledger::{OpenError, Storage};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use self::tokens::TokenArguments;
use super::output::{self, Failure};
use super::profiles::FILE_HINT;
use super::{DataDirectory, OutputFormat, duration, log};
use crate::clock::SystemTimer;
use crate::entropy::SystemEntropy;
use crate::gateway::{Config, Gateway, StartError};
use crate::http::Limits;
use crate::sandbox::Sandbox;

/// Run a sandbox gateway on a simulated network
///
/// It listens on loopback, keeps everything in the data directory, and goes on where it stopped
/// when it is started again. Stop it with Ctrl-C.
#[derive(Debug, Args)]
pub(super) struct Up {
    #[command(flatten)]
    directory: DataDirectory,

    /// The port for applications; the admin API has the next one. 0 is any
    #[arg(long, env = "GREENWAVE_PORT", default_value_t = 9091)]
    port: u16,

    /// How long the simulated network takes to grant a session
    #[arg(long, value_name = "TIME", default_value = "50ms", value_parser = duration::parse)]
    grant_delay: Duration,

    /// How long sessions and events are kept once they are over: a day at least
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration::parse_retention)]
    retention: Duration,

    /// A PEM file with certificate authorities that receivers of events may have their
    /// certificates from, beside those that the machine trusts
    #[arg(long, value_name = "FILE")]
    trust_ca: Option<PathBuf>,

    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", env = "GREENWAVE_LOG", default_value = "info")]
    log: LevelFilter,

    #[command(flatten)]
    tokens: TokenArguments,

    #[command(flatten)]
    format: OutputFormat,
}

impl Up {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        log::start(self.log);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
        runtime.block_on(self.serve())
    }

    async fn serve(&self) -> Result<(), Failure> {
        let timer = SystemTimer::start();
        let config = Config {
            directory: self.directory.data.clone(),
            port: self.port,
            grant_delay: self.grant_delay,
            retention: self.retention,
            timer: Arc::clone(&timer) as _,
            entropy: Arc::new(SystemEntropy::default()),
            limits: Limits::of_process(),
            trusted: self.trusted()?,
            tokens: self.tokens.settings()?,
            storage: Storage::default(),
        };
        // Before the start, so that a signal during it is not lost.
        let mut stop = Stop::new()?;
        let mut gateway = Gateway::start(config).await.map_err(|error| match error {
            StartError::Open(OpenError::NewerSchema { .. } | OpenError::NotALedger { .. }) => {
                Failure::new(error).for_good()
            }
            StartError::Profiles(error) => Failure::new(error).for_good().hint(FILE_HINT),
            error => Failure::new(error),
        })?;
        let metrics = gateway.metrics();
        let stepped = move |seconds| metrics.clock_stepped(seconds);
        let watching = tokio::spawn(async move { timer.watch(stepped).await });
        self.greet(gateway.sandbox())?;
        let failed = tokio::select! {
            () = stop.asked() => None,
            error = gateway.failed() => Some(error),
        };
        watching.abort();
        if let Some(error) = failed {
            // What is on the disk is true; what is in memory may not be.
            return Err(Failure::new(format!("{error}: stopping at once"))
                .hint("check the disk, then greenwave up again"));
        }
        tracing::info!("stopping: letting requests finish");
        tokio::select! {
            () = gateway.stop() => {}
            () = stop.asked() => tracing::warn!("stopping at once"),
        }
        Ok(())
    }

    fn trusted(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        let Some(path) = &self.trust_ca else { return Ok(Vec::new()) };
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(format!("cannot read certificates from {}: {error}", path.display()))
                .hint("give --trust-ca a file that has them as PEM, each between its BEGIN and END")
        };
        let read = CertificateDer::pem_file_iter(path).map_err(|error| failed(&error))?;
        let trusted: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        if trusted.is_empty() { Err(failed(&"there are none")) } else { Ok(trusted) }
    }

    fn greet(&self, sandbox: &Sandbox) -> Result<(), Failure> {
        if self.format.json {
            // On one line, for whoever reads until it is there.
            return output::print(&serde_json::json!(sandbox.to_file()).to_string());
        }
        let data = self.directory.data.display().to_string();
        output::print(&greeting(sandbox, &data))
    }
}

/// Ctrl-C, or what a service manager sends.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::new(format!("cannot listen to signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn greeting(sandbox: &Sandbox, data: &str) -> String {
    let (root, key) = (&sandbox.api_root, sandbox.application_key.expose_secret());
    format!(
        r#"Greenwave {version} is ready: a sandbox, with a simulated network.

  API    {root}
  Docs   {root}/docs
  Key    {key}
  Data   {data}

With curl:

curl -sS {root}/qod/v0/sessions -H 'X-RapidAPI-Key: {key}' -H 'Content-Type: application/json' -d '{{"device":{{"networkAccessIdentifier":"device@testcsp.net"}},"applicationServer":{{"ipv4Address":"233.252.0.2"}},"qosProfile":"QOS_L","duration":3600}}'

With Python (pip install network-as-code==3.1.0):

import network_as_code as nac
client = nac.NetworkAsCodeClient(token="{key}", qos_base_url="{root}/qod/v0")
device = client.devices.get("device@testcsp.net")
session = device.create_qod_session("QOS_L", service_ipv4="233.252.0.2")
print(device.sessions())
device.clear_sessions()

Ctrl-C stops it; the same command goes on where it stopped."#,
        version = env!("CARGO_PKG_VERSION"),
    )
}
