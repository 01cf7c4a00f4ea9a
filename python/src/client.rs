//! A client, and the calls that it can make.

use std::sync::Arc;
use std::time::Duration;

use greenwave_sdk::blocking::Blocking;
use greenwave_sdk::form::{CreateForm, DeviceForm, ServerForm, WebhookForm};
use greenwave_sdk::operation::{Executor, Operation};
use greenwave_sdk::{Calls, Endpoint, QosProfile};
use pyo3::prelude::*;

use crate::call::{Call, Output, interrupted};
use crate::convert::{DeviceParts, PortsParts, device, ports};
use crate::error::raise;
use crate::runtime::Remote;

/// The longest time that anybody waits.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// A client of one gateway, for one key.
#[pyclass(frozen, module = "network_as_code._core")]
pub(crate) struct Client {
    blocking: Blocking,
    remote: Arc<Remote>,
    calls: Calls,
}

#[pymethods]
impl Client {
    #[new]
    fn new(token: &str, base_url: &str, timeout: f64, retries: u32) -> PyResult<Self> {
        let endpoint = Endpoint::new(base_url, token).map_err(raise)?;
        let timeout = duration(timeout);
        let blocking = Blocking::new(endpoint.clone(), timeout).map_err(raise)?;
        let calls = Calls::new(endpoint.root(), retries.saturating_add(1));
        let blocking = blocking.with_interrupt(Arc::new(interrupted));
        Ok(Self { blocking, remote: Arc::new(Remote::new(endpoint, timeout)), calls })
    }

    /// The URL of the gateway.
    #[getter]
    fn root(&self) -> &str {
        self.blocking.root()
    }

    /// Closes the connections that nobody uses.
    fn close(&self) {
        self.blocking.close_idle();
        self.remote.close();
    }

    #[expect(clippy::too_many_arguments, reason = "it has them in Python")]
    #[pyo3(signature = (of, profile, service_ipv4, service_ipv6, device_ports, service_ports,
                        duration, notification_url, notification_auth_token))]
    fn create(
        &self,
        of: DeviceParts,
        profile: String,
        service_ipv4: Option<String>,
        service_ipv6: Option<String>,
        device_ports: Option<PortsParts>,
        service_ports: Option<PortsParts>,
        duration: Option<i64>,
        notification_url: Option<String>,
        notification_auth_token: Option<String>,
    ) -> Call {
        let webhook = notification_url
            .map(|notification_url| WebhookForm { notification_url, notification_auth_token });
        let form = CreateForm {
            device: device(of),
            application_server: ServerForm {
                ipv4_address: service_ipv4,
                ipv6_address: service_ipv6,
            },
            device_ports: device_ports.map(ports),
            application_server_ports: service_ports.map(ports),
            qos_profile: profile,
            duration,
            webhook,
        };
        self.call(self.calls.create(&form), |session| Output::Session(Box::new(session)))
    }

    fn get(&self, id: &str) -> Call {
        self.call(self.calls.get(id), |session| Output::Session(Box::new(session)))
    }

    fn extend(&self, id: &str, by: i64) -> Call {
        self.call(self.calls.extend(id, by), |session| Output::Session(Box::new(session)))
    }

    fn wait_available(&self, id: &str, timeout: f64) -> Call {
        let operation = self.calls.wait_available(id, duration(timeout));
        self.call(operation, |session| Output::Session(Box::new(session)))
    }

    fn delete(&self, id: &str) -> Call {
        self.call(self.calls.delete(id), |()| Output::Nothing)
    }

    fn sessions_of(&self, of: DeviceParts) -> Call {
        let of: DeviceForm = device(of);
        self.call(self.calls.sessions_of(&of), Output::Sessions)
    }

    fn all_sessions(&self) -> Call {
        self.call(self.calls.all_sessions(), Output::Sessions)
    }

    fn clear(&self, of: DeviceParts) -> Call {
        let of: DeviceForm = device(of);
        self.call(self.calls.clear(&of), |cleared| Output::Cleared(cleared.deleted, cleared.ended))
    }

    fn qos_profiles(&self) -> Call {
        self.call(self.calls.qos_profiles(), |profiles| {
            Output::Profiles(profiles.iter().map(QosProfile::to_json).collect())
        })
    }
}

impl Client {
    fn call<O: Operation + 'static>(&self, operation: O, output: fn(O::Output) -> Output) -> Call {
        Call::new(operation, output, self.blocking.clone(), Arc::clone(&self.remote))
    }
}

/// Seconds as Python has them: any number, or none at all.
fn duration(seconds: f64) -> Duration {
    let nonnegative = if seconds > 0.0 { seconds } else { 0.0 };
    Duration::try_from_secs_f64(nonnegative).unwrap_or(LONGEST).min(LONGEST)
}
