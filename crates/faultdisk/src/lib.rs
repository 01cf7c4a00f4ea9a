//! A disk that loses what was not synced, fills up and fails, for tests of the ledger.
//!
//! A [`Disk`] is a SQLite VFS. It hands everything on to the operating system's, so that a database
//! works as ever, and remembers what has not been synced. At any moment it can tell what would be
//! found after a power cut: each write, each change of a file's length, each new or removed name
//! since the last sync is there or not, in any combination, and a write can be torn between sectors
//! of 512 bytes. What a write does not touch stays as it is, which SQLite assumes as well
//! (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`).
//!
//! [`Disk::slow`] is the system's own disk, only slower: what the measurements of the gateway use.
//!
//! This crate is in no program but the one that measures. It alone may use `unsafe`, and only in
//! `vfs.rs` and `vfs/`.

mod disk;
mod image;
#[expect(unsafe_code, reason = "SQLite asks for functions and pointers")]
mod vfs;

pub use disk::{Disk, Moment, Operation};
pub use image::Snapshot;
