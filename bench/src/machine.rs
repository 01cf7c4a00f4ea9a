//! On what it was measured.

use std::fs::read_to_string;
use std::path::Path;

use serde::Serialize;

/// What a number means nothing without.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// How many threads run at the same time.
    pub(crate) cores: usize,
    /// What the processor calls itself.
    pub(crate) processor: String,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// How many processes ran or wanted to in the minute before.
    pub(crate) load_before: String,
    /// The file system that the ledger was on. On `tmpfs` a sync costs nothing.
    pub(crate) file_system: String,
    /// How this program was built.
    pub(crate) build: &'static str,
    /// Whether an answer waits until the disk has it.
    pub(crate) ledger: &'static str,
}

impl Machine {
    /// What is known of this one, with the data in a directory.
    pub(crate) fn look(data: &Path) -> Self {
        let first = |path: &str| read_to_string(path).unwrap_or_default();
        let processor = first("/proc/cpuinfo");
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name"));
        let load = first("/proc/loadavg");
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: processor.unwrap_or_default().trim_matches([' ', '\t', ':']).to_owned(),
            kernel: first("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load.split(' ').next().unwrap_or_default().to_owned(),
            file_system: file_system(&first("/proc/mounts"), data),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            ledger: "SQLite, durable: yes (WAL, synchronous=FULL; answered after the sync)",
        }
    }
}

/// The type of the innermost mount that a path is in.
fn file_system(mounts: &str, path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let around = mounts.filter(|(at, _)| path.starts_with(at));
    around.max_by_key(|(at, _)| at.len()).map_or_else(String::new, |(_, kind)| kind.to_owned())
}
