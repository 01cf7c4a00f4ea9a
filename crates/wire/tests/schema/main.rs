//! The schemas say the truth: what fits them is read, what doesn't is refused, and what is written
//! fits them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod asked;
mod dialect;
mod generated;
mod mutated;
mod shown;
