//! A disk that is full: a small one in memory, which only a machine's administrator can make.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use greenwave_core::Clock;
use greenwave_network::ManualTimer;
use serde_json::json;

use crate::client::eventually;
use crate::fixture::{Fixture, SESSIONS, path, request, start, tutorial, with};
use crate::receiver::Receiver;

const RESERVE: u64 = 16 << 20;

/// A disk of so many MiB.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, and a word about it that is seen, if this machine lets nobody make one.
    fn make(mib: usize) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let size = format!("size={mib}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(directory.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(directory));
        }
        let mut loud = std::io::stderr();
        writeln!(loud, "\nSKIPPED: a full disk is not tested, because mount is not allowed")
            .unwrap();
        None
    }

    /// Writes until nothing more can be written.
    fn fill(&self) {
        let mut file = File::create(self.0.path().join("filler")).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

async fn on(disk: &SmallDisk) -> Fixture {
    let directory = Arc::new(tempfile::tempdir_in(disk.0.path()).unwrap());
    Fixture::open(directory, ManualTimer::new(start()), Duration::ZERO).await
}

fn reserved(directory: &Path) -> u64 {
    std::fs::metadata(directory.join("reserve")).map_or(0, |file| file.len())
}

fn waiting(directory: &Path) -> i64 {
    let db = rusqlite::Connection::open(directory.join("ledger.db")).unwrap();
    db.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)).unwrap()
}

fn assert_sound(f: &Fixture) {
    let audit = greenwave_ledger::audit(f.directory.path(), f.timer.now(), true).unwrap();
    assert_eq!(audit.findings, Vec::<String>::new());
}

#[tokio::test]
async fn sessions_end_on_a_full_disk_and_are_made_again_once_there_is_room() {
    let Some(disk) = SmallDisk::make(64) else { return };
    let (f, receiver) = (on(&disk).await, Receiver::start().await);
    let directory = f.directory.path().to_owned();
    assert_eq!(reserved(&directory), RESERVE);
    let told = |device: &str, seconds: u64| {
        let webhook = json!({"notificationUrl": receiver.url()});
        with(with(request(device), "webhook", webhook), "duration", json!(seconds))
    };
    let deleted = f.live(told("deleted@testcsp.net", 3_600)).await;
    let short = f.live(told("short@testcsp.net", 60)).await;
    let long = f.live(told("long@testcsp.net", 3_600)).await;
    receiver.until(3).await;
    eventually("settled events", || waiting(&directory) == 0).await;

    disk.fill();
    // The first that finds no room is not a create: it gets what was kept for it.
    assert_eq!(f.api.delete(&path(&deleted)).await.status, 204);
    assert_eq!(reserved(&directory), 0);
    for number in 0..100 {
        let answer = f.api.post(SESSIONS, request(&format!("d{number}@testcsp.net"))).await;
        answer.assert_error(503, "UNAVAILABLE");
        assert!(answer.headers.contains_key("retry-after"));
    }
    let extend = json!({"requestedAdditionalDuration": 60});
    let extended = f.api.post(&format!("{}/extend", path(&long)), extend).await;
    extended.assert_error(503, "UNAVAILABLE");
    f.timer.pass(Duration::from_secs(60));
    f.get(&short).await.assert_error(404, "NOT_FOUND");
    receiver.until(5).await;
    f.until_rules(std::slice::from_ref(&long)).await;
    eventually("settled events", || waiting(&directory) == 0).await;
    let listed = f.api.get(SESSIONS).await.json;
    assert_eq!(listed.as_array().unwrap().len(), 1, "none is half-made: {listed}");
    assert_sound(&f);

    f.timer.pass(Duration::from_secs(5));
    f.api.post(SESSIONS, tutorial()).await.assert_error(503, "UNAVAILABLE");
    disk.make_room();
    f.timer.pass(Duration::from_secs(1));
    let again = f.live(tutorial()).await;
    assert_eq!(reserved(&directory), RESERVE);
    f.until_rules(&sorted([long, again])).await;
    assert_sound(&f);
}

fn sorted<const N: usize>(mut ids: [String; N]) -> [String; N] {
    ids.sort();
    ids
}

#[tokio::test]
async fn a_create_that_finds_no_room_is_refused_and_leaves_nothing() {
    let Some(disk) = SmallDisk::make(64) else { return };
    let f = on(&disk).await;
    disk.fill();
    let mut made = 0;
    // What the log has room for is made.
    while f.api.post(SESSIONS, request(&format!("d{made}@testcsp.net"))).await.status == 201 {
        made += 1;
    }
    assert!(made < 10, "{made}");
    let listed = f.api.get(SESSIONS).await.json;
    assert_eq!(listed.as_array().unwrap().len(), made);
    assert_sound(&f);
    let (directory, timer) = f.stop().await;
    let f = Fixture::open(directory, timer, Duration::ZERO).await;
    f.api.post(SESSIONS, tutorial()).await.assert_error(503, "UNAVAILABLE");
    assert_eq!(f.api.get(SESSIONS).await.json.as_array().unwrap().len(), made);
}
