//! What a ledger is like after a power cut.

use greenwave_core::Session;
use greenwave_ledger::{Answer, Ledger, Lookup, SqliteLedger, audit};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::content;
use crate::fixture::{APPLICATION, ManualClock, asked, at, create_for, device, names};
use crate::life::{Cut, Life};
use crate::scratch;

/// What has become of a ledger.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// All that was acknowledged is there, and nothing by halves.
    Whole,
    /// It is sound, and as it once was.
    Earlier,
    /// Anything else.
    Broken(String),
}

/// Opens what is found after a power cut, on a disk that does what it should.
pub(crate) fn after(life: &Life, cut: &Cut, seed: u64) -> (TempDir, Found) {
    let directory = scratch();
    cut.snapshot.cut(seed, directory.path()).unwrap();
    let found = look(life, cut, &directory).unwrap_or_else(Found::Broken);
    (directory, found)
}

fn look(life: &Life, cut: &Cut, directory: &TempDir) -> Result<Found, String> {
    let clock = ManualClock::new();
    clock.set(cut.seconds);
    let ledger = SqliteLedger::open(directory.path(), clock.clone());
    let ledger = ledger.map_err(|error| error.to_string())?;
    let db = Connection::open(directory.path().join("ledger.db")).unwrap();
    let check = db.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    let check = check.map_err(|error| error.to_string())?;
    if check != "ok" {
        return Err(check);
    }
    let audit = audit(directory.path(), at(cut.seconds), false).map_err(|e| e.to_string())?;
    if !audit.findings.is_empty() {
        return Err(audit.findings.join("; "));
    }
    let content = content::of(&db).map_err(|error| error.to_string())?;
    let whole = life.contents.iter().skip(cut.committed).take(2).any(|once| *once == content);
    if !whole {
        let before = life.contents.iter().take(cut.committed).any(|once| *once == content);
        let held = || format!("it holds what it never did:\n{content}");
        return if before { Ok(Found::Earlier) } else { Err(held()) };
    }
    each_is_as_it_was_told(life, cut, &ledger)?;
    goes_on(life, &ledger)?;
    Ok(Found::Whole)
}

/// Every session is as it was last told, or as it was to become.
fn each_is_as_it_was_told(life: &Life, cut: &Cut, ledger: &SqliteLedger) -> Result<(), String> {
    for (&id, &last) in &cut.told.sessions {
        let found =
            match wait_for(ledger.session(APPLICATION, id)).map_err(|error| error.to_string())? {
                Lookup::Found(seen) => Some(seen.session),
                Lookup::Foreign | Lookup::Unknown => None,
            };
        let mut may_be = life.stories[&id].iter().filter(|(when, _)| *when >= last);
        let visible = |told: &Session| told.view(at(cut.seconds)).is_some();
        let fine = may_be.any(|(_, told)| told.clone().filter(visible) == found);
        if !fine {
            return Err(format!("session {id} was told and is now {found:?}"));
        }
    }
    for &row in &cut.told.settled {
        let notification = wait_for(ledger.notification(row));
        if !matches!(notification, Ok(None)) {
            return Err(format!("{row:?} was settled and is now {notification:?}"));
        }
    }
    Ok(())
}

fn goes_on(life: &Life, ledger: &SqliteLedger) -> Result<(), String> {
    let names = names(&[99], &[]);
    let asked = asked("198.51.100.1");
    let create = create_for(life.next_session, APPLICATION, names, device(99), asked);
    let committed = wait_for(ledger.transact(create));
    committed.map(drop).map_err(|error| format!("it does not go on: {error}"))
}

pub(crate) fn wait_for<T>(answer: Answer<'_, T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer)
}
