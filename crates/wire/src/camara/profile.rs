//! The schema `QosProfile`, and what profiles are asked for by.

pub mod operator;

use std::time::Duration;

use greenwave_core::profile::{
    BitRate, Country, L4sQueueType, OneTo, Plmn, RateUnit, ServiceClass, TimeUnit,
};
use greenwave_core::{Device, NamedBy, ProfileName, ProfileStatus, QosProfile, RuleSet};

use super::device::given_device;
use super::fields::Fields;
use crate::ErrorInfo;
use crate::members::Members;

/// As long as most profiles are.
const TYPICAL: usize = 512;

/// What the profiles that are wanted have; without anything, all are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// They are to be had by this device; and what named it.
    pub device: Option<(Device, NamedBy)>,
    /// They have this name.
    pub name: Option<ProfileName>,
    /// They have this status.
    pub status: Option<ProfileStatus>,
}

/// Reads the body of `retrieveQoSProfiles`. `of_token` is the device that the token names: then the
/// body must not name one.
pub fn read_filter(
    body: &[u8],
    rules: &'static RuleSet,
    of_token: Option<&Device>,
) -> Result<Filter, ErrorInfo> {
    let mut body = Fields::of_body(body, rules)?;
    let given = given_device(&mut body)?;
    let name = match body.text("name")? {
        Some(text) => Some(read_name(&text)?),
        None => None,
    };
    let status = match body.text("status")? {
        Some(text) => Some(read_status(&body.name("status"), &text)?),
        None => None,
    };
    body.done()?;
    let device = match (given, of_token) {
        (Some(_), Some(_)) => return Err(ErrorInfo::unnecessary_identifier()),
        (Some(device), None) => Some((device, NamedBy::Request)),
        (None, of_token) => of_token.map(|device| (device.clone(), NamedBy::Token)),
    };
    Ok(Filter { device, name, status })
}

/// Reads the name of a profile where a path has it, or a body as its member `name`.
pub fn read_name(text: &str) -> Result<ProfileName, ErrorInfo> {
    ProfileName::parse(text).map_err(|wrong| ErrorInfo::invalid_argument("name", wrong))
}

fn read_status(field: &str, text: &str) -> Result<ProfileStatus, ErrorInfo> {
    ProfileStatus::parse(text)
        .ok_or_else(|| ErrorInfo::invalid_argument(field, is_none_of(&ProfileStatus::names())))
}

fn is_none_of(names: &str) -> String {
    format!("is none of {names}")
}

/// A profile as JSON, for an application.
#[must_use]
pub fn write(profile: &QosProfile) -> Vec<u8> {
    let mut text = Vec::with_capacity(TYPICAL);
    write_to(&mut text, profile);
    text
}

/// Profiles as a JSON array, for an application.
#[must_use]
pub fn write_list<'a>(profiles: impl IntoIterator<Item = &'a QosProfile>) -> Vec<u8> {
    let mut text = Vec::with_capacity(TYPICAL);
    write_items(&mut text, profiles, write_to);
    text
}

fn write_to(text: &mut Vec<u8>, profile: &QosProfile) {
    let mut members = Members::open(text);
    write_members(&mut members, profile, BitRate::as_camara_writes_it);
    members.close();
}

/// Writes what CAMARA knows of a profile. Who it is restricted to is nobody's business.
fn write_members(
    members: &mut Members<'_>,
    profile: &QosProfile,
    in_unit: fn(BitRate) -> (u64, RateUnit),
) {
    members.text("name", profile.name.as_str());
    let description = Some(&*profile.description).filter(|text| !text.is_empty());
    members.text_if_any("description", description);
    members.text("status", profile.status.name());
    if !profile.countries.is_empty() {
        write_items(members.name("countryAvailability"), &profile.countries, write_country);
    }
    let up = profile.uplink;
    let down = profile.downlink;
    for (name, rate) in [
        ("targetMinUpstreamRate", up.guaranteed()),
        ("maxUpstreamRate", Some(up.maximum())),
        ("maxUpstreamBurstRate", up.burst()),
        ("targetMinDownstreamRate", down.guaranteed()),
        ("maxDownstreamRate", Some(down.maximum())),
        ("maxDownstreamBurstRate", down.burst()),
    ] {
        if let Some((value, unit)) = rate.map(in_unit) {
            write_quantity(members.name(name), value, unit.name());
        }
    }
    write_duration(members, "minDuration", Some(profile.min_duration));
    write_duration(members, "maxDuration", Some(profile.max_duration));
    members.value("priority", profile.priority.get());
    write_duration(members, "packetDelayBudget", Some(profile.packet_delay_budget));
    write_duration(members, "jitter", profile.jitter);
    members.value_if_any("packetErrorLossRate", profile.packet_error_loss_rate.map(OneTo::get));
    members.text_if_any("l4sQueueType", profile.l4s_queue_type.map(L4sQueueType::name));
    members.text_if_any("serviceClass", profile.service_class.map(ServiceClass::name));
}

fn write_country(text: &mut Vec<u8>, country: &Country) {
    let mut members = Members::open(text);
    members.text("countryName", country.code.as_str());
    if !country.networks.is_empty() {
        let networks: Vec<&str> = country.networks.iter().map(Plmn::as_str).collect();
        members.value("networks", networks);
    }
    members.close();
}

fn write_duration(members: &mut Members<'_>, name: &'static str, duration: Option<Duration>) {
    if let Some((value, unit)) = duration.and_then(TimeUnit::of) {
        write_quantity(members.name(name), value.into(), unit.name());
    }
}

fn write_quantity(text: &mut Vec<u8>, value: u64, unit: &str) {
    let mut members = Members::open(text);
    members.value("value", value);
    members.text("unit", unit);
    members.close();
}

fn write_items<'a, T: 'a>(
    text: &mut Vec<u8>,
    items: impl IntoIterator<Item = &'a T>,
    write: impl Fn(&mut Vec<u8>, &T),
) {
    text.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        write(text, item);
    }
    text.push(b']');
}
