//! The same JSON from the client's side: requests out, answers in.
//!
//! What goes out is checked by nobody here: a client that wants to know before it asks reads its
//! own body with [`read_create`](super::read_create), as the gateway will. What comes in is read
//! with patience, because it may be another gateway that answers: members may be missing, statuses
//! and profiles may be any, times may be text or numbers.

mod event;
mod form;
mod session;
mod time;

pub use event::{EventForm, read_event};
pub use form::{
    CreateForm, DeviceForm, ExtendForm, Ipv4Form, PortsForm, RangeForm, RetrieveForm, ServerForm,
    WebhookForm,
};
pub use session::{SessionForm, read_session, read_sessions};
