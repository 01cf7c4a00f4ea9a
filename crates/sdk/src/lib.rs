//! A client of Quality on Demand gateways: Greenwave's, and others that speak `/qod/v0`.
//!
//! ```no_run
//! # async fn run() -> Result<(), greenwave_sdk::Error> {
//! use std::time::Duration;
//!
//! use greenwave_sdk::{Client, DeviceId, Ports};
//!
//! let client = Client::new("gw_test_…")?;
//! let device = client.device(DeviceId::network_access_identifier("device@testcsp.net"));
//! let session = device
//!     .create_qod_session("QOS_L")
//!     .service_ipv4("203.0.113.5")
//!     .service_ports(Ports::single([443]))
//!     .duration(Duration::from_secs(3600))
//!     .send()
//!     .await?;
//! let session = session.wait_available(Duration::from_secs(10)).await?;
//! println!("{} until {:?}", session.status(), session.expires_at());
//! session.delete().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The same without `async`, inside or outside of a runtime, is [`blocking::Client`].
//!
//! A request that fails in a way that may pass (no connection, a lost answer, 503) is sent again,
//! after a pause that grows, or that the gateway asks for. Requests that change something carry an
//! `Idempotency-Key`, so that a gateway carries them out once however often they arrive.
//!
//! What is certain to be refused is not sent: [`Error::Invalid`] says what would be right.

mod calls;
mod client;
mod create;
mod device;
mod error;
mod notification;
mod ports;
mod profile;
mod session;
mod tls;
mod tokio_executor;

pub mod blocking;
pub mod operation;
pub mod request;
pub mod retry;

pub use calls::Calls;
pub use client::{
    BASE_URL_VARIABLE, Builder, Client, ClientOf, DEFAULT_BASE_URL, DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
};
pub use create::CreateQodSession;
pub use device::{Device, DeviceId};
pub use error::{Error, Refusal};
pub use notification::{Notification, NotificationError};
pub use operation::Cleared;
pub use ports::Ports;
pub use profile::QosProfile;
pub use request::Endpoint;
pub use session::{Session, SessionInfo};
pub use tokio_executor::Tokio;

/// The parts of requests and answers as they go over the wire, for bindings to other languages.
pub use greenwave_wire::v0::client as form;

/// The largest answer that is read: a page of sessions is far smaller.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
