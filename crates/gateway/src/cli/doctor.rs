//! `greenwave doctor`

mod audit;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Args;
use rustix::process::{Resource, getrlimit};
use serde::Serialize;

use super::client::{ApiClient, read_sandbox};
use super::output::{self, Failure};
use super::profiles::FILE_HINT;
use super::{DataDirectory, OutputFormat, block_on};
use crate::profiles::Profiles;

/// How few open files would be too few for many connections.
const FEW_FILES: u64 = 1_024;

/// How little free space would be too little.
const LITTLE_SPACE_MIB: u64 = 256;

/// Look whether everything is as it should be
///
/// It changes nothing, and works whether or not the gateway is running. With --audit it reads the
/// whole ledger and holds it against the rules in the simulated network: each session once, one
/// event for each change, no rule without its session and no session without its rule.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Read the whole ledger, and hold it against the network
    #[arg(long)]
    audit: bool,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

/// Something that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    /// What.
    check: &'static str,
    /// Whether it is as it should be.
    ok: bool,
    /// What was seen.
    seen: String,
    /// What helps, if something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Finding {
    fn fine(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, ok: true, seen: seen.into(), hint: None }
    }

    fn wrong(check: &'static str, seen: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, ok: false, seen: seen.into(), hint: Some(hint.into()) }
    }
}

impl Doctor {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        let (running, gateway) = self.gateway();
        let mut findings =
            vec![self.private(), gateway, self.profiles(), authorities(), files(), self.space()];
        if self.audit {
            findings.extend(audit::audit(&self.directory.data, running));
        }
        let wrong = findings.iter().filter(|finding| !finding.ok).count();
        if self.format.json {
            output::print_json(&serde_json::json!({"ok": wrong == 0, "checks": findings}))?;
        } else {
            let row = |finding: &Finding| {
                let state = if finding.ok { "ok" } else { "wrong" };
                let hint = finding.hint.as_ref().map(|hint| format!("\ntry: {hint}"));
                let seen = format!("{}{}", finding.seen, hint.unwrap_or_default());
                vec![finding.check.to_owned(), state.to_owned(), seen]
            };
            output::print_table(&["check", "state", "seen"], findings.iter().map(row))?;
        }
        match wrong {
            0 => Ok(()),
            1 => Err(Failure::new("one thing is not as it should be").code("UNHEALTHY")),
            _ => {
                let text = format!("{wrong} things are not as they should be");
                Err(Failure::new(text).code("UNHEALTHY"))
            }
        }
    }

    /// A gateway does not start on profiles that it cannot use.
    fn profiles(&self) -> Finding {
        const CHECK: &str = "profiles";
        match Profiles::open(&self.directory.data) {
            Ok(profiles) => {
                let count = profiles.catalogue().now().iter().count();
                Finding::fine(CHECK, format!("{count} profiles"))
            }
            Err(error) => Finding::wrong(CHECK, error.to_string(), FILE_HINT),
        }
    }

    /// Nobody else may read what is kept.
    fn private(&self) -> Finding {
        let data = self.directory.data.as_path();
        let open = [
            "",
            "secret",
            "issuer.key",
            "admin.token",
            "sandbox.json",
            "profiles.json",
            "ledger.db",
        ];
        let open: Vec<String> = open
            .iter()
            .map(|name| if name.is_empty() { data.to_owned() } else { data.join(name) })
            .filter(|path| mode(path).is_some_and(|mode| mode & 0o077 != 0))
            .map(|path| path.display().to_string())
            .collect();
        match mode(data) {
            None => Finding::wrong(
                "data directory",
                format!("there is no {}", data.display()),
                self.directory.start(),
            ),
            Some(_) if open.is_empty() => {
                Finding::fine("data directory", format!("{}, private", data.display()))
            }
            Some(_) => {
                let open = open.join(" ");
                let seen = format!("others can get at {open}");
                Finding::wrong("data directory", seen, format!("chmod go= {open}"))
            }
        }
    }

    /// Whether it is running, and how it is.
    fn gateway(&self) -> (bool, Finding) {
        let ready = read_sandbox(&self.directory).and_then(|file| {
            let api = ApiClient::new(&file.api_root, "", self.directory.start())?;
            let operator = ApiClient::operator(&self.directory)?;
            block_on(async {
                api.get("/readyz").await?;
                // Only the gateway of this directory knows its token.
                operator.get("/greenwave/v1/applications").await
            })?;
            Ok(file.api_root)
        });
        match ready {
            Ok(root) => (true, Finding::fine("gateway", format!("ready at {root}"))),
            Err(failure) if failure.is("UNAVAILABLE") => {
                let hint = "greenwave doctor again in a while: it may be about to stop";
                (true, Finding::wrong("gateway", "running, but not ready", hint))
            }
            Err(failure) if failure.is("UNAUTHENTICATED") => {
                let hint = format!("{} --port another", self.directory.start());
                (false, Finding::wrong("gateway", "another one has its port", hint))
            }
            Err(_) => (false, Finding::fine("gateway", "not running")),
        }
    }

    fn space(&self) -> Finding {
        let check = "disk";
        match rustix::fs::statvfs(&self.directory.data) {
            Err(error) => Finding::wrong(check, error.to_string(), self.directory.start()),
            Ok(disk) => {
                let mib = disk.f_bavail.saturating_mul(disk.f_frsize) >> 20;
                let seen = format!("{mib} MiB free");
                if mib < LITTLE_SPACE_MIB {
                    return Finding::wrong(check, seen, "make room: a full disk refuses creates");
                }
                Finding::fine(check, seen)
            }
        }
    }
}

fn mode(path: &Path) -> Option<u32> {
    Some(std::fs::metadata(path).ok()?.permissions().mode())
}

/// Without them no receiver at an https URL can be told anything.
fn authorities() -> Finding {
    let found = rustls_native_certs::load_native_certs().certs.len();
    if found == 0 {
        let hint = "apt install ca-certificates: events to https URLs fail without";
        return Finding::wrong("certificate authorities", "none", hint);
    }
    Finding::fine("certificate authorities", format!("{found} found"))
}

/// The gateway raises its own limit as far as it may.
fn files() -> Finding {
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let seen = if most == u64::MAX { "no limit".to_owned() } else { format!("up to {most}") };
    if most < FEW_FILES {
        let hint = "raise the limit of open files (ulimit -Hn, or LimitNOFILE= in systemd)";
        return Finding::wrong("open files", seen, hint);
    }
    Finding::fine("open files", seen)
}
