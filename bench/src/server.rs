//! The servers that are measured: processes, what opens them, and the processor time they took.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use greenwave::sandbox::{self, SandboxFile};

use crate::Failure;

/// How often it is looked whether a server still works.
const LOOK: Duration = Duration::from_millis(100);

/// How many looks in a row have to find it idle. Longer than the simulated network takes to grant.
const IDLE_LOOKS: u32 = 3;

/// How many looks there are before it is given up.
const MOST_LOOKS: u32 = 600;

/// Where a server is, and what opens it.
#[derive(Debug)]
pub(crate) struct Target {
    /// Where to connect to.
    pub(crate) address: SocketAddr,
    /// The header `Host`.
    pub(crate) host: String,
    /// What it is shown, and in which header: an application key, or an access token.
    pub(crate) credential: (&'static str, String),
}

/// A server. One that was started here is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it is.
    pub(crate) target: Arc<Target>,
    process: u32,
    #[expect(dead_code, reason = "dropping it ends the process")]
    child: Option<Ended>,
}

impl Server {
    /// Starts a gateway on a directory.
    pub(crate) fn gateway(binary: Option<&Path>, data: &Path) -> Result<Self, Failure> {
        Self::up(binary, data, "warn")
    }

    /// Starts a gateway that says nothing: it would have too much to tell of receivers that are
    /// not to be reached.
    pub(crate) fn quiet_gateway(binary: Option<&Path>, data: &Path) -> Result<Self, Failure> {
        Self::up(binary, data, "off")
    }

    fn up(binary: Option<&Path>, data: &Path, log: &str) -> Result<Self, Failure> {
        let mut command = match binary {
            Some(binary) => Command::new(binary),
            None => itself()?,
        };
        command.args(["up", "--port", "0", "--log", log, "--json", "--data"]).arg(data);
        Self::start(command)
    }

    /// Starts a gateway whose disk takes longer for each sync.
    pub(crate) fn slow_gateway(data: &Path, delay_ms: u64) -> Result<Self, Failure> {
        let mut command = itself()?;
        command.arg("slow-gateway").args(["--delay-ms", &delay_ms.to_string()]);
        command.arg("--data").arg(data);
        Self::start(command)
    }

    /// Starts an echo that has the answers of a file.
    pub(crate) fn echo(answers: &Path) -> Result<Self, Failure> {
        let mut command = itself()?;
        command.args(["echo", "--answers"]).arg(answers);
        Self::start(command)
    }

    /// The gateway that runs on a directory.
    pub(crate) fn running(data: &Path) -> Result<Self, Failure> {
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map_err(|error| Failure::new(format!("cannot read {}", path.display()), error))
        };
        let target = Target::parse(&read(&sandbox::file_path(data))?)?;
        let process = read(&data.join("ledger.lock"))?.trim().parse();
        let process = process.map_err(|error| Failure::new("no process in the lock", error))?;
        Ok(Self { target: Arc::new(target), process, child: None })
    }

    /// Starts a server and waits until it says, on one line, where it is.
    fn start(mut command: Command) -> Result<Self, Failure> {
        let name = command.get_program().display().to_string();
        let cannot = |error: &dyn std::fmt::Display| Failure::new(format!("no {name}"), error);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = Ended(child.map_err(|error| cannot(&error))?);
        let mut line = String::new();
        if let Some(printed) = child.0.stdout.take() {
            BufReader::new(printed).read_line(&mut line).map_err(|error| cannot(&error))?;
        }
        let (target, process) = (Arc::new(Target::parse(&line)?), child.0.id());
        Ok(Self { target, process, child: Some(child) })
    }

    /// Has it shown an access token from now on, which it makes here.
    pub(crate) fn show_token(&mut self, binary: Option<&Path>, data: &Path) -> Result<(), Failure> {
        let mut command = match binary {
            Some(binary) => Command::new(binary),
            None => itself()?,
        };
        let made = command.args(["sandbox", "token", "--data"]).arg(data).output();
        let made = made.map_err(|error| Failure::new("no token", error))?;
        let token = String::from_utf8_lossy(&made.stdout);
        if !made.status.success() {
            return Err(Failure::new("no token", String::from_utf8_lossy(&made.stderr)));
        }
        let credential = ("authorization", format!("Bearer {}", token.trim()));
        let Target { address, ref host, .. } = *self.target;
        self.target = Arc::new(Target { address, host: host.clone(), credential });
        Ok(())
    }

    /// The processor time that it has taken, in itself and in the kernel.
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        cpu(self.process)
    }

    /// The memory that it takes.
    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        let path = format!("/proc/{}/status", self.process);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| Failure::new(format!("cannot read {path}"), error))?;
        Memory::parse(&text).ok_or_else(|| Failure::new("cannot understand", &path))
    }

    /// Waits until it has nothing left to do: what a request leaves behind (a grant, a release)
    /// belongs to the request.
    pub(crate) async fn rest(&self) -> Result<(), Failure> {
        let mut last = self.cpu()?;
        let mut idle = 0;
        for _ in 0..MOST_LOOKS {
            tokio::time::sleep(LOOK).await;
            let now = self.cpu()?;
            idle = if now == last { idle + 1 } else { 0 };
            if idle == IDLE_LOOKS {
                return Ok(());
            }
            last = now;
        }
        Err(Failure::new("cannot measure", "the server does not come to rest"))
    }
}

/// The memory that a process takes: what is in RAM of all of it, shared pages of files included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident_bytes: u64,
    /// When it was most.
    pub(crate) peak_bytes: u64,
}

impl Memory {
    fn parse(status: &str) -> Option<Self> {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
            Some(kib * 1_024)
        };
        Some(Self { resident_bytes: bytes("VmRSS:")?, peak_bytes: bytes("VmHWM:")? })
    }
}

/// A child that does not outlive this.
#[derive(Debug)]
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Target {
    /// Reads what a gateway prints, and writes to `sandbox.json`.
    fn parse(text: &str) -> Result<Self, Failure> {
        let file: SandboxFile = serde_json::from_str(text)
            .map_err(|error| Failure::new("the server did not say where it is", error))?;
        Self::of(file)
    }

    /// A gateway that has said where it is.
    pub(crate) fn of(file: SandboxFile) -> Result<Self, Failure> {
        let host = file.api_root.trim_start_matches("http://").to_owned();
        let address = host.parse().map_err(|error| Failure::new(&file.api_root, error))?;
        Ok(Self { address, host, credential: ("x-rapidapi-key", file.application_key) })
    }
}

/// The processor time that a process has taken, in itself and in the kernel.
pub(crate) fn cpu(process: u32) -> Result<Duration, Failure> {
    let path = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| Failure::new(format!("cannot read {path}"), error))?;
    let ticks = ticks(&text).ok_or_else(|| Failure::new("cannot understand", &path))?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}

fn itself() -> Result<Command, Failure> {
    let path = std::env::current_exe();
    Ok(Command::new(path.map_err(|error| Failure::new("where is this program", error))?))
}

/// Fields 14 and 15 of `/proc/…/stat`, counted from behind the name, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticks_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 120 34 5 6 20 0 9 0 11 12 13";
        assert_eq!(ticks(stat), Some(154));
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tVmRSS\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nThreads:\t3\n";
        let memory = Memory { resident_bytes: 10 << 20, peak_bytes: 20 << 20 };
        assert_eq!(Memory::parse(status), Some(memory));
    }
}
