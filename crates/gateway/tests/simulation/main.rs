//! The whole engine, simulated: the real engine, its workers and the real batches of the ledger, on
//! a disk, a network and receivers that do everything real ones do at their worst, with a clock
//! that is moved and all chance from one seed.
//!
//! A seed that fails is printed; `GREENWAVE_SEED=… cargo test -p greenwave --test simulation` runs
//! it again. `GREENWAVE_SEEDS=FROM..TO` runs that many.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod assignment;
mod attachment;
mod chance;
mod client;
mod disk;
mod network;
mod oracle;
mod process;
mod receiver;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use world::{Outcome, World};

/// How many seeds are run when nothing else is said.
const SEEDS: u64 = 1_000;

/// Runs one world from its beginning to its end.
fn run(seed: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(World::live(seed))
}

fn seeds() -> std::ops::Range<u64> {
    if let Ok(seed) = std::env::var("GREENWAVE_SEED") {
        let seed: u64 = seed.parse().unwrap();
        return seed..seed + 1;
    }
    let Ok(seeds) = std::env::var("GREENWAVE_SEEDS") else { return 0..SEEDS };
    let (from, to) = seeds.split_once("..").unwrap();
    from.parse().unwrap()..to.parse().unwrap()
}

/// Runs a world, and says how to run it again if it breaks a promise.
fn run_or_tell(seed: u64) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| run(seed))).unwrap_or_else(|_| {
        panic!(
            "seed {seed} breaks a promise; again: \
             GREENWAVE_SEED={seed} cargo test -p greenwave --test simulation"
        )
    })
}

#[test]
fn every_world_keeps_its_promises() {
    let (seeds, next) = (seeds(), AtomicU64::new(0));
    let count = seeds.end - seeds.start;
    let run_some = || {
        let mut outcomes = Vec::new();
        loop {
            let seed = seeds.start + next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return outcomes;
            }
            outcomes.push(run_or_tell(seed));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run_some)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>();
    let (sessions, crashes) = (sum(|outcome| outcome.sessions), sum(|outcome| outcome.crashes));
    let events = sum(|outcome| outcome.events);
    println!("{count} worlds: {sessions} sessions, {crashes} crashes, {events} events");
    assert!(count < 100 || (sessions > count && crashes > count && events > count));
}

#[test]
fn a_seed_runs_the_same_twice() {
    for seed in [3, 14, 159] {
        assert_eq!(run(seed), run(seed));
    }
}
