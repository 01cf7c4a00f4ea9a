//! The bodies of requests.
//!
//! What is wrong with a body is said before what is wrong with its device: whether a device may, or
//! must, be named depends on the token.

use std::time::Duration;

use greenwave_core::{
    ApplicationServer, Asked, CreateRequest, Device, NamedBy, ProfileName, RuleSet,
};

use super::device::read_device;
use super::fields::Fields;
use super::ports::read_ports;
use super::server::read_server;
use super::sink::read_sink;
use crate::ErrorInfo;
use crate::sink::SinkCredential;

/// A request for a session or an assignment, with the secret that must be sealed before it is kept.
#[derive(Debug)]
pub struct Create {
    /// The request. Its sink has no credential yet.
    pub request: CreateRequest,
    /// What the sink's receiver wants to be shown.
    pub credential: Option<SinkCredential>,
}

/// Reads the body of `createSession`. `of_token` is the device that the token names.
pub fn read_create(
    body: &[u8],
    rules: &'static RuleSet,
    of_token: Option<&Device>,
) -> Result<Create, ErrorInfo> {
    let mut body = Fields::of_body(body, rules)?;
    let device = read_device(&mut body, of_token)?;
    let server = read_server(&mut body)?;
    let device_ports = read_ports(&mut body, "devicePorts")?;
    let server_ports = read_ports(&mut body, "applicationServerPorts")?;
    let profile = read_profile(&mut body)?;
    let duration_s = body.whole("duration")?;
    let duration_s = match rules.duration.default {
        Some(_) => duration_s,
        None => Some(whole_seconds(&body, "duration", duration_s)?),
    };
    let (sink, credential) = read_sink(&mut body)?;
    body.done()?;
    let (device, named_by) = device?;
    let asked = Asked { device, named_by, server, device_ports, server_ports, profile, sink };
    Ok(Create { request: CreateRequest { asked, duration_s }, credential })
}

/// Reads the body of `createQosAssignment`.
pub fn read_assignment(
    body: &[u8],
    rules: &'static RuleSet,
    of_token: Option<&Device>,
) -> Result<Create, ErrorInfo> {
    let mut body = Fields::of_body(body, rules)?;
    let device = read_device(&mut body, of_token)?;
    let profile = read_profile(&mut body)?;
    let (sink, credential) = read_sink(&mut body)?;
    body.done()?;
    let (device, named_by) = device?;
    let asked = Asked {
        device,
        named_by,
        server: ApplicationServer::everything(),
        device_ports: None,
        server_ports: None,
        profile,
        sink,
    };
    Ok(Create { request: CreateRequest { asked, duration_s: None }, credential })
}

/// Reads the body of `extendQosSessionDuration`: by how much.
pub fn read_extend(body: &[u8], rules: &'static RuleSet) -> Result<Duration, ErrorInfo> {
    const FIELD: &str = "requestedAdditionalDuration";
    let mut body = Fields::of_body(body, rules)?;
    let given_s = body.whole(FIELD)?;
    let given_s = body.required(FIELD, given_s, "the seconds by which to extend")?;
    let by = rules.extension(given_s).map_err(|wrong| ErrorInfo::invalid_argument(FIELD, wrong))?;
    body.done()?;
    Ok(by)
}

/// Reads the body of a look-up by device: which one, and what said so.
pub fn read_retrieve(
    body: &[u8],
    rules: &'static RuleSet,
    of_token: Option<&Device>,
) -> Result<(Device, NamedBy), ErrorInfo> {
    let mut body = Fields::of_body(body, rules)?;
    let device = read_device(&mut body, of_token)?;
    body.done()?;
    device
}

fn read_profile(body: &mut Fields) -> Result<ProfileName, ErrorInfo> {
    let name = body.text("qosProfile")?;
    let name = body.required("qosProfile", name, "the name of a profile, such as QOS_L")?;
    ProfileName::parse(&name).map_err(|wrong| ErrorInfo::invalid_argument("qosProfile", wrong))
}

/// Seconds as the schema has them (`int32`, from 1). Whether a profile grants them is another
/// question.
fn whole_seconds(body: &Fields, member: &str, given_s: Option<i64>) -> Result<i64, ErrorInfo> {
    let given_s = body.required(member, given_s, "the seconds for which it is wanted")?;
    if (1..=i64::from(i32::MAX)).contains(&given_s) {
        return Ok(given_s);
    }
    let wrong = format!("{given_s} is no duration: whole seconds, from 1 to 2147483647");
    Err(ErrorInfo::invalid_argument(&body.name(member), wrong))
}
