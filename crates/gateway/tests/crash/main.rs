//! The real program, killed: at every point that it has, during everything that it does, and at
//! random moments under load. What was acknowledged holds after the next start, what was not is
//! whole or not there, the network is as the ledger says, and every event was told.
//!
//! `GREENWAVE_POINT=name` has the point of that name alone. `GREENWAVE_KILLS=n` kills that often
//! under load, and `GREENWAVE_SEED=n` does it with the chance of that seed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod audit;
mod books;
#[expect(dead_code, reason = "the simulation uses the rest")]
#[path = "../simulation/chance.rs"]
mod chance;
#[expect(dead_code, reason = "the tests of the doors use the rest")]
#[path = "../it/client.rs"]
mod client;
#[expect(dead_code, reason = "the tests of the doors use the rest")]
#[path = "../it/document.rs"]
mod document;
#[expect(dead_code, reason = "the tests of the doors use the rest")]
#[path = "../it/fixture.rs"]
mod fixture;
mod journal;
mod load;
mod operation;
mod place;
mod points;
mod preload;
#[expect(dead_code, reason = "the tests of the doors use the rest")]
#[path = "../it/program.rs"]
mod program;
#[expect(dead_code, reason = "the tests of the doors use the rest")]
#[path = "../it/receiver.rs"]
mod receiver;
