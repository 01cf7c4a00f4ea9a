//! Room that is kept for when the disk is full.
//!
//! A file of which nothing is ever read. When a commit finds no room, the file goes: what it took
//! is enough for ends, reports and settlements, while what would need more is refused, until there
//! is room for both again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use greenwave_core::Command;
use jiff::Timestamp;
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;

/// How much room is kept.
const SIZE: u64 = 16 << 20;

/// How much has to be free for it to be kept again: what was just let go is not enough.
const ENOUGH: u64 = 2 * SIZE;

/// How often it is looked whether there is room again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    /// When to look whether there is room; `None` while the file is there.
    look_at: Option<Timestamp>,
}

impl Reserve {
    /// Begins without: what an earlier process left is let go, so that the ledger can be opened.
    pub(super) fn none(directory: &Path) -> io::Result<Self> {
        let path = directory.join("reserve");
        remove(&path)?;
        Ok(Self { path, look_at: Some(Timestamp::MIN) })
    }

    /// Whether there is room for more. While there is none, it is looked now and then.
    pub(super) fn has_room(&mut self, now: Timestamp) -> bool {
        let Some(look_at) = self.look_at else { return true };
        if now < look_at {
            return false;
        }
        match self.keep() {
            Ok(()) => {
                if look_at != Timestamp::MIN {
                    tracing::info!("there is room on the disk again");
                }
                self.look_at = None;
            }
            Err(error) => {
                if look_at == Timestamp::MIN {
                    tracing::error!(%error, "the disk is full: no session is made or extended");
                }
                self.look_at = Some(now + LOOK_EVERY);
            }
        }
        self.look_at.is_none()
    }

    /// The disk is full: lets the room go.
    pub(super) fn let_go(&mut self, now: Timestamp) {
        let removed = remove(&self.path);
        if self.look_at.is_none() {
            tracing::error!("the disk is full: no session is made or extended until there is room");
        }
        if let Err(error) = removed {
            tracing::error!(%error, "cannot let go of the room that was kept");
        }
        self.look_at = Some(now + LOOK_EVERY);
    }

    fn keep(&self) -> io::Result<()> {
        let disk = statvfs(self.path.parent().unwrap_or(&self.path))?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < ENOUGH {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let kept = fill(&self.path);
        if kept.is_err() {
            // Half of it is of no use.
            let _ = remove(&self.path);
        }
        kept
    }
}

fn fill(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file: File = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    match fallocate(&file, FallocateFlags::empty(), 0, SIZE) {
        Err(Errno::OPNOTSUPP) => {
            let zeros = vec![0; 1 << 20];
            (0..SIZE / zeros.len() as u64).try_for_each(|_| file.write_all(&zeros))
        }
        result => Ok(result?),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether a command would need more room: what is refused while there is none.
pub(super) fn asks_for_more(command: &Command) -> bool {
    matches!(command, Command::Create(_) | Command::Extend { .. })
}
