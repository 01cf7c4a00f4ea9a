//! Values to and from Python: plain tuples, from which Python makes its models.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use greenwave_sdk::form::{DeviceForm, Ipv4Form, PortsForm, RangeForm, SessionForm, read_session};
use greenwave_sdk::{Notification, NotificationError};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::call::Output;
use crate::error;

/// Public address, private address, public port.
type Ipv4Parts = (Option<String>, Option<String>, Option<i64>);

/// Network access identifier, phone number, IPv4 address, IPv6 address, IMSI.
pub(crate) type DeviceParts =
    (Option<String>, Option<String>, Option<Ipv4Parts>, Option<String>, Option<u64>);

/// Ranges, and single ports.
pub(crate) type PortsParts = (Vec<(i64, i64)>, Vec<i64>);

pub(crate) fn device(parts: DeviceParts) -> DeviceForm {
    let (network_access_identifier, phone_number, ipv4, ipv6_address, imsi) = parts;
    let ipv4_address = ipv4.map(|(public_address, private_address, public_port)| Ipv4Form {
        public_address,
        private_address,
        public_port,
    });
    DeviceForm { network_access_identifier, phone_number, ipv4_address, ipv6_address, imsi }
}

pub(crate) fn ports((ranges, ports): PortsParts) -> PortsForm {
    let range = |(from, to)| RangeForm { from, to };
    PortsForm { ranges: ranges.into_iter().map(range).collect(), ports }
}

pub(crate) fn to_python(py: Python<'_>, output: Output) -> PyResult<Bound<'_, PyAny>> {
    match output {
        Output::Nothing => Ok(py.None().into_bound(py)),
        Output::Session(info) => session(py, info.form()).map(Bound::into_any),
        Output::Sessions(infos) => {
            let sessions: Vec<_> =
                infos.iter().map(|info| session(py, info.form())).collect::<PyResult<_>>()?;
            PyList::new(py, sessions).map(Bound::into_any)
        }
        Output::Cleared(deleted, ended) => (deleted, ended).into_bound_py_any(py),
        Output::Profiles(profiles) => profiles.into_bound_py_any(py),
    }
}

/// A session, in the order that `network_as_code.models.session` reads it in.
fn session<'py>(py: Python<'py>, form: &SessionForm) -> PyResult<Bound<'py, PyTuple>> {
    let device = form.device.as_ref().map(device_parts);
    let server = &form.application_server;
    let parts = [
        form.session_id.as_str().into_bound_py_any(py)?,
        form.qos_profile.as_str().into_bound_py_any(py)?,
        form.qos_status.as_str().into_bound_py_any(py)?,
        form.status_info.as_deref().into_bound_py_any(py)?,
        form.duration.into_bound_py_any(py)?,
        form.started_at.map(SystemTime::from).map(millis).into_bound_py_any(py)?,
        form.expires_at.map(SystemTime::from).map(millis).into_bound_py_any(py)?,
        device.into_bound_py_any(py)?,
        server.ipv4_address.as_deref().into_bound_py_any(py)?,
        server.ipv6_address.as_deref().into_bound_py_any(py)?,
        form.device_ports.as_ref().map(ports_parts).into_bound_py_any(py)?,
        form.application_server_ports.as_ref().map(ports_parts).into_bound_py_any(py)?,
        form.notification_url.as_deref().into_bound_py_any(py)?,
    ];
    PyTuple::new(py, parts)
}

/// Reads a session from the JSON of an answer.
#[pyfunction]
pub(crate) fn parse_session<'py>(py: Python<'py>, json: &str) -> PyResult<Bound<'py, PyTuple>> {
    let form = read_session(json.as_bytes())
        .map_err(|wrong| error::invalid(&format!("this is no session: {wrong}")))?;
    session(py, &form)
}

/// Takes a notification: its id, time, session, status and the reason for it.
#[pyfunction]
#[pyo3(signature = (authorization, body, token))]
pub(crate) fn receive<'py>(
    py: Python<'py>,
    authorization: Option<&str>,
    body: &[u8],
    token: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let event = Notification::receive(authorization, body, token).map_err(|wrong| match wrong {
        NotificationError::Unauthorized => error::unauthorized(&wrong.to_string()),
        _ => error::invalid(&wrong.to_string()),
    })?;
    let time = event.time.map(millis);
    (event.id, time, event.session_id, event.qos_status, event.status_info).into_bound_py_any(py)
}

fn device_parts(form: &DeviceForm) -> DeviceParts {
    let form = form.clone();
    let ipv4 = form.ipv4_address.map(|a| (a.public_address, a.private_address, a.public_port));
    (form.network_access_identifier, form.phone_number, ipv4, form.ipv6_address, form.imsi)
}

fn ports_parts(form: &PortsForm) -> PortsParts {
    (form.ranges.iter().map(|range| (range.from, range.to)).collect(), form.ports.clone())
}

/// Milliseconds since 1970.
fn millis(time: SystemTime) -> i64 {
    let whole = |distance: Duration| i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => -whole(before.duration()),
    }
}
