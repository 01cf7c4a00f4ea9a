//! What the simulated network takes by itself, of time and of memory, for so many sessions.
//!
//! It is asked as an engine would ask it, on the machine's clock, and what is told is the processor
//! time of the whole process: of who asks, of the network, and of who hears its events.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use greenwave::clock::SystemTimer;
use greenwave::entropy::{Entropy, SystemEntropy};
use greenwave_core::device::NetworkAccessIdentifier;
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationServer, Asked, Buckets, Catalogue, Clock, CurrentCatalogue, Device, DeviceKey,
    NamedBy, Order, Precedence, ProfileName, SessionId,
};
use greenwave_network::simulator::Settings;
use greenwave_network::{Network as _, NetworkEvent, News, Simulator};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::Failure;
use crate::machine::Machine;

/// How many sessions are asked for before their grants are waited for: as many as come within a
/// grant's usual delay when there are ten thousand a second.
const AT_ONCE: u32 = 512;

/// Into how many parts the short list is split of which one is asked for.
const PARTS: u16 = 256;

/// Sessions in the simulated network alone
#[derive(Debug, Args)]
pub(crate) struct Network {
    /// How many are installed
    #[arg(long, value_name = "COUNT", default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u32).range(AT_ONCE.into()..=20_000_000))]
    sessions: u32,

    /// Where the network's file is put for the time, on a real disk
    #[arg(long, value_name = "DIR")]
    temp: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) machine: Machine,
    pub(crate) sessions: u32,
    /// Processor time for a session to be provisioned and granted, while they become so many.
    pub(crate) fill_us: f64,
    /// Memory for each of them, files and requests aside, when all are there.
    pub(crate) bytes: f64,
    /// Processor time to provision and grant a session and release another one, when all are there.
    pub(crate) life_us: f64,
    /// How long it takes to list all, and one of so many parts.
    pub(crate) list_ms: f64,
    pub(crate) list_part_ms: f64,
    /// How long a start takes on that file, and the memory for each session after it.
    pub(crate) start_s: f64,
    /// The processor time of that start, for each line of the file.
    pub(crate) line_us: f64,
    pub(crate) started_bytes: f64,
    /// Processor time for a release, when one after the other is released until none is left.
    pub(crate) release_us: f64,
    /// The longest of these releases: the one that has the file written anew.
    pub(crate) longest_release_ms: f64,
}

impl Network {
    /// Fills a network, lets sessions come and go, starts it again, and empties it.
    pub(crate) async fn run(&self) -> Result<Measured, Failure> {
        let temp = self.temp.clone().unwrap_or_else(std::env::temp_dir);
        let temp = tempfile::tempdir_in(temp);
        let temp = temp.map_err(|error| Failure::new("no directory", error))?;
        let machine = Machine::look(temp.path());
        let path = temp.path().join("network.jsonl");
        // Who asks needs memory too. It is taken first, so that it counts for nobody.
        let mut orders = Orders::new(self.sessions);
        let before = memory()?;
        let mut asking = Asking::start(&path)?;
        let fill = asking.provision(self.sessions, &mut orders).await?;
        let bytes = memory()? - before;
        let (list_ms, list_part_ms) = asking.list(self.sessions).await?;
        // So few that the file is not written anew meanwhile.
        let churn = (self.sessions / 4).min(1_000_000);
        let life = asking.replace(churn, &mut orders).await?;

        drop(asking);
        tokio::task::yield_now().await;
        let before = memory()?;
        let (began, busy) = (Instant::now(), cpu_time());
        let asking = Asking::start(&path)?;
        let start_s = began.elapsed().as_secs_f64();
        let start = cpu_time().saturating_sub(busy);
        let started_bytes = memory()? - before;
        let (release, longest) = asking.release_all(&orders).await?;
        let each = |cpu: Duration, count: u32| cpu.as_secs_f64() * 1e6 / f64::from(count);
        Ok(Measured {
            machine,
            sessions: self.sessions,
            fill_us: each(fill, self.sessions),
            bytes: bytes / f64::from(self.sessions),
            life_us: each(life, churn),
            list_ms,
            list_part_ms,
            start_s,
            line_us: each(start, self.sessions + 2 * churn),
            started_bytes: started_bytes / f64::from(self.sessions),
            release_us: each(release, self.sessions),
            longest_release_ms: longest.as_secs_f64() * 1e3,
        })
    }
}

/// A network, and who asks it.
struct Asking {
    network: Simulator,
    events: mpsc::Receiver<NetworkEvent>,
    heard: Vec<NetworkEvent>,
}

impl Asking {
    fn start(path: &Path) -> Result<Self, Failure> {
        // As short as the clock can tell: how long a grant takes is not what is measured.
        let settings = Settings { grant_delay: Duration::from_millis(1), seed: 0 };
        let catalogue = Arc::new(CurrentCatalogue::new(Catalogue::nokia()));
        let network = Simulator::start(path, catalogue, settings, SystemTimer::start());
        let network = network.map_err(failed)?;
        let events = network.events().ok_or_else(|| failed("the network says nothing"))?;
        Ok(Self { network, events, heard: Vec::new() })
    }

    /// Provisions sessions until all are granted.
    async fn provision(&mut self, count: u32, orders: &mut Orders) -> Result<Duration, Failure> {
        let mut cpu = Duration::ZERO;
        for first in (0..count).step_by(AT_ONCE as usize) {
            let batch = orders.make(AT_ONCE.min(count - first))?;
            // What was asked for belongs to whoever asks: its end counts for nothing here.
            let _asked: Vec<_> = batch.iter().map(|order| Arc::clone(&order.asked)).collect();
            let before = cpu_time();
            let expected = batch.len();
            for order in batch {
                self.network.provision(order).await.map_err(failed)?;
            }
            self.hear(expected).await?;
            cpu += cpu_time().saturating_sub(before);
        }
        Ok(cpu)
    }

    async fn hear(&mut self, expected: usize) -> Result<(), Failure> {
        self.heard.clear();
        while self.heard.len() < expected {
            if self.events.recv_many(&mut self.heard, expected).await == 0 {
                return Err(failed("the network is gone"));
            }
        }
        if self.heard.iter().any(|event| event.news != News::Granted) {
            return Err(failed("the network refuses a session"));
        }
        Ok(())
    }

    /// Provisions new sessions and releases as many old ones.
    async fn replace(&mut self, count: u32, orders: &mut Orders) -> Result<Duration, Failure> {
        let mut cpu = Duration::ZERO;
        for first in (0..count).step_by(AT_ONCE as usize) {
            let number = AT_ONCE.min(count - first);
            let old = orders.oldest(number)?;
            let _asked: Vec<_> = old.iter().map(|order| Arc::clone(&order.asked)).collect();
            cpu += self.provision(number, orders).await?;
            let before = cpu_time();
            for order in old {
                self.network.release(order).await.map_err(failed)?;
            }
            cpu += cpu_time().saturating_sub(before);
        }
        Ok(cpu)
    }

    /// How long it takes to list all of them, and a part.
    async fn list(&self, sessions: u32) -> Result<(f64, f64), Failure> {
        let part = Buckets::parts(PARTS).next().unwrap_or(Buckets::ALL);
        let mut times = [0.0; 2];
        for (time, buckets) in times.iter_mut().zip([Buckets::ALL, part]) {
            let began = Instant::now();
            let listed = self.network.installed(buckets).await.map_err(failed)?;
            *time = began.elapsed().as_secs_f64() * 1e3;
            let listed = listed.map_or(0, |listed| listed.len());
            if buckets == Buckets::ALL && listed != sessions as usize {
                return Err(failed(format!("{listed} sessions are listed")));
            }
        }
        Ok((times[0], times[1]))
    }

    /// Releases all, and tells how long the longest call took.
    async fn release_all(&self, orders: &Orders) -> Result<(Duration, Duration), Failure> {
        let order = order(0, DeviceKey([0; 16]), SessionId::from_bytes([0; 16]))?;
        let (mut longest, before) = (Duration::ZERO, cpu_time());
        for &session in &orders.sessions {
            let began = Instant::now();
            let order = Order { session, ..order.clone() };
            self.network.release(order).await.map_err(failed)?;
            longest = longest.max(began.elapsed());
        }
        let cpu = cpu_time().saturating_sub(before);
        let left = self.network.installed(Buckets::ALL).await.map_err(failed)?;
        if left.is_none_or(|left| !left.is_empty()) {
            return Err(failed("not all is released"));
        }
        Ok((cpu, longest))
    }
}

/// The sessions that there are, in a ring: the oldest gives its place to the next one.
struct Orders {
    entropy: SystemEntropy,
    sessions: Vec<SessionId>,
    next: usize,
}

impl Orders {
    fn new(count: u32) -> Self {
        let sessions = vec![SessionId::from_bytes([1; 16]); count as usize];
        Self { entropy: SystemEntropy::default(), sessions, next: 0 }
    }

    /// Orders for new sessions, each of a device of its own.
    fn make(&mut self, count: u32) -> Result<Vec<Order>, Failure> {
        let mut made = Vec::with_capacity(count as usize);
        for number in 0..count {
            let mut random = [[0; 16]; 2];
            random.iter_mut().for_each(|random| self.entropy.fill(random));
            let device = DeviceKey(random[0]);
            let session = SessionId::new(random[1], device.bucket());
            made.push(order(number, device, session)?);
            self.sessions[self.next] = session;
            self.next = (self.next + 1) % self.sessions.len();
        }
        Ok(made)
    }

    /// Orders for the sessions whose places are taken next.
    fn oldest(&self, count: u32) -> Result<Vec<Order>, Failure> {
        let sessions = self.sessions.iter().cycle().skip(self.next).take(count as usize);
        sessions.map(|&session| order(0, DeviceKey([0; 16]), session)).collect()
    }
}

/// An order as the greeting's request leads to.
fn order(number: u32, device: DeviceKey, session: SessionId) -> Result<Order, Failure> {
    let name = NetworkAccessIdentifier::parse(&format!("d{number:016}@testcsp.net"));
    let name = name.map_err(failed)?;
    let server = ServerAddress::parse_v4("233.252.0.2").map_err(failed)?;
    let asked = Asked {
        named_by: NamedBy::default(),
        device: Device::new(Some(name), None, None, None).map_err(failed)?,
        server: ApplicationServer::new(Some(server), None).map_err(failed)?,
        device_ports: None,
        server_ports: None,
        profile: ProfileName::parse("QOS_L").map_err(failed)?,
        sink: None,
    };
    let precedence = Precedence::new(&asked.flow(), SystemTimer::start().now(), session);
    Ok(Order { session, device, asked: Arc::new(asked), precedence })
}

/// The processor time of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The memory of this process that is not the content of files, in bytes.
fn memory() -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/self/status").map_err(failed)?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: Option<f64> = kilobytes.and_then(|number| number.trim().parse().ok());
    kilobytes.map(|number| number * 1024.0).ok_or_else(|| failed("the memory is not told"))
}

fn failed(why: impl std::fmt::Display) -> Failure {
    Failure::new("cannot measure the network", why)
}
