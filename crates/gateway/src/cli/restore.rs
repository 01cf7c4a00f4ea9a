//! `greenwave restore`

use std::path::PathBuf;

use clap::Args;
use greenwave_core::Clock;
use serde_json::json;

use super::output::{self, Failure};
use super::{DataDirectory, OutputFormat, block_on};
use crate::backup;
use crate::clock::SystemTimer;

/// Make a data directory from a backup, or only look at the backup
///
/// The directory must be empty, or not there yet. No event is sent twice: those that were waiting
/// when the backup was taken, and the ends of sessions that are over by now, may have been sent
/// since, and are given up unless you say --resend.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// A file that greenwave backup has written
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only look whether the backup is sound, and what is in it
    #[arg(long, conflicts_with = "resend")]
    check: bool,
    /// Send events that may have been sent before
    #[arg(long)]
    resend: bool,
    #[command(flatten)]
    directory: DataDirectory,
    #[command(flatten)]
    format: OutputFormat,
}

impl Restore {
    pub(super) fn format(&self) -> OutputFormat {
        self.format
    }

    pub(super) fn run(&self) -> Result<(), Failure> {
        if self.check { self.check() } else { self.restore() }
    }

    fn check(&self) -> Result<(), Failure> {
        let (taken_at, audit) = backup::look(&self.file).map_err(Failure::new)?;
        let sound = audit.findings.is_empty();
        let (live, history, events) = (audit.live, audit.history, audit.events);
        if self.format.json {
            output::print_json(&json!({
                "ok": sound, "takenAt": taken_at.to_string(), "live": live, "history": history,
                "events": events, "findings": audit.findings,
            }))?;
        } else {
            output::print(&format!(
                "taken at {taken_at}: {live} sessions live, {history} in history, {events} events"
            ))?;
            for finding in &audit.findings {
                output::print(finding)?;
            }
        }
        if sound {
            return Ok(());
        }
        Err(Failure::new("the backup is not sound").code("UNHEALTHY").hint("an older backup"))
    }

    fn restore(&self) -> Result<(), Failure> {
        let (data, now) = (&self.directory.data, SystemTimer::start().now());
        let restored = block_on(async {
            backup::restore(&self.file, data, now, self.resend).await.map_err(Failure::new)
        })?;
        let taken_at = restored.taken_at.to_string();
        if self.format.json {
            return output::print_json(&json!({
                "data": data.display().to_string(), "takenAt": taken_at,
                "notSent": restored.not_sent,
            }));
        }
        let shown = data.display();
        let not_sent = restored.not_sent;
        output::print(&format!("{shown} is as of {taken_at}; {not_sent} events are not sent"))?;
        output::talk(&format!("start it with: {}", self.directory.start()));
        Ok(())
    }
}
