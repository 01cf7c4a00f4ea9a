//! `/qod/v0`: CAMARA QoD 0.10.1 as Nokia's clients speak it.
//!
//! What differs from the published definition, because one client or another depends on it: a
//! member that is `null` or an empty object is one that is absent (but for ports, where an empty
//! object would quietly mean all of them); unknown members are read over;
//! `notificationUrl` may stand at the top or in `webhook`; the identifiers of `device` come back
//! exactly as they were sent; times come in two forms ([`Times`]).

pub mod client;
mod device;
mod event;
mod ports;
mod query;
mod request;
mod session_info;

pub(crate) use device::{write_device, write_ipv4};
#[cfg(feature = "openapi")]
pub(crate) use event::EVENT_TYPE;
pub use event::{EVENT_CONTENT_TYPE, event};
pub use query::{Listing, MOST_PER_PAGE, read_listing, read_page};
pub use request::{CreateSession, read_create, read_extend, read_retrieve};
pub use session_info::{session_info, session_list};

use greenwave_core::{RuleSet, RuleSetId};

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// `"2026-11-22T16:27:45.123Z"`: Python SDK 3.0 to 7.0.
    Iso,
    /// Whole seconds since 1970: Python SDK up to 2.2.2, and the generated clients of 10.0.
    Epoch,
}

/// The rules of this API.
#[must_use]
pub fn rules() -> &'static RuleSet {
    RuleSetId::NokiaV0.rules()
}
