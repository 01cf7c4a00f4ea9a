//! The file of rules, as the network writes it.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use greenwave_core::{Asked, DeviceKey, SessionId};
use greenwave_crashpoint::{Point, reached};

use super::Rule;
use super::line::{self, Extent, Line, RuleText};
use super::tidying::Tidying;
use crate::simulator::cell::CellName;

/// The file is written anew when it has more lines than this that mean nothing any more, and they
/// are more than half of it.
const STALE_LINES: usize = 100_000;

/// How much room for the text of lines is kept from one time to the next.
const TEXT_KEPT: usize = 1 << 20;

/// The file, open for appending.
#[derive(Debug)]
pub(in crate::simulator) struct RulesFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Where its last whole line ends.
    pub(super) end: u64,
    pub(super) lines: usize,
    rules: usize,
    /// Lines on their way to the file.
    text: Vec<u8>,
    /// How often all rules were taken away.
    pub(super) clears: u64,
    /// It is being written anew.
    is_tidied: bool,
    /// How many lines it has to have before that is tried again, after it has failed.
    tidied_from: usize,
}

/// What a line says of a session whose order is carried out.
pub(in crate::simulator) struct Granted<'a> {
    pub(in crate::simulator) session: SessionId,
    pub(in crate::simulator) device: DeviceKey,
    pub(in crate::simulator) cell: CellName,
    pub(in crate::simulator) asked: &'a Asked,
}

impl RulesFile {
    /// Opens the file and tells what each of its lines says. How many rules they amount to is for
    /// whoever has listened to say, with [`Self::has_rules`].
    pub(in crate::simulator) fn open(
        path: &Path,
        said: impl FnMut(Line<RuleText<'_>>),
    ) -> io::Result<Self> {
        let Extent { lines, end } = line::each(path, said)?;
        let mut opened = Self {
            path: path.to_owned(),
            file: private().truncate(false).open(path)?,
            end,
            lines,
            rules: 0,
            text: Vec::new(),
            clears: 0,
            is_tidied: false,
            tidied_from: 0,
        };
        opened.cut()?;
        reached(Point::NetworkOpened);
        Ok(opened)
    }

    /// How many rules it has, whose ever they are.
    pub(in crate::simulator) fn rules(&self) -> usize {
        self.rules
    }

    pub(in crate::simulator) fn has_rules(&mut self, rules: usize) {
        self.rules = rules;
    }

    /// Appends the rules of orders. They are in the file when this returns, or none of them if it
    /// fails.
    pub(in crate::simulator) fn grant<'a>(
        &mut self,
        granted: impl Iterator<Item = Granted<'a>>,
    ) -> io::Result<()> {
        self.append(|text| {
            let mut lines = 0;
            for granted in granted {
                line::write_granted(text, &granted)?;
                lines += 1;
            }
            Ok(lines)
        })
        .map(|lines| self.rules += lines)
    }

    /// Appends a rule that no order has asked for.
    pub(in crate::simulator) fn install(&mut self, rule: &Rule) -> io::Result<()> {
        self.append(|text| line::write(text, &Line::Install(rule)).map(|()| 1))
            .map(|lines| self.rules += lines)
    }

    /// Appends a rule that is not the gateway's.
    pub(in crate::simulator) fn install_foreign(&mut self, rule: &Rule) -> io::Result<()> {
        self.append(|text| line::write(text, &Line::Foreign(rule)).map(|()| 1))
            .map(|lines| self.rules += lines)
    }

    /// Takes all rules away, whose ever they are.
    pub(in crate::simulator) fn clear(&mut self) -> io::Result<()> {
        let before = std::mem::replace(&mut self.end, 0);
        self.cut().inspect_err(|_| self.end = before)?;
        (self.lines, self.rules, self.tidied_from) = (0, 0, 0);
        self.clears += 1;
        Ok(())
    }

    /// Takes a rule away. It is gone from the file when this returns.
    pub(in crate::simulator) fn release(&mut self, session: SessionId) -> io::Result<()> {
        self.append(|text| {
            line::write_release(text, session);
            Ok(1)
        })?;
        self.rules = self.rules.saturating_sub(1);
        Ok(())
    }

    /// Appends so many lines, which `write` makes.
    fn append(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.text.clear();
        let lines = write(&mut self.text)?;
        if let Err(error) = self.file.write_all(&self.text) {
            // Half a line would spoil the one behind it.
            self.cut()?;
            return Err(error);
        }
        reached(Point::NetworkLineWritten);
        self.end += self.text.len() as u64;
        self.lines += lines;
        self.text.shrink_to(TEXT_KEPT);
        Ok(lines)
    }

    /// Takes away what is behind the last whole line, and goes on there.
    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        Ok(())
    }

    /// Begins to write the file anew, if that is worth it and not under way.
    pub(in crate::simulator) fn tidy(&mut self) -> io::Result<Option<Tidying>> {
        let stale = self.lines.saturating_sub(self.rules);
        let is_worth_it = stale >= STALE_LINES && stale >= self.rules;
        if self.is_tidied || !is_worth_it || self.lines < self.tidied_from {
            return Ok(None);
        }
        reached(Point::NetworkBeforeTidy);
        let tidying = Tidying::begin(self).inspect_err(|_| self.puts_off_tidying())?;
        self.is_tidied = true;
        Ok(Some(tidying))
    }

    /// The file is no longer being written anew, because that is done.
    pub(super) fn is_tidy(&mut self) {
        (self.is_tidied, self.tidied_from) = (false, 0);
    }

    /// The file is no longer being written anew, though it should be.
    pub(in crate::simulator) fn puts_off_tidying(&mut self) {
        (self.is_tidied, self.tidied_from) = (false, self.lines + STALE_LINES);
    }
}

/// Rules tell of devices, so they are their owner's alone.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tidying::Step;
    use super::super::{Owner, read, read_all, sessions};
    use super::*;

    fn session(number: u32) -> SessionId {
        let mut bytes = [0; 16];
        bytes[12..].copy_from_slice(&number.to_be_bytes());
        SessionId::from_bytes(bytes)
    }

    fn rule(number: u32) -> Rule {
        Rule::planted(session(number))
    }

    fn path(directory: &tempfile::TempDir) -> PathBuf {
        directory.path().join("rules.jsonl")
    }

    /// The file, and the gateway's sessions that it tells of.
    fn open(directory: &tempfile::TempDir) -> (RulesFile, Vec<SessionId>) {
        let mut installed = BTreeSet::new();
        let file = RulesFile::open(&path(directory), |line| match line {
            Line::Install(rule) => drop(installed.insert(rule.session)),
            Line::Release(session) => drop(installed.remove(&session)),
            Line::Foreign(_) => {}
        });
        (file.unwrap(), installed.into_iter().collect())
    }

    #[test]
    fn rules_survive() {
        let directory = tempfile::tempdir().unwrap();
        let (mut file, none) = open(&directory);
        assert!(none.is_empty());
        file.install(&rule(1)).unwrap();
        file.install(&rule(2)).unwrap();
        file.release(session(1)).unwrap();
        // Not closed: a killed process closes nothing.
        assert_eq!(read(&path(&directory)).unwrap(), [rule(2)]);
        assert_eq!(sessions(&path(&directory)).unwrap(), [session(2)].into());
        assert_eq!(open(&directory).1, [session(2)]);
    }

    #[test]
    fn a_line_that_was_not_finished_counts_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = path(&directory);
        let mut file = open(&directory).0;
        file.install(&rule(1)).unwrap();
        file.install(&rule(2)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let (mut file, rules) = open(&directory);
        assert_eq!(rules, [session(1)]);
        file.install(&rule(3)).unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
    }

    #[test]
    fn what_is_not_the_gateways_is_kept_apart() {
        let directory = tempfile::tempdir().unwrap();
        let (mut file, _) = open(&directory);
        file.install_foreign(&rule(1)).unwrap();
        file.install(&rule(1)).unwrap();
        file.release(session(1)).unwrap();
        assert!(open(&directory).1.is_empty());
        assert!(sessions(&path(&directory)).unwrap().is_empty());
        assert_eq!(read_all(&path(&directory)).unwrap(), [(Owner::Other, rule(1))]);
    }

    #[test]
    fn a_file_that_was_cleared_is_written_from_its_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let path = path(&directory);
        let (mut file, _) = open(&directory);
        file.install(&rule(1)).unwrap();
        file.install_foreign(&rule(3)).unwrap();
        file.clear().unwrap();
        assert!(read_all(&path).unwrap().is_empty());
        file.install(&rule(4)).unwrap();
        assert_eq!(read_all(&path).unwrap(), [(Owner::Gateway, rule(4))]);
    }

    #[test]
    fn what_could_not_be_written_is_not_there_later() {
        let directory = tempfile::tempdir().unwrap();
        let path = path(&directory);
        let (mut file, _) = open(&directory);
        file.install(&rule(1)).unwrap();
        let whole = std::mem::replace(&mut file.file, File::open(&path).unwrap());
        assert!(file.install(&rule(2)).is_err(), "it is open for reading only");
        assert!(file.release(session(1)).is_err());
        file.file = whole;
        file.install(&rule(3)).unwrap();
        assert_eq!(open(&directory).1, [session(1), session(3)]);
        assert_eq!(file.rules(), 2);
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = path(&directory);
        let (mut file, _) = open(&directory);
        file.install(&rule(0)).unwrap();
        file.install_foreign(&rule(0)).unwrap();
        let churn = 1..STALE_LINES as u32;
        for number in churn.clone() {
            file.install(&rule(number)).unwrap();
        }
        let full = std::fs::metadata(&path).unwrap().len();
        let mut tidying = None;
        for number in churn {
            assert!(tidying.is_none(), "too soon");
            file.release(session(number)).unwrap();
            tidying = file.tidy().unwrap();
            if file.lines - file.rules() < STALE_LINES {
                continue;
            }
            let mut tidying = tidying.take().unwrap();
            assert!(file.tidy().unwrap().is_none(), "one is under way");
            let mut seen = BTreeSet::new();
            let is_left = |id| Ok((id == session(0) || id > session(number)) && seen.insert(id));
            tidying.copy_installed(is_left).unwrap();
            assert_eq!(tidying.finish(&mut file).unwrap(), Step::Done);
            assert_eq!(file.lines, file.rules());
        }
        let short = std::fs::metadata(&path).unwrap();
        assert!(short.len() < full);
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&short.permissions()) & 0o777, 0o600);
        file.install(&rule(9_999_999)).unwrap();
        let all = read_all(&path).unwrap();
        let owners: Vec<Owner> = all.iter().map(|(owner, _)| *owner).collect();
        assert_eq!(owners, [Owner::Gateway, Owner::Gateway, Owner::Other]);
    }

    #[test]
    fn what_could_not_be_tidied_is_tried_again_only_when_it_is_longer() {
        let directory = tempfile::tempdir().unwrap();
        let (mut file, _) = open(&directory);
        for number in 0..STALE_LINES as u32 {
            file.release(session(number)).unwrap();
        }
        drop(file.tidy().unwrap().unwrap());
        file.puts_off_tidying();
        assert!(file.tidy().unwrap().is_none());
        for number in 0..STALE_LINES as u32 {
            file.release(session(number)).unwrap();
        }
        assert!(file.tidy().unwrap().is_some());
    }
}
