//! The rules of Quality on Demand, as values and pure functions.
//!
//! Core knows no JSON, no socket, no clock and no randomness: whoever calls it brings the time and
//! the random bits. That is what lets one seed replay a day of the whole gateway.
//!
//! # The contract of the state machine
//!
//! [`decide()`] is the only place where a session changes. It is given what the ledger holds of one
//! device ([`DeviceState`]), a [`Command`] and the gateway time, and answers with [`Changes`] or a
//! [`Refusal`]. It never fails half-way: a refusal changes nothing.
//!
//! - The **ledger** calls `decide` inside its transaction and commits the changed session together
//!   with everything it owes: to the network ([`Owed`], part of the session) and to the
//!   application ([`Event`]).
//! - **Workers** carry out the [`Effect`]s after the commit and feed what they learn back as
//!   commands. They may be late, repeat themselves or die: every command may come twice, and a
//!   command that is too early or too late changes nothing.
//! - **Readers** never ask for the phase but for [`Session::view`], which takes the time: nothing
//!   is shown as available after its end, however late a worker is.

pub mod clock;
pub mod deadlines;
pub mod decide;
pub mod device;
pub mod flow;
pub mod gateway_time;
pub mod ids;
pub mod naming;
pub mod pii;
pub mod ports;
pub mod profile;
pub mod request;
pub mod retry;
pub mod rules;
pub mod server;
pub mod session;

pub use clock::Clock;
pub use deadlines::Deadlines;
pub use decide::{Changes, Command, DeviceState, Effect, Refusal, decide};
pub use device::Device;
pub use flow::{Flow, Precedence};
pub use gateway_time::GatewayTime;
pub use ids::{ApplicationId, Bucket, Buckets, DeviceKey, EventId, IdentifierKey, SessionId};
pub use naming::{DeviceNames, KnownIdentifiers, NamedDevice};
pub use pii::Pii;
pub use ports::{PortRange, PortSet, PortsSpec};
pub use profile::{Catalogue, CurrentCatalogue, ProfileName, ProfileStatus, QosProfile};
pub use request::{CreateRequest, InvalidRequest};
pub use rules::{RuleSet, RuleSetId, Subject};
pub use server::ApplicationServer;
pub use session::{
    Asked, EndReason, Event, NamedBy, Order, Owed, Phase, QosStatus, SealedCredential, Session,
    Sink, Standing, View,
};
