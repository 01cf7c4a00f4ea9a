//! What can go wrong, with all that is known of it.

use std::fmt;
use std::time::Duration;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request cannot be right, so it was not sent. The message names the member, and says what
    /// would be right.
    #[error("{0}")]
    Invalid(String),
    /// The gateway refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// Nobody took the connection: nothing was done.
    #[error(
        "cannot reach a gateway at {root}: {reason} (is it running? `greenwave up` starts one)"
    )]
    NoConnection {
        /// Where the gateway should be.
        root: String,
        /// What the system says.
        reason: String,
    },
    /// The request was sent and no answer came, at any try. Whether it was carried out is not
    /// known.
    #[error("no answer from the gateway at {root}: {reason} (x-correlator {correlator})")]
    NoAnswer {
        /// Where the gateway is.
        root: String,
        /// What became of the connection.
        reason: String,
        /// Under which its log may tell more.
        correlator: String,
        /// Whether it was for want of time.
        timed_out: bool,
    },
    /// What answered is no gateway, or not one that this crate understands.
    #[error("the answer of {root} cannot be read: {reason}")]
    Unreadable {
        /// Who answered.
        root: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The session that was waited for has ended, or will never be available.
    #[error("the session {session_id} is not going to be available: {}", .status_info.as_deref().unwrap_or("it has ended"))]
    Ended {
        /// Which session.
        session_id: String,
        /// Why, if the gateway tells.
        status_info: Option<String>,
    },
    /// The session that was waited for is not available yet.
    #[error("the session {session_id} is not available after {} s", .waited.as_secs_f64())]
    NotYet {
        /// Which session.
        session_id: String,
        /// For how long it was waited for.
        waited: Duration,
    },
    /// A signal came, and the executor was told to stop for it.
    #[error("interrupted")]
    Interrupted,
}

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) correlator: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: String,
    /// Whether it was a session that was asked for, which may be there or not, or a path that every
    /// gateway has.
    pub(crate) of_session: bool,
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = self.hint() {
            write!(f, " ({hint})")?;
        }
        if let Some(correlator) = &self.correlator {
            write!(f, " [x-correlator {correlator}]")?;
        }
        Ok(())
    }
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The gateway's code for it, such as `INVALID_ARGUMENT`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What the gateway says.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Under which the gateway's log has it.
    #[must_use]
    pub fn correlator(&self) -> Option<&str> {
        self.correlator.as_deref()
    }

    /// When the gateway wants to be asked again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The answer's body, as it came.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// What may help, beyond what the gateway says.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match (self.status, self.code.as_deref()) {
            (300..=399, _) => Some("a redirect: the base URL has to be the gateway's own address"),
            (401, _) => Some("`greenwave keys create` makes a key; `greenwave up` prints its own"),
            (403, None) | (404 | 405, None) => {
                Some("this does not look like a gateway: check the base URL")
            }
            (404, Some(_)) if !self.of_session => {
                Some("this gateway has no such path: check the base URL, or bring it up to date")
            }
            (429, Some("QUOTA_EXCEEDED")) => Some("`clear_sessions` deletes a device's sessions"),
            _ => None,
        }
    }
}

impl Error {
    /// The gateway's refusal, if it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The HTTP status, if the gateway refused.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(Refusal::status)
    }

    /// Whether the session is unknown: it has ended, or never was.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
}
