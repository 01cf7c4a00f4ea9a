//! What every driver does, and what only the simulator does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attachment;
mod conformance;
mod disturbance;
mod faults;
mod fixture;
mod simulator;
