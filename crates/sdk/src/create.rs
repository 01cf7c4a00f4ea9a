//! A request for a session, filled in bit by bit.

use std::time::Duration;

use greenwave_wire::v0::client::{CreateForm, ServerForm, WebhookForm};

use crate::Tokio;
use crate::client::ClientOf;
use crate::device::DeviceId;
use crate::operation::{Executor, Map};
use crate::ports::Ports;
use crate::session::{Session, seconds};

/// A request for a session. An address of the service is needed; everything else may be left out.
#[derive(Debug)]
#[must_use = "a request has to be sent"]
pub struct CreateQodSession<E: Executor = Tokio> {
    client: ClientOf<E>,
    form: CreateForm,
}

impl<E: Executor> CreateQodSession<E> {
    pub(crate) fn new(client: ClientOf<E>, device: DeviceId, profile: String) -> Self {
        let form = CreateForm {
            device: device.form().clone(),
            application_server: ServerForm::default(),
            device_ports: None,
            application_server_ports: None,
            qos_profile: profile,
            duration: None,
            webhook: None,
        };
        Self { client, form }
    }

    /// For traffic with this address, or network such as `203.0.113.0/24`.
    pub fn service_ipv4(mut self, address: impl ToString) -> Self {
        self.form.application_server.ipv4_address = Some(address.to_string());
        self
    }

    /// For traffic with this address or network.
    pub fn service_ipv6(mut self, address: impl ToString) -> Self {
        self.form.application_server.ipv6_address = Some(address.to_string());
        self
    }

    /// For these ports of the service; all otherwise.
    pub fn service_ports(mut self, ports: Ports) -> Self {
        self.form.application_server_ports = Some(ports.into());
        self
    }

    /// For these ports of the device; all otherwise.
    pub fn device_ports(mut self, ports: Ports) -> Self {
        self.form.device_ports = Some(ports.into());
        self
    }

    /// For this long, in whole seconds, from when it is available; a day otherwise.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.form.duration = Some(seconds(duration));
        self
    }

    /// Tell this receiver of each change of its status.
    pub fn notification(mut self, url: impl Into<String>) -> Self {
        let token = self.form.webhook.take().and_then(|hook| hook.notification_auth_token);
        let notification_url = url.into();
        self.form.webhook = Some(WebhookForm { notification_url, notification_auth_token: token });
        self
    }

    /// Show the receiver this token, as `Authorization: Bearer`. Without a receiver it is for
    /// nobody.
    pub fn notification_auth_token(mut self, token: impl Into<String>) -> Self {
        let url = self.form.webhook.take().map(|hook| hook.notification_url).unwrap_or_default();
        let notification_auth_token = Some(token.into());
        self.form.webhook = Some(WebhookForm { notification_url: url, notification_auth_token });
        self
    }

    /// Asks for it. However often the request has to be sent, it makes one session.
    pub fn send(self) -> E::Answer<Session<E>> {
        let Self { client, form } = self;
        let operation = client.calls().create(&form);
        let executor = client.executor().clone();
        executor.run(Map::new(operation, move |info| Session::new(client.clone(), info)))
    }
}
