//! The lines of the file of rules: written without anything being made on the way, and read without
//! anything being copied, because there may be tens of millions of them.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use greenwave_core::SessionId;
use serde::{Deserialize, Serialize};

use super::file::Granted;
use super::{Rule, Traffic};
use crate::simulator::cell::CellName;

/// How much of the file is read at a time.
const READ_AT_ONCE: usize = 1 << 18;

/// A line of the file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::simulator) enum Line<R> {
    Install(R),
    Release(#[serde(with = "session_id")] SessionId),
    /// A rule that is not the gateway's.
    Foreign(R),
}

/// A rule as it stands in the file.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(in crate::simulator) struct RuleText<'a> {
    #[serde(with = "session_id")]
    pub(in crate::simulator) session: SessionId,
    #[serde(borrow)]
    pub(super) device: Cow<'a, str>,
    pub(in crate::simulator) cell: CellName,
    #[serde(borrow)]
    pub(in crate::simulator) profile: Cow<'a, str>,
    #[serde(borrow)]
    flow: Cow<'a, str>,
}

impl From<RuleText<'_>> for Rule {
    fn from(text: RuleText<'_>) -> Self {
        let RuleText { session, device, cell, profile, flow } = text;
        Self {
            session,
            device: device.into_owned(),
            cell,
            profile: profile.into_owned(),
            flow: flow.into_owned(),
        }
    }
}

/// How far a file could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) lines: usize,
    /// Where the last whole line ends.
    pub(super) end: u64,
}

/// Reads a file from its first line to the last one that was written to its end. A file that is not
/// there has no lines.
pub(super) fn each(path: &Path, mut said: impl FnMut(Line<RuleText<'_>>)) -> io::Result<Extent> {
    let mut extent = Extent::default();
    let mut file = match File::open(path) {
        Ok(file) => BufReader::with_capacity(READ_AT_ONCE, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(extent),
        Err(error) => return Err(error),
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = file.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Ok(extent);
        }
        said(read(&line)?);
        extent.lines += 1;
        extent.end += length as u64;
    }
}

/// Reads a line, in whatever hand it is.
fn read(line: &[u8]) -> io::Result<Line<RuleText<'_>>> {
    match std::str::from_utf8(line).ok().and_then(own) {
        Some(line) => Ok(line),
        None => Ok(serde_json::from_slice(line)?),
    }
}

/// Reads a line as it is written here, in a fraction of the time; `None` for any other.
fn own(line: &str) -> Option<Line<RuleText<'_>>> {
    let line = line.strip_prefix('{')?.strip_suffix("}\n")?;
    if let Some(rule) = line.strip_prefix(r#""install":"#) {
        return own_rule(rule).map(Line::Install);
    }
    if let Some(session) = line.strip_prefix(r#""release":""#) {
        return SessionId::parse(session.strip_suffix('"')?).map(Line::Release);
    }
    own_rule(line.strip_prefix(r#""foreign":"#)?).map(Line::Foreign)
}

fn own_rule(text: &str) -> Option<RuleText<'_>> {
    let (session, rest) = text.strip_prefix(r#"{"session":""#)?.split_once('"')?;
    let (device, rest) = rest.strip_prefix(r#","device":""#)?.split_once('"')?;
    let cell = rest.strip_prefix(r#","cell":"#)?;
    let (cell, rest) = match cell.strip_prefix(r#""stadium""#) {
        Some(rest) => (CellName::Stadium, rest),
        None => {
            let (number, rest) = cell.strip_prefix(r#"{"city":"#)?.split_once('}')?;
            // What JSON does not take for a number is none here.
            let is_plain = number == "0" || number.starts_with(|first| matches!(first, '1'..='9'));
            (CellName::City(number.parse().ok().filter(|_| is_plain)?), rest)
        }
    };
    let (profile, rest) = rest.strip_prefix(r#","profile":""#)?.split_once('"')?;
    let flow = rest.strip_prefix(r#","flow":""#)?.strip_suffix(r#""}"#)?;
    let texts = [device, profile, flow];
    let [device, profile, flow] = texts.map(Cow::Borrowed);
    let is_plain = texts.into_iter().all(is_plain);
    is_plain.then_some(RuleText {
        session: SessionId::parse(session)?,
        device,
        cell,
        profile,
        flow,
    })
}

/// Whether a text stands for itself between quotes.
fn is_plain(text: &str) -> bool {
    // All bytes are looked at, many at a time.
    text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'))
}

/// Which session a line is about, and how.
pub(super) fn subject(line: &[u8]) -> io::Result<Line<SessionId>> {
    #[derive(Deserialize)]
    struct Subject {
        #[serde(with = "session_id")]
        session: SessionId,
    }
    if let Some(subject) = subject_of_own(line) {
        return Ok(subject);
    }
    Ok(match serde_json::from_slice::<Line<Subject>>(line)? {
        Line::Install(rule) => Line::Install(rule.session),
        Line::Release(session) => Line::Release(session),
        Line::Foreign(rule) => Line::Foreign(rule.session),
    })
}

/// The same for a line as it is written here, which needs no look behind the session.
fn subject_of_own(line: &[u8]) -> Option<Line<SessionId>> {
    let begins = |with: &str| {
        let session = line.strip_prefix(with.as_bytes())?.get(..36)?;
        SessionId::parse(std::str::from_utf8(session).ok()?)
    };
    begins(r#"{"install":{"session":""#)
        .map(Line::Install)
        .or_else(|| begins(r#"{"release":""#).map(Line::Release))
        .or_else(|| begins(r#"{"foreign":{"session":""#).map(Line::Foreign))
}

/// Writes a line as its form has it.
pub(super) fn write<R: Serialize>(text: &mut Vec<u8>, line: &Line<R>) -> io::Result<()> {
    serde_json::to_writer(&mut *text, line)?;
    text.push(b'\n');
    Ok(())
}

/// Writes the line of a rule that was asked for, the same as `write` does of its [`Rule`].
pub(super) fn write_granted(text: &mut Vec<u8>, granted: &Granted<'_>) -> io::Result<()> {
    let Granted { session, device, cell, asked } = granted;
    text.extend_from_slice(br#"{"install":{"session":""#);
    write_session(text, *session);
    text.extend_from_slice(br#"","device":""#);
    write_hex(text, &device.0);
    match cell {
        CellName::City(number) => write!(text, r#"","cell":{{"city":{number}}}"#)?,
        CellName::Stadium => text.extend_from_slice(br#"","cell":"stadium""#),
    }
    text.extend_from_slice(br#","profile":""#);
    // Neither a profile's name nor traffic has anything in it that JSON would write differently.
    text.extend_from_slice(asked.profile.as_str().as_bytes());
    text.extend_from_slice(br#"","flow":""#);
    write!(text, "{}", Traffic(asked))?;
    text.extend_from_slice(b"\"}}\n");
    Ok(())
}

/// Writes that a session's rule is gone.
pub(super) fn write_release(text: &mut Vec<u8>, session: SessionId) {
    text.extend_from_slice(br#"{"release":""#);
    write_session(text, session);
    text.extend_from_slice(b"\"}\n");
}

/// The same as a session is shown.
fn write_session(text: &mut Vec<u8>, session: SessionId) {
    let bytes = session.as_bytes();
    write_hex(text, &bytes[..4]);
    for part in [&bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]] {
        text.push(b'-');
        write_hex(text, part);
    }
}

fn write_hex(text: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| DIGITS[usize::from(half)];
    for byte in bytes {
        text.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

pub(super) mod session_id {
    use std::fmt;

    use greenwave_core::SessionId;
    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        id: &SessionId,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<SessionId, D::Error> {
        from.deserialize_str(Text)
    }

    struct Text;

    impl Visitor<'_> for Text {
        type Value = SessionId;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a session id")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<SessionId, E> {
            SessionId::parse(text).ok_or_else(|| E::custom("not a session id"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use greenwave_core::device::NetworkAccessIdentifier;
    use greenwave_core::server::ServerAddress;
    use greenwave_core::{
        ApplicationServer, Asked, Device, DeviceKey, NamedBy, Order, PortRange, PortsSpec,
        Precedence, ProfileName,
    };
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn ports() -> impl Strategy<Value = Option<PortsSpec>> {
        let range = (any::<u16>(), any::<u16>())
            .prop_map(|(one, other)| PortRange::new(one.min(other), one.max(other)).unwrap());
        let ranges = prop::collection::vec(range, 0..4);
        let spec = (ranges, prop::collection::vec(any::<u16>(), 0..4))
            .prop_filter_map("no ports", |(ranges, ports)| PortsSpec::new(ranges, ports).ok());
        prop::option::of(spec)
    }

    fn servers() -> impl Strategy<Value = ApplicationServer> {
        let v4 = (any::<u32>(), 0..=32u8).prop_map(|(address, prefix)| {
            format!("{}/{prefix}", std::net::Ipv4Addr::from_bits(address))
        });
        let v6 = (any::<u128>(), 0..=128u8).prop_map(|(address, prefix)| {
            format!("{}/{prefix}", std::net::Ipv6Addr::from_bits(address))
        });
        (prop::option::of(v4), prop::option::of(v6)).prop_filter_map("no server", |(v4, v6)| {
            let v4 = v4.map(|text| ServerAddress::parse_v4(&text).unwrap());
            let v6 = v6.map(|text| ServerAddress::parse_v6(&text).unwrap());
            ApplicationServer::new(v4, v6).ok()
        })
    }

    prop_compose! {
        fn orders()(
            session: [u8; 16],
            device: [u8; 16],
            name in "(stadium|[a-z]{1,9})[0-9]?@testcsp\\.net",
            profile in "[a-zA-Z0-9_.-]{3,20}",
            server in servers(),
            device_ports in ports(),
            server_ports in ports(),
        ) -> Order {
            let session = SessionId::from_bytes(session);
            let name = NetworkAccessIdentifier::parse(&name).unwrap();
            let asked = Asked {
                named_by: NamedBy::default(),
                device: Device::new(Some(name), None, None, None).unwrap(),
                server,
                device_ports,
                server_ports,
                profile: ProfileName::parse(&profile).unwrap(),
                sink: None,
            };
            let precedence = Precedence::new(&asked.flow(), Timestamp::UNIX_EPOCH, session);
            Order { session, device: DeviceKey(device), asked: Arc::new(asked), precedence }
        }
    }

    proptest! {
        #[test]
        fn the_line_of_a_grant_is_that_of_its_rule_and_is_read_as_it(order in orders()) {
            let rule = Rule::of(&order);
            let mut text = Vec::new();
            let (device, cell) = (order.device, CellName::of(&order));
            let granted = Granted { session: order.session, device, cell, asked: &order.asked };
            write_granted(&mut text, &granted).unwrap();
            let mut formal = Vec::new();
            write(&mut formal, &Line::Install(&rule)).unwrap();
            prop_assert_eq!(String::from_utf8(text.clone()), String::from_utf8(formal));

            let formally: Line<RuleText<'_>> = serde_json::from_slice(&text).unwrap();
            prop_assert_eq!(own(std::str::from_utf8(&text).unwrap()).unwrap(), formally);
            let Line::Install(read) = read(&text).unwrap() else {
                return Err(TestCaseError::fail("no install"));
            };
            prop_assert!(matches!(read.flow, Cow::Borrowed(_)), "something was copied");
            prop_assert_eq!(Rule::from(read), rule);
            prop_assert_eq!(subject(&text).unwrap(), Line::Install(order.session));

            text.clear();
            write_release(&mut text, order.session);
            let mut formal = Vec::new();
            write(&mut formal, &Line::<Rule>::Release(order.session)).unwrap();
            prop_assert_eq!(text, formal);
        }

        #[test]
        fn a_spoilt_line_means_what_json_says_or_nothing(
            order in orders(), kind in 0..3u8, at: prop::sample::Index, byte in r#"[ -~\n\u{1}é]"#,
        ) {
            let rule = Rule::of(&order);
            let line = match kind {
                0 => Line::Install(&rule),
                1 => Line::Foreign(&rule),
                _ => Line::Release(order.session),
            };
            let mut text = Vec::new();
            write(&mut text, &line).unwrap();
            let mut text = String::from_utf8(text).unwrap();
            prop_assert!(own(&text).is_some());
            let at = at.index(text.len());
            text.replace_range(at..=at, &byte);
            if let Some(line) = own(&text) {
                prop_assert_eq!(serde_json::from_str::<Line<RuleText<'_>>>(&text).unwrap(), line);
            }
        }

        #[test]
        fn the_traffic_of_a_rule_is_the_flow_that_was_asked_for(order in orders()) {
            let flow = order.asked.flow();
            let networks: Vec<String> = flow.networks.iter().map(ToString::to_string).collect();
            let (device, server) = (flow.device_ports, flow.server_ports);
            let told = format!("{} device:{device} server:{server}", networks.join(","));
            prop_assert_eq!(Rule::of(&order).flow, told);
        }
    }

    #[test]
    fn a_line_in_another_hand_is_read_too() {
        let id = "00000000-0000-4000-8000-000000000001";
        let session = SessionId::parse(id).unwrap();
        let spaced = format!(" {{ \"release\" : \"{id}\" }}\n");
        assert_eq!(subject(spaced.as_bytes()).unwrap(), Line::Release(session));
        let turned = format!(
            r#"{{"foreign":{{"flow":"a\u0062c","profile":"QOS_\u004c","session":"{id}",
            "cell":{{"city":7}},"device":"00"}}}}"#
        );
        assert_eq!(subject(turned.as_bytes()).unwrap(), Line::Foreign(session));
        let read: Line<RuleText<'_>> = serde_json::from_str(&turned).unwrap();
        let Line::Foreign(read) = read else { unreachable!() };
        let rule = Rule::from(read);
        assert_eq!((rule.flow.as_str(), rule.profile.as_str()), ("abc", "QOS_L"));
        assert!(subject(b"{\"install\":{\"session\":\"nobody\"}}\n").is_err());
    }
}
