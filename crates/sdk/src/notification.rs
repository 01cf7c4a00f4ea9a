//! What a receiver of notifications gets.

use std::time::SystemTime;

use greenwave_wire::v0::client::read_event;
use subtle::ConstantTimeEq;

/// A session's status has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The same at each try to deliver it: whoever has seen it has nothing more to do.
    pub id: Option<String>,
    /// When it happened.
    pub time: Option<SystemTime>,
    /// Of which session.
    pub session_id: String,
    /// The new status: `AVAILABLE` or `UNAVAILABLE`.
    pub qos_status: String,
    /// Why the session is unavailable: `DURATION_EXPIRED`, `NETWORK_TERMINATED` or
    /// `DELETE_REQUESTED`.
    pub status_info: Option<String>,
}

/// Why a notification is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// It does not show the token that was agreed on: answer 401.
    #[error("the notification does not show the token of the request: answer 401")]
    Unauthorized,
    /// It is no event of a session: answer 400.
    #[error("this is no event of a session: {0}; answer 400")]
    Unreadable(String),
}

impl Notification {
    /// Takes a notification from a request: its header `Authorization`, if it has one, and its
    /// body. `token` is the one that the session was asked for with, and `None` if there was none.
    pub fn receive(
        authorization: Option<&str>,
        body: &[u8],
        token: Option<&str>,
    ) -> Result<Self, NotificationError> {
        if let Some(token) = token {
            let (shown, token) = (authorization.map_or("", bare), bare(token));
            // An empty token is one that somebody forgot to set: whoever shows nothing knows it.
            if token.is_empty() || !bool::from(shown.as_bytes().ct_eq(token.as_bytes())) {
                return Err(NotificationError::Unauthorized);
            }
        }
        let event = read_event(body).map_err(NotificationError::Unreadable)?;
        Ok(Self {
            id: event.id,
            time: event.time.map(SystemTime::from),
            session_id: event.session_id,
            qos_status: event.qos_status,
            status_info: event.status_info,
        })
    }
}

/// A token without the word before it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let (word, token) = text.split_once(' ').unwrap_or((text, ""));
    if word.eq_ignore_ascii_case("bearer") { token.trim() } else { text }
}
