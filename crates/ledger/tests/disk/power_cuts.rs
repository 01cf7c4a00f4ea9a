//! The power fails, again and again.
//!
//! `GREENWAVE_POWER_CUTS=10000` makes that many.

use crate::found::{self, Found};
use crate::life::Plan;
use crate::scratch;

/// How many power cuts there are when nothing else is said.
const CUTS: usize = 300;

/// After how many of them a ledger is made anew. It lives on in what was found after a power cut,
/// so that it also recovers from having recovered.
const CUTS_OF_A_LEDGER: usize = 60;

/// What is found after one and the same moment may differ so often.
const CUTS_OF_A_MOMENT: u64 = 3;

fn cuts() -> usize {
    std::env::var("GREENWAVE_POWER_CUTS").map_or(CUTS, |count| count.parse().unwrap())
}

#[derive(Debug, Default)]
struct Tally {
    cuts: usize,
    /// With something that was not synced, so that it could be lost.
    at_stake: usize,
    lives: usize,
    /// How often something was answered.
    answers: usize,
    lost: usize,
}

/// Cuts the power that often, and tells of the first ledger that is neither whole nor, if commits
/// are not synced, as it once was.
fn cut_power(wanted: usize, synced: bool, first_seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut seed = first_seed;
    while tally.cuts < wanted {
        let until = (tally.cuts + CUTS_OF_A_LEDGER).min(wanted);
        let mut directory = scratch();
        let mut first_session = 1;
        while tally.cuts < until {
            seed += 1;
            let plan = Plan { seed, commands: 80, first_session, one_cut_in: 60, synced };
            let life = plan.live(directory.path());
            tally.lives += 1;
            tally.answers += life.contents.len() - 1;
            for (number, cut) in life.cuts.iter().enumerate() {
                for again in 0..CUTS_OF_A_MOMENT {
                    let (after, found) = found::after(&life, cut, seed.wrapping_mul(1_000) + again);
                    tally.cuts += 1;
                    tally.at_stake += usize::from(cut.snapshot.unsynced() > 0);
                    match found {
                        Found::Whole => {}
                        Found::Earlier if !synced => tally.lost += 1,
                        found => panic!("{plan:?}, cut {number}, again {again}: {found:?}"),
                    }
                    directory = after;
                }
            }
            first_session = life.next_session + 1;
        }
    }
    tally
}

#[test]
fn what_was_acknowledged_is_there_after_every_power_cut() {
    let tally = cut_power(cuts(), true, 0);
    assert!(tally.at_stake * 3 > tally.cuts, "too little was at stake: {tally:?}");
    println!("{tally:?}");
}

/// What this finds if it can: the same without a sync for each commit.
#[test]
fn without_a_sync_for_each_commit_some_of_it_is_lost() {
    let tally = cut_power(cuts() / 3, false, 0);
    assert!(tally.lost > 0, "{tally:?}");
    println!("{tally:?}");
}
