//! A profile as its operator writes it, in a file and to the admin API: the members that CAMARA
//! gives it, with rates of any size, and what only the network and the gateway need to know:
//!
//! - `5qi`, and `arp` with `priorityLevel`, `preemptCap` and `preemptVuln` (TS 29.571, 5.5);
//! - `onlyFor`, the devices that it is restricted to.
//!
//! A member that is not known is refused: it is one that was written wrong.

mod number;
mod reach;

use std::num::NonZeroU8;
use std::time::Duration;

use greenwave_core::profile::{
    Arp, BitRate, Catalogue, InvalidCatalogue, InvalidRates, L4sQueueType, OneTo, Rates,
    ServiceClass,
};
use greenwave_core::{ProfileName, ProfileStatus, QosProfile, RuleSet, RuleSetId};
use serde_json::{Map, Value};

use self::number::{read_duration, read_number, read_rate};
use self::reach::{read_countries, read_only_for};
use super::{is_none_of, write_items, write_members};
use crate::ErrorInfo;
use crate::camara::fields::{Fields, item_object};
use crate::json::{Document, MOST_NESTED, too_deep};
use crate::members::Members;
use crate::v0::write_device;

/// The most characters of a description.
const LONGEST_DESCRIPTION: usize = 1_000;

/// What a profile has that says nothing of durations: those of CAMARA 0.10.1.
const DEFAULT_MIN: Duration = Duration::from_secs(1);
const DEFAULT_MAX: Duration = Duration::from_secs(86_400);

/// The longest that the `duration` of a session can say.
const LONGEST_S: u64 = i32::MAX.unsigned_abs() as u64;

/// Why a text is not a file of profiles. The message says where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProfiles {
    /// It is no JSON.
    #[error("it is not a JSON object: {0}")]
    Json(String),
    /// A member is wrong.
    #[error("{}", .0.message)]
    Member(ErrorInfo),
    /// The profiles do not go together.
    #[error(transparent)]
    Catalogue(#[from] InvalidCatalogue),
}

/// Strict, and telephone numbers have their `+`.
fn rules() -> &'static RuleSet {
    RuleSetId::CamaraR41.rules()
}

/// Reads the profile of this name. It need not say its name again.
pub fn read(body: &[u8], name: ProfileName) -> Result<QosProfile, ErrorInfo> {
    let mut body = Fields::of_body(body, rules())?;
    if let Some(given) = body.text("name")?
        && given != name.as_str()
    {
        let wrong = format!("is another one than the path's, which is {}", name.as_str());
        return Err(ErrorInfo::invalid_argument("name", wrong));
    }
    read_rest(body, name)
}

/// Reads a file of profiles: an object with a list of them, `profiles`.
pub fn read_file(text: &[u8]) -> Result<Catalogue, InvalidProfiles> {
    if too_deep(text) {
        let wrong = format!("it is nested more than {MOST_NESTED} levels deep");
        return Err(InvalidProfiles::Json(wrong));
    }
    let read = serde_json::from_slice(text);
    let Document(members) = read.map_err(|error| InvalidProfiles::Json(error.to_string()))?;
    let profiles = read_members(members).map_err(InvalidProfiles::Member)?;
    Ok(Catalogue::new(profiles)?)
}

fn read_members(members: Map<String, Value>) -> Result<Vec<QosProfile>, ErrorInfo> {
    let mut file = item_object(String::new(), Value::Object(members), rules())?;
    let profiles = file.list("profiles")?;
    let profiles = file.required("profiles", profiles, "a list of profiles")?;
    file.done()?;
    profiles.into_iter().enumerate().map(read_item).collect()
}

/// Reads a profile of a list. What is wrong is told with its name, if it has one.
fn read_item((at, profile): (usize, Value)) -> Result<QosProfile, ErrorInfo> {
    let name = profile["name"].as_str().and_then(|name| ProfileName::parse(name).ok());
    let path = name.map_or_else(|| format!("profiles[{at}]"), |name| name.as_str().to_owned());
    let mut profile = item_object(path, profile, rules())?;
    let name = profile.text("name")?;
    let name = profile.required("name", name, "what sessions call it")?;
    let name = ProfileName::parse(&name);
    let name = name.map_err(|wrong| ErrorInfo::invalid_argument(&profile.name("name"), wrong))?;
    read_rest(profile, name)
}

fn read_rest(mut fields: Fields, name: ProfileName) -> Result<QosProfile, ErrorInfo> {
    let f = &mut fields;
    let (min_duration, max_duration) = read_durations(f)?;
    let profile = QosProfile {
        name,
        description: read_description(f)?,
        status: read_named(f, "status", ProfileStatus::parse, ProfileStatus::names)?
            .unwrap_or(ProfileStatus::Active),
        countries: read_countries(f)?,
        only_for: read_only_for(f)?,
        downlink: read_rates(f, Direction::DOWN)?,
        uplink: read_rates(f, Direction::UP)?,
        packet_delay_budget: required(f, "packetDelayBudget", read_duration, "a duration")?,
        jitter: read_duration(f, "jitter")?,
        packet_error_loss_rate: read_one_to(f, "packetErrorLossRate")?,
        priority: required(f, "priority", read_one_to, "1 to 100, the lower the sooner")?,
        l4s_queue_type: read_named(f, "l4sQueueType", L4sQueueType::parse, L4sQueueType::names)?,
        service_class: read_named(f, "serviceClass", ServiceClass::parse, ServiceClass::names)?,
        five_qi: required(f, "5qi", read_five_qi, "the 5QI of its flows, such as 7")?,
        arp: read_arp(f)?,
        min_duration,
        max_duration,
    };
    fields.done()?;
    Ok(profile)
}

fn required<T>(
    fields: &mut Fields,
    member: &'static str,
    read: impl Fn(&mut Fields, &'static str) -> Result<Option<T>, ErrorInfo>,
    wanted: &str,
) -> Result<T, ErrorInfo> {
    let given = read(fields, member)?;
    fields.required(member, given, wanted)
}

fn read_named<T>(
    fields: &mut Fields,
    member: &str,
    parse: fn(&str) -> Option<T>,
    names: fn() -> String,
) -> Result<Option<T>, ErrorInfo> {
    let Some(text) = fields.text(member)? else { return Ok(None) };
    let wrong = || ErrorInfo::invalid_argument(&fields.name(member), is_none_of(&names()));
    parse(&text).map(Some).ok_or_else(wrong)
}

fn read_description(fields: &mut Fields) -> Result<Box<str>, ErrorInfo> {
    let text = fields.text("description")?.unwrap_or_default();
    let fine = text.chars().count() <= LONGEST_DESCRIPTION && !text.chars().any(char::is_control);
    if fine {
        return Ok(text.into());
    }
    let wrong =
        format!("at most {LONGEST_DESCRIPTION} characters, none of them a control character");
    Err(ErrorInfo::invalid_argument(&fields.name("description"), wrong))
}

/// What the members of one direction are called.
struct Direction {
    target_min: &'static str,
    max: &'static str,
    burst: &'static str,
}

impl Direction {
    const DOWN: Self = Self {
        target_min: "targetMinDownstreamRate",
        max: "maxDownstreamRate",
        burst: "maxDownstreamBurstRate",
    };
    const UP: Self = Self {
        target_min: "targetMinUpstreamRate",
        max: "maxUpstreamRate",
        burst: "maxUpstreamBurstRate",
    };
}

fn read_rates(fields: &mut Fields, direction: Direction) -> Result<Rates, ErrorInfo> {
    let guaranteed = read_rate(fields, direction.target_min)?;
    let maximum = required(fields, direction.max, read_rate, "a rate, such as 20 Mbps")?;
    let burst = read_rate(fields, direction.burst)?;
    Rates::new(guaranteed, maximum, burst).map_err(|wrong| {
        let member = match wrong {
            InvalidRates::GuaranteedAboveMaximum => direction.target_min,
            InvalidRates::BurstBelowMaximum => direction.burst,
        };
        ErrorInfo::invalid_argument(&fields.name(member), wrong)
    })
}

fn read_durations(fields: &mut Fields) -> Result<(Duration, Duration), ErrorInfo> {
    let min = read_duration(fields, "minDuration")?.unwrap_or(DEFAULT_MIN);
    let max = read_duration(fields, "maxDuration")?.unwrap_or(DEFAULT_MAX);
    if !(1..=LONGEST_S).contains(&max.as_secs()) {
        let wrong = format!("a second at least, and at most {LONGEST_S} of them");
        return Err(ErrorInfo::out_of_range(&fields.name("maxDuration"), wrong));
    }
    if min > max {
        let wrong = "must not be above maxDuration, which is a day if it is left out";
        return Err(ErrorInfo::invalid_argument(&fields.name("minDuration"), wrong));
    }
    Ok((min, max))
}

fn read_five_qi(fields: &mut Fields, member: &'static str) -> Result<Option<NonZeroU8>, ErrorInfo> {
    read_number(fields, member, NonZeroU8::new, NonZeroU8::MAX.get())
}

fn read_one_to<const MOST: u8>(
    fields: &mut Fields,
    member: &'static str,
) -> Result<Option<OneTo<MOST>>, ErrorInfo> {
    read_number(fields, member, OneTo::new, MOST)
}

/// Whether a flow may take another one's place, and lose its own (TS 29.571, 5.5.3.1 and 5.5.3.2).
const PREEMPT: [&str; 2] = ["NOT_PREEMPT", "MAY_PREEMPT"];
const PREEMPTABLE: [&str; 2] = ["NOT_PREEMPTABLE", "PREEMPTABLE"];

fn read_arp(fields: &mut Fields) -> Result<Arp, ErrorInfo> {
    let arp = fields.object("arp")?;
    let mut arp = fields.required("arp", arp, "an object with priorityLevel, 1 to 15")?;
    let read = Arp {
        priority_level: required(&mut arp, "priorityLevel", read_one_to, "1 to 15")?,
        preempts: read_either(&mut arp, "preemptCap", PREEMPT)?.unwrap_or(false),
        preemptible: read_either(&mut arp, "preemptVuln", PREEMPTABLE)?.unwrap_or(true),
    };
    arp.done()?;
    Ok(read)
}

/// Reads one of two words: whether it is the second.
fn read_either(
    fields: &mut Fields,
    member: &str,
    words: [&str; 2],
) -> Result<Option<bool>, ErrorInfo> {
    let Some(text) = fields.text(member)? else { return Ok(None) };
    let at = words.iter().position(|word| *word == text);
    let wrong = || ErrorInfo::invalid_argument(&fields.name(member), is_none_of(&words.join(", ")));
    at.map(|at| Some(at == 1)).ok_or_else(wrong)
}

/// A profile as its operator would write it.
#[must_use]
pub fn write(profile: &QosProfile) -> Vec<u8> {
    let mut text = Vec::new();
    write_to(&mut text, profile);
    text
}

/// Profiles as a JSON array.
#[must_use]
pub fn write_list(catalogue: &Catalogue) -> Vec<u8> {
    let mut text = Vec::new();
    write_items(&mut text, catalogue.iter(), write_to);
    text
}

/// A file of profiles, as [`read_file`] reads it, for people to change.
#[must_use]
pub fn write_file(catalogue: &Catalogue) -> String {
    let mut text = b"{\n  \"profiles\": [".to_vec();
    for (at, profile) in catalogue.iter().enumerate() {
        text.extend_from_slice(if at == 0 { b"\n    " } else { b",\n    " });
        write_indented(&mut text, &write(profile));
    }
    text.extend_from_slice(b"\n  ]\n}\n");
    // All that is written is text.
    String::from_utf8_lossy(&text).into_owned()
}

/// Writes a profile with each of its members on a line.
fn write_indented(text: &mut Vec<u8>, json: &[u8]) {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in json {
        let ends = byte == b'}' && !in_string && depth == 1;
        if ends {
            text.extend_from_slice(b"\n    ");
        }
        text.push(byte);
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        match byte {
            b',' if !in_string && depth == 1 => text.extend_from_slice(b"\n      "),
            b'{' if !in_string && depth == 1 => text.extend_from_slice(b"\n      "),
            b',' | b':' if !in_string => text.push(b' '),
            _ => {}
        }
    }
}

fn write_to(text: &mut Vec<u8>, profile: &QosProfile) {
    let mut members = Members::open(text);
    write_members(&mut members, profile, BitRate::exactly);
    members.value("5qi", profile.five_qi);
    let Arp { priority_level, preempts, preemptible } = profile.arp;
    let mut arp = Members::open(members.name("arp"));
    arp.value("priorityLevel", priority_level.get());
    arp.text("preemptCap", PREEMPT[usize::from(preempts)]);
    arp.text("preemptVuln", PREEMPTABLE[usize::from(preemptible)]);
    arp.close();
    if let Some(devices) = &profile.only_for {
        write_items(members.name("onlyFor"), devices, write_device);
    }
    members.close();
}
