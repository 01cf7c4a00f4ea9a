//! A device: how it is named, and what can be asked for it.

use std::fmt;

use greenwave_wire::v0::client::{DeviceForm, Ipv4Form};

use crate::client::ClientOf;
use crate::create::CreateQodSession;
use crate::operation::{Executor, Map};
use crate::session::Session;
use crate::{Cleared, Tokio};

/// How a device is named: by a network access identifier, a phone number, an IPv4 address, an IPv6
/// address, or several of them.
///
/// Nothing is checked here, but before a request is sent.
///
/// ```
/// use greenwave_sdk::DeviceId;
///
/// let device = DeviceId::network_access_identifier("device@testcsp.net")
///     .and(DeviceId::phone_number("+36721601234567"))
///     .and(DeviceId::ipv4_port("233.252.0.2", 80));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DeviceId(DeviceForm);

impl DeviceId {
    /// `name@domain`.
    pub fn network_access_identifier(name: impl Into<String>) -> Self {
        Self(DeviceForm { network_access_identifier: Some(name.into()), ..DeviceForm::default() })
    }

    /// Digits, with or without `+` before them.
    pub fn phone_number(number: impl Into<String>) -> Self {
        Self(DeviceForm { phone_number: Some(number.into()), ..DeviceForm::default() })
    }

    /// The address that the internet sees, and the one behind the network's address translation.
    /// Where there is no translation, they are the same.
    pub fn ipv4_private(public: impl ToString, private: impl ToString) -> Self {
        Self::ipv4(Ipv4Form {
            public_address: Some(public.to_string()),
            private_address: Some(private.to_string()),
            public_port: None,
        })
    }

    /// The address that the internet sees, and the port there that is the device's.
    pub fn ipv4_port(public: impl ToString, port: u16) -> Self {
        Self::ipv4(Ipv4Form {
            public_address: Some(public.to_string()),
            private_address: None,
            public_port: Some(i64::from(port)),
        })
    }

    /// An address; its /64 is the device's.
    pub fn ipv6(address: impl ToString) -> Self {
        Self(DeviceForm { ipv6_address: Some(address.to_string()), ..DeviceForm::default() })
    }

    fn ipv4(address: Ipv4Form) -> Self {
        Self(DeviceForm { ipv4_address: Some(address), ..DeviceForm::default() })
    }

    /// The same device, by another name too. What is given twice is what was given last; of an IPv4
    /// address, each part.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        let ipv4_address = match (a.ipv4_address, b.ipv4_address) {
            (Some(a), Some(b)) => Some(Ipv4Form {
                public_address: b.public_address.or(a.public_address),
                private_address: b.private_address.or(a.private_address),
                public_port: b.public_port.or(a.public_port),
            }),
            (a, b) => b.or(a),
        };
        Self(DeviceForm {
            network_access_identifier: b.network_access_identifier.or(a.network_access_identifier),
            phone_number: b.phone_number.or(a.phone_number),
            ipv4_address,
            ipv6_address: b.ipv6_address.or(a.ipv6_address),
            imsi: b.imsi.or(a.imsi),
        })
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn form(&self) -> &DeviceForm {
        &self.0
    }
}

impl From<DeviceForm> for DeviceId {
    fn from(form: DeviceForm) -> Self {
        Self(form)
    }
}

impl fmt::Debug for DeviceId {
    /// Names and addresses of devices do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceId(..)")
    }
}

/// A device, with the client that asks for it.
#[derive(Debug)]
pub struct Device<E: Executor = Tokio> {
    client: ClientOf<E>,
    id: DeviceId,
}

impl<E: Executor> Device<E> {
    pub(crate) fn new(client: ClientOf<E>, id: DeviceId) -> Self {
        Self { client, id }
    }

    /// How it is named.
    #[must_use]
    pub fn id(&self) -> &DeviceId {
        &self.id
    }

    /// A request for a session with this profile, to be filled in and sent.
    pub fn create_qod_session(&self, profile: impl Into<String>) -> CreateQodSession<E> {
        CreateQodSession::new(self.client.clone(), self.id.clone(), profile.into())
    }

    /// Its sessions, the oldest first. There being none is an empty list; that the URL is wrong is
    /// an error.
    pub fn sessions(&self) -> E::Answer<Vec<Session<E>>> {
        let client = self.client.clone();
        let operation = self.client.calls().sessions_of(self.id.form());
        let found = move |infos: Vec<_>| {
            infos.into_iter().map(|info| Session::new(client.clone(), info)).collect()
        };
        self.client.executor().run(Map::new(operation, found))
    }

    /// Deletes its sessions, and tells which. One that ends by itself meanwhile stops nothing.
    pub fn clear_sessions(&self) -> E::Answer<Cleared> {
        self.client.executor().run(self.client.calls().clear(self.id.form()))
    }
}

impl<E: Executor> Clone for Device<E> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), id: self.id.clone() }
    }
}
