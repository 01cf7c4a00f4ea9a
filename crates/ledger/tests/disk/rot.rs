//! Bits of a ledger's file turn over while nobody looks.
//!
//! `GREENWAVE_ROTTEN_COPIES=1000` makes that many copies.

use std::panic::catch_unwind;
use std::path::Path;

use fastrand::Rng;
use greenwave_ledger::{SqliteLedger, audit};

use crate::fixture::{ManualClock, at};
use crate::life::Plan;
use crate::{content, scratch};

/// How many copies there are when nothing else is said.
const COPIES: u64 = 200;

/// What becomes of a turned bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The ledger does not open.
    Refused,
    /// It opens, and the audit has something to say.
    Found,
    /// All rows are as they were.
    Harmless,
    /// One row is not, and nobody says so: SQLite has no checksums.
    Unseen,
}

fn fate_of(directory: &Path, original: &str) -> Fate {
    let opened = SqliteLedger::open(directory, ManualClock::new());
    if opened.is_err() {
        return Fate::Refused;
    }
    drop(opened);
    match audit(directory, at(0), false) {
        Ok(audit) if audit.findings.is_empty() => {}
        _ => return Fate::Found,
    }
    match content::read(directory) {
        Ok(content) if content == original => Fate::Harmless,
        Ok(content) => {
            let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
            let (now, before) = (lines(&content), lines(original));
            let differ = now.iter().zip(&before).filter(|(now, before)| now != before).count();
            assert_eq!((now.len(), differ), (before.len(), 1), "more than a row has changed");
            Fate::Unseen
        }
        Err(_) => Fate::Found,
    }
}

#[test]
fn a_turned_bit_is_refused_found_or_of_no_consequence_beyond_its_row() {
    let copies = std::env::var("GREENWAVE_ROTTEN_COPIES");
    let copies = copies.map_or(COPIES, |copies| copies.parse().unwrap());
    let directory = scratch();
    let plan =
        Plan { seed: 1, commands: 600, first_session: 1, one_cut_in: u32::MAX, synced: true };
    plan.live(directory.path());
    let original = content::read(directory.path()).unwrap();
    let bytes = std::fs::read(directory.path().join("ledger.db")).unwrap();
    let mut chance = Rng::with_seed(copies);
    let mut fates = Vec::new();
    for _ in 0..copies {
        let (at, bit) = (chance.usize(..bytes.len()), chance.u8(0..8));
        let mut rotten = bytes.clone();
        rotten[at] ^= 1 << bit;
        let copy = scratch();
        std::fs::write(copy.path().join("ledger.db"), rotten).unwrap();
        let fate = catch_unwind(|| fate_of(copy.path(), &original));
        fates.push(fate.unwrap_or_else(|_| panic!("bit {bit} of byte {at}")));
    }
    let count = |wanted| fates.iter().filter(|&&fate| fate == wanted).count();
    println!(
        "of {copies} turned bits: refused {}, found {}, harmless {}, unseen {}",
        count(Fate::Refused),
        count(Fate::Found),
        count(Fate::Harmless),
        count(Fate::Unseen)
    );
    assert!(count(Fate::Refused) + count(Fate::Found) > 0, "{fates:?}");
}
