//! What is over is erased once it has been over for long.

use std::path::Path;
use std::time::Duration;

use greenwave_core::Clock;
use serde_json::json;

use crate::client::eventually;
use crate::fixture::{Fixture, path, request, tutorial, with};
use crate::receiver::Receiver;

const DAY: Duration = Duration::from_secs(86_400);

fn rows(directory: &Path) -> (i64, i64) {
    let db = rusqlite::Connection::open(directory.join("ledger.db")).unwrap();
    let count = |table: &str| {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    (count("history"), count("deliveries"))
}

#[tokio::test]
async fn sessions_and_events_are_kept_for_thirty_days_and_then_erased() {
    let (f, receiver) = (Fixture::new().await, Receiver::start().await);
    let told = with(tutorial(), "webhook", json!({"notificationUrl": receiver.url()}));
    let id = f.live(told).await;
    f.api.delete(&path(&id)).await;
    receiver.until(2).await;
    let directory = f.directory.path();
    eventually("an end", || rows(directory) == (1, 2)).await;
    f.timer.pass(DAY * 29);
    let young = f.live(request("young@testcsp.net")).await;
    f.api.delete(&path(&young)).await;
    eventually("another end", || rows(directory) == (2, 2)).await;
    // That nothing is erased too early is seen by what is left now.
    f.timer.pass(DAY);
    f.timer.pass(Duration::from_secs(60));
    eventually("what is kept", || rows(directory) == (1, 0)).await;
    let audit = greenwave_ledger::audit(directory, f.timer.now(), true).unwrap();
    assert_eq!(audit.findings, Vec::<String>::new());
}
