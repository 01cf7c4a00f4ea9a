//! A session: what is known of it, and what can be done with it.

use std::fmt;
use std::ops::Deref;
use std::time::{Duration, SystemTime};

use greenwave_wire::v0::client::SessionForm;

use crate::client::ClientOf;
use crate::device::DeviceId;
use crate::operation::{Executor, Map};
use crate::ports::Ports;
use crate::{Error, Tokio};

/// What a gateway tells of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo(Box<SessionForm>);

impl From<SessionForm> for SessionInfo {
    fn from(form: SessionForm) -> Self {
        Self(Box::new(form))
    }
}

impl SessionInfo {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.session_id
    }

    /// The name of its profile.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.0.qos_profile
    }

    /// `REQUESTED`, `AVAILABLE` or `UNAVAILABLE`, when the gateway was last asked.
    #[must_use]
    pub fn status(&self) -> &str {
        &self.0.qos_status
    }

    /// Why it is unavailable, such as `NETWORK_TERMINATED`.
    #[must_use]
    pub fn status_info(&self) -> Option<&str> {
        self.0.status_info.as_deref()
    }

    /// For how long it is, from its start.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.0.duration.map(Duration::from_secs)
    }

    /// When it began; before it is available, when it was asked for.
    #[must_use]
    pub fn started_at(&self) -> Option<SystemTime> {
        self.0.started_at.map(SystemTime::from)
    }

    /// When it ends.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at.map(SystemTime::from)
    }

    /// Its device, named as in the request.
    #[must_use]
    pub fn device(&self) -> Option<DeviceId> {
        self.0.device.clone().map(DeviceId::from)
    }

    /// The application server's IPv4 address or network.
    #[must_use]
    pub fn service_ipv4(&self) -> Option<&str> {
        self.0.application_server.ipv4_address.as_deref()
    }

    /// The application server's IPv6 address or network.
    #[must_use]
    pub fn service_ipv6(&self) -> Option<&str> {
        self.0.application_server.ipv6_address.as_deref()
    }

    /// The application server's ports; `None` is all.
    #[must_use]
    pub fn service_ports(&self) -> Option<Ports> {
        self.0.application_server_ports.clone().map(Ports::from)
    }

    /// The device's ports; `None` is all.
    #[must_use]
    pub fn device_ports(&self) -> Option<Ports> {
        self.0.device_ports.clone().map(Ports::from)
    }

    /// Where its events go.
    #[must_use]
    pub fn notification_url(&self) -> Option<&str> {
        self.0.notification_url.as_deref()
    }

    /// Everything, as it came.
    #[must_use]
    pub fn form(&self) -> &SessionForm {
        &self.0
    }
}

/// A session with the client that asked for it. What a gateway told of it is in [`SessionInfo`],
/// which this is too; it does not change by itself.
pub struct Session<E: Executor = Tokio> {
    client: ClientOf<E>,
    info: SessionInfo,
}

impl<E: Executor> Session<E> {
    pub(crate) fn new(client: ClientOf<E>, info: SessionInfo) -> Self {
        Self { client, info }
    }

    /// What is known of it.
    #[must_use]
    pub fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// The session as it is now.
    pub fn refresh(&self) -> E::Answer<Self> {
        self.client.session(self.id())
    }

    /// Lets it last longer by this much, in whole seconds, and tells how it is then.
    ///
    /// At most 24 hours are left after it. It may be sent several times and is done once.
    pub fn extend(&self, by: Duration) -> E::Answer<Self> {
        let client = self.client.clone();
        let calls = self.client.calls();
        let operation = calls.extend(self.id(), seconds(by));
        let extended = move |info| Self::new(client.clone(), info);
        self.client.executor().run(Map::new(operation, extended))
    }

    /// Ends it. That it has ended already is [`Error::is_not_found`].
    pub fn delete(&self) -> E::Answer<()> {
        self.client.executor().run(self.client.calls().delete(self.id()))
    }

    /// Looks at it until it is available, and tells how it is then.
    ///
    /// [`Error::Ended`] if it will never be, [`Error::NotYet`] if it takes longer than `timeout`.
    /// A gateway that does not answer is not waited for longer either.
    pub fn wait_available(&self, timeout: Duration) -> E::Answer<Self> {
        let client = self.client.clone();
        let operation = self.client.calls().wait_available(self.id(), timeout);
        let available = move |info| Self::new(client.clone(), info);
        self.client.executor().run(Map::new(operation, available))
    }
}

impl<E: Executor> Deref for Session<E> {
    type Target = SessionInfo;

    fn deref(&self) -> &SessionInfo {
        &self.info
    }
}

impl<E: Executor> Clone for Session<E> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), info: self.info.clone() }
    }
}

impl<E: Executor> fmt::Debug for Session<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id())
            .field("profile", &self.profile())
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// The path of a session. An id is put into it as it is, so it must not be more than an id.
pub(crate) fn path(id: &str) -> Result<String, Error> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if id.is_empty() || id.len() > 128 || !id.bytes().all(fine) {
        let wrong = "is not the id of a session: one is such as \
                     3fa85f64-5717-4562-b3fc-2c963f66afa6";
        return Err(Error::Invalid(format!("session_id: {id:?} {wrong}")));
    }
    Ok(format!("/sessions/{id}"))
}

/// Whole seconds. What is begun counts: nothing ends before it was asked to.
pub(crate) fn seconds(duration: Duration) -> i64 {
    let begun = u64::from(duration.subsec_nanos() > 0);
    i64::try_from(duration.as_secs().saturating_add(begun)).unwrap_or(i64::MAX)
}
