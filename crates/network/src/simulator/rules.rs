//! The rules of the simulated network, in a file that survives the gateway.
//!
//! One line of JSON for each rule that is installed or released. Nothing is synced: the file has to
//! outlive the process, as a real network would, not a power cut.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use greenwave_core::{Flow, Order, SessionId};
use greenwave_crashpoint::{Point, reached};
use serde::{Deserialize, Serialize};

use super::cell::CellName;

/// The file is written anew when it has more lines than this that mean nothing any more, and they
/// are more than half of it.
const STALE_LINES: usize = 100_000;

/// What the network does for one session: which traffic of a device goes first, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The session that it is for.
    #[serde(with = "session_id")]
    pub session: SessionId,
    /// The device's key.
    device: String,
    /// The device's cell.
    pub cell: CellName,
    /// The profile's name.
    pub profile: String,
    /// Networks and ports of the flow: `203.0.113.5/32 device:0-65535 server:80-443`.
    pub flow: String,
}

impl Rule {
    /// The rule that an order asks for.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        Self {
            session: order.session,
            device: hex(&order.device.0),
            cell: CellName::of(order),
            profile: order.asked.profile.as_str().to_owned(),
            flow: describe(&order.asked.flow()),
        }
    }

    /// A rule that no order has asked for: some traffic of some device in the cell `city-0`.
    pub(super) fn planted(session: SessionId) -> Self {
        Self {
            session,
            device: "00".repeat(16),
            cell: CellName::City(0),
            profile: "QOS_L".to_owned(),
            flow: "203.0.113.5/32 device:0-65535 server:0-65535".to_owned(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn describe(flow: &Flow) -> String {
    let mut text = String::with_capacity(64);
    for (at, network) in flow.networks.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{network}");
    }
    let _ = write!(text, " device:{} server:{}", flow.device_ports, flow.server_ports);
    text
}

/// Whose a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The gateway's: it carries our tag.
    Gateway,
    /// Somebody else's, whom the network serves too. The gateway is neither told of it nor able to
    /// change it.
    Other,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<R> {
    Install(R),
    Release(#[serde(with = "session_id")] SessionId),
    /// A rule that is not the gateway's.
    Foreign(R),
}

/// The gateway's rules that a file has, for whoever wants to look at the network from outside.
///
/// A last line that was not written to its end counts for nothing.
pub fn read(path: &Path) -> io::Result<Vec<Rule>> {
    Ok(Contents::read(path)?.rules.into_values().collect())
}

/// All rules that a file has, the gateway's first, each owner's in the order of their sessions.
pub(super) fn read_all(path: &Path) -> io::Result<Vec<(Owner, Rule)>> {
    let Contents { rules, foreign, .. } = Contents::read(path)?;
    let sorted = |rules: HashMap<SessionId, Rule>| {
        let mut rules: Vec<Rule> = rules.into_values().collect();
        rules.sort_unstable_by_key(|rule| rule.session);
        rules
    };
    let ours = sorted(rules).into_iter().map(|rule| (Owner::Gateway, rule));
    Ok(ours.chain(sorted(foreign).into_iter().map(|rule| (Owner::Other, rule))).collect())
}

/// The file, open for appending.
#[derive(Debug)]
pub(super) struct RulesFile {
    path: PathBuf,
    file: File,
    /// Where its last whole line ends.
    end: u64,
    lines: usize,
    rules: usize,
}

impl RulesFile {
    /// Opens the file and tells the gateway's rules that it has.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Vec<Rule>)> {
        let contents = Contents::read(path)?;
        let file = private().truncate(false).open(path)?;
        let mut opened = Self {
            path: path.to_owned(),
            file,
            end: contents.whole_lines_end,
            lines: contents.lines,
            rules: contents.rules.len() + contents.foreign.len(),
        };
        opened.cut()?;
        reached(Point::NetworkOpened);
        opened.tidy()?;
        Ok((opened, contents.rules.into_values().collect()))
    }

    /// How many rules it has, whose ever they are.
    pub(super) fn rules(&self) -> usize {
        self.rules
    }

    /// Appends rules. They are in the file when this returns, or none of them if it fails.
    pub(super) fn install<'a>(&mut self, rules: impl Iterator<Item = &'a Rule>) -> io::Result<()> {
        let lines: Vec<_> = rules.map(Line::Install).collect();
        self.append(&lines)?;
        self.rules += lines.len();
        Ok(())
    }

    /// Appends a rule that is not the gateway's.
    pub(super) fn install_foreign(&mut self, rule: &Rule) -> io::Result<()> {
        self.append(&[Line::Foreign(rule)])?;
        self.rules += 1;
        Ok(())
    }

    /// Takes all rules away, whose ever they are.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let before = std::mem::replace(&mut self.end, 0);
        self.cut().inspect_err(|_| self.end = before)?;
        (self.lines, self.rules) = (0, 0);
        Ok(())
    }

    /// Takes a rule away. It is gone from the file when this returns.
    pub(super) fn release(&mut self, session: SessionId) -> io::Result<()> {
        self.append(&[Line::<&Rule>::Release(session)])?;
        self.rules = self.rules.saturating_sub(1);
        if let Err(error) = self.tidy() {
            tracing::warn!(%error, "the simulated network's file of rules stays long");
        }
        Ok(())
    }

    fn append<R: Serialize>(&mut self, lines: &[Line<R>]) -> io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            write_line(&mut text, line)?;
        }
        if let Err(error) = self.file.write_all(&text) {
            // Half a line would spoil the one behind it.
            self.cut()?;
            return Err(error);
        }
        reached(Point::NetworkLineWritten);
        self.end += text.len() as u64;
        self.lines += lines.len();
        Ok(())
    }

    /// Takes away what is behind the last whole line, and goes on there.
    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        Ok(())
    }

    /// Writes the file anew, without what has been released, once that is worth it.
    fn tidy(&mut self) -> io::Result<()> {
        let stale = self.lines.saturating_sub(self.rules);
        if stale < STALE_LINES || stale < self.rules {
            return Ok(());
        }
        reached(Point::NetworkBeforeTidy);
        let Contents { rules, foreign, .. } = Contents::read(&self.path)?;
        let new = self.path.with_extension("new");
        let mut file = BufWriter::new(private().truncate(true).open(&new)?);
        for rule in rules.values() {
            write_line(&mut file, &Line::Install(rule))?;
        }
        for rule in foreign.values() {
            write_line(&mut file, &Line::Foreign(rule))?;
        }
        let mut file = file.into_inner()?;
        reached(Point::NetworkTidied);
        std::fs::rename(&new, &self.path)?;
        reached(Point::NetworkFileReplaced);
        let kept = rules.len() + foreign.len();
        let end = file.stream_position()?;
        (self.file, self.end, self.lines, self.rules) = (file, end, kept, kept);
        Ok(())
    }
}

/// Rules tell of devices, so they are their owner's alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

fn write_line<R: Serialize>(file: &mut impl Write, line: &Line<R>) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

#[derive(Default)]
struct Contents {
    rules: HashMap<SessionId, Rule>,
    foreign: HashMap<SessionId, Rule>,
    lines: usize,
    /// Where the last whole line ends.
    whole_lines_end: u64,
}

impl Contents {
    fn read(path: &Path) -> io::Result<Self> {
        let mut contents = Self::default();
        let mut file = match File::open(path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(contents),
            Err(error) => return Err(error),
        };
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = file.read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                return Ok(contents);
            }
            match serde_json::from_slice(&line)? {
                Line::Install(rule) => {
                    let rule: Rule = rule;
                    contents.rules.insert(rule.session, rule);
                }
                Line::Release(session) => {
                    contents.rules.remove(&session);
                }
                Line::Foreign(rule) => {
                    contents.foreign.insert(rule.session, rule);
                }
            }
            contents.lines += 1;
            contents.whole_lines_end += length as u64;
        }
    }
}

mod session_id {
    use greenwave_core::SessionId;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &SessionId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SessionId, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        SessionId::parse(&text).ok_or_else(|| D::Error::custom("not a session id"))
    }
}

#[cfg(test)]
mod tests {
    use greenwave_core::DeviceKey;

    use super::*;

    fn rule(number: u32) -> Rule {
        let mut random = [0; 16];
        random[12..].copy_from_slice(&number.to_be_bytes());
        Rule {
            session: SessionId::new(random, DeviceKey([1; 16]).bucket()),
            device: "00".repeat(16),
            cell: CellName::City(9),
            profile: "QOS_L".to_owned(),
            flow: "203.0.113.5/32 device:0-65535 server:0-65535".to_owned(),
        }
    }

    fn open(directory: &tempfile::TempDir) -> (RulesFile, Vec<Rule>) {
        RulesFile::open(&directory.path().join("rules.jsonl")).unwrap()
    }

    #[test]
    fn rules_survive() {
        let directory = tempfile::tempdir().unwrap();
        let (mut file, none) = open(&directory);
        assert!(none.is_empty());
        file.install([rule(1), rule(2)].iter()).unwrap();
        file.release(rule(1).session).unwrap();
        // Not closed: a killed process closes nothing.
        assert_eq!(read(&directory.path().join("rules.jsonl")).unwrap(), [rule(2)]);
        assert_eq!(open(&directory).1, [rule(2)]);
    }

    #[test]
    fn a_line_that_was_not_finished_counts_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.jsonl");
        open(&directory).0.install([rule(1), rule(2)].iter()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let (mut file, rules) = open(&directory);
        assert_eq!(rules, [rule(1)]);
        file.install([rule(3)].iter()).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
    }

    #[test]
    fn what_is_not_the_gateways_is_kept_apart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.jsonl");
        let (mut file, _) = open(&directory);
        file.install_foreign(&rule(1)).unwrap();
        file.install([rule(1)].iter()).unwrap();
        file.release(rule(1).session).unwrap();
        assert!(open(&directory).1.is_empty());
        assert_eq!(read_all(&path).unwrap(), [(Owner::Other, rule(1))]);
    }

    #[test]
    fn a_file_that_was_cleared_is_written_from_its_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.jsonl");
        let (mut file, _) = open(&directory);
        file.install([rule(1), rule(2)].iter()).unwrap();
        file.install_foreign(&rule(3)).unwrap();
        file.clear().unwrap();
        assert!(read_all(&path).unwrap().is_empty());
        file.install([rule(4)].iter()).unwrap();
        assert_eq!(read_all(&path).unwrap(), [(Owner::Gateway, rule(4))]);
    }

    #[test]
    fn what_could_not_be_written_is_not_there_later() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.jsonl");
        let (mut file, _) = open(&directory);
        file.install([rule(1)].iter()).unwrap();
        let whole = std::mem::replace(&mut file.file, File::open(&path).unwrap());
        assert!(file.install([rule(2)].iter()).is_err(), "it is open for reading only");
        assert!(file.release(rule(1).session).is_err());
        file.file = whole;
        file.install([rule(3)].iter()).unwrap();
        let mut kept: Vec<_> = read(&path).unwrap().iter().map(|rule| rule.session).collect();
        kept.sort_unstable();
        assert_eq!(kept, [rule(1).session, rule(3).session]);
        assert_eq!(file.rules(), 2);
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.jsonl");
        let (mut file, _) = open(&directory);
        file.install([rule(0)].iter()).unwrap();
        file.install_foreign(&rule(0)).unwrap();
        let churn: Vec<Rule> = (1..STALE_LINES as u32).map(rule).collect();
        file.install(churn.iter()).unwrap();
        let full = std::fs::metadata(&path).unwrap().len();
        for rule in &churn {
            file.release(rule.session).unwrap();
        }
        let short = std::fs::metadata(&path).unwrap();
        assert!(short.len() < full);
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&short.permissions()) & 0o777, 0o600);
        file.install([rule(9_999_999)].iter()).unwrap();
        let all = read_all(&path).unwrap();
        let owners: Vec<Owner> = all.iter().map(|(owner, _)| *owner).collect();
        assert_eq!(owners, [Owner::Gateway, Owner::Gateway, Owner::Other]);
    }
}
