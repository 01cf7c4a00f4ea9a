//! `greenwave` as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::client::TestClient;

/// `greenwave`, with nothing of the environment that would change what it does.
pub(crate) fn greenwave() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenwave"));
    for name in ["DATA", "PORT", "LOG", "URL", "KEY", "CRASH_AT"] {
        command.env_remove(format!("GREENWAVE_{name}"));
    }
    command
}

/// A gateway as a process of its own. It is killed when this is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    /// What it printed when it was ready.
    pub(crate) printed: Value,
    /// How long that took.
    pub(crate) ready_after: Duration,
    log: Option<JoinHandle<String>>,
}

impl Process {
    pub(crate) fn up(data: &Path) -> Self {
        Self::up_with(data, &[])
    }

    pub(crate) fn up_with(data: &Path, arguments: &[&str]) -> Self {
        Self::start(greenwave(), data, arguments).expect("it stopped before it was ready")
    }

    /// Starts it with this command, and waits until it is ready. One that has come to its end
    /// before left its status and its log.
    pub(crate) fn start(
        mut command: Command,
        data: &Path,
        arguments: &[&str],
    ) -> Result<Self, (ExitStatus, String)> {
        let began = Instant::now();
        let mut child = command
            .args(["up", "--json", "--port", "0", "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = log.read_to_string(&mut text);
            text
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut text = String::new();
        let printed = loop {
            let Some(line) = lines.next() else {
                return Err((child.wait().unwrap(), log.join().unwrap()));
            };
            text.push_str(&line.unwrap());
            if let Ok(printed) = serde_json::from_str(&text) {
                break printed;
            }
        };
        Ok(Self { child, printed, ready_after: began.elapsed(), log: Some(log) })
    }

    pub(crate) fn root(&self) -> &str {
        self.printed["api_root"].as_str().unwrap()
    }

    pub(crate) fn key(&self) -> &str {
        self.printed["application_key"].as_str().unwrap()
    }

    pub(crate) fn api(&self) -> TestClient {
        TestClient::with_key(self.root(), self.key())
    }

    /// Ends it without a warning, as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Asks it to stop.
    pub(crate) fn ask_to_stop(&self) {
        rustix::process::kill_process(self.id(), Signal::TERM).unwrap();
    }

    /// Asks it to stop, and tells its exit code and what it logged.
    pub(crate) fn terminate(self) -> (Option<i32>, String) {
        self.ask_to_stop();
        self.wait()
    }

    /// Waits for its end, and tells its exit code and what it logged.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
