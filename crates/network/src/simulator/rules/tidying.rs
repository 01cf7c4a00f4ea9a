//! The file of rules written anew, without what has been released, while the network goes on.
//!
//! The lines that there are at the beginning are gone through from the last to the first, because
//! the last line of a session counts; the lines that come meanwhile are copied behind them as they
//! are. So nothing is held in memory, and the network is held up only while the last few lines are
//! copied. Whatever a session became meanwhile, the lines behind say it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use greenwave_core::SessionId;
use greenwave_crashpoint::{Point, reached};

use super::file::{RulesFile, private};
use super::line::{self, Line};

/// How much is read at a time.
const BLOCK: u64 = 1 << 18;

/// How much may be left to be copied while the network waits.
const LAST: u64 = 1 << 20;

/// A new file on its way.
#[derive(Debug)]
pub(in crate::simulator) struct Tidying {
    old: File,
    new: BufWriter<File>,
    new_path: PathBuf,
    is_in_place: bool,
    /// How far the old file's lines have been attended to, and how long the new file is.
    seen: u64,
    written: u64,
    /// How many lines the old file had at the beginning, and how many of them the new one has.
    lines: usize,
    kept: usize,
    /// Which rules the old file had, by how often all were taken away before.
    clears: u64,
}

/// What has come of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Step {
    /// The old file has gone on meanwhile, to here: there is more to copy.
    Behind(u64),
    /// The new file is in the place of the old one.
    Done,
    /// What the old file had is gone, so the new file is of no use.
    Overtaken,
}

impl Tidying {
    pub(super) fn begin(file: &RulesFile) -> io::Result<Self> {
        let new_path = file.path.with_extension("new");
        Ok(Self {
            old: File::open(&file.path)?,
            new: BufWriter::with_capacity(
                BLOCK as usize,
                private().truncate(true).open(&new_path)?,
            ),
            new_path,
            is_in_place: false,
            seen: file.end,
            written: 0,
            lines: file.lines,
            kept: 0,
            clears: file.clears,
        })
    }

    /// Copies what of the old file counts still: the last line of each session whose rule
    /// `is_installed`, which says so once for each, and of each rule that is not the gateway's.
    pub(in crate::simulator) fn copy_installed(
        &mut self,
        mut is_installed: impl FnMut(SessionId) -> io::Result<bool>,
    ) -> io::Result<()> {
        let mut foreign = HashSet::new();
        let Self { old, new, written, kept, .. } = self;
        backwards(old, self.seen, BLOCK, |line| {
            let counts = match line::subject(line)? {
                Line::Install(session) => is_installed(session)?,
                Line::Foreign(session) => foreign.insert(session),
                Line::Release(_) => false,
            };
            if counts {
                new.write_all(line)?;
                *written += line.len() as u64;
                *kept += 1;
            }
            Ok(())
        })?;
        // A file system may see to it that a file is on the disk before it takes another's place:
        // better now than while the network waits.
        self.new.flush()?;
        self.new.get_ref().sync_data()
    }

    /// Copies the old file's lines up to there, as they are.
    pub(in crate::simulator) fn copy_until(&mut self, end: u64) -> io::Result<()> {
        let mut block = Vec::new();
        while self.seen < end {
            block.resize((end - self.seen).min(BLOCK) as usize, 0);
            self.old.read_exact_at(&mut block, self.seen)?;
            self.new.write_all(&block)?;
            self.seen += block.len() as u64;
            self.written += block.len() as u64;
        }
        Ok(())
    }

    /// Whether all rules were taken away since the beginning.
    pub(in crate::simulator) fn is_overtaken(&self, file: &RulesFile) -> bool {
        file.clears != self.clears
    }

    /// Puts the new file in the place of the old one, if little is left to copy.
    pub(in crate::simulator) fn finish(&mut self, file: &mut RulesFile) -> io::Result<Step> {
        if self.is_overtaken(file) {
            return Ok(Step::Overtaken);
        }
        if file.end - self.seen > LAST {
            return Ok(Step::Behind(file.end));
        }
        self.copy_until(file.end)?;
        self.new.flush()?;
        let new = self.new.get_ref().try_clone()?;
        reached(Point::NetworkTidied);
        std::fs::rename(&self.new_path, &file.path)?;
        self.is_in_place = true;
        reached(Point::NetworkFileReplaced);
        (file.file, file.end) = (new, self.written);
        file.lines = self.kept + (file.lines - self.lines);
        file.is_tidy();
        Ok(Step::Done)
    }
}

impl Drop for Tidying {
    fn drop(&mut self) {
        if !self.is_in_place {
            // It would take room for nothing. The next one is written over it anyway.
            let _ = std::fs::remove_file(&self.new_path);
        }
    }
}

/// Goes through the lines up to `end`, where one ends, from the last to the first, and reads a
/// block at a time.
fn backwards(
    file: &File,
    end: u64,
    block: u64,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    // What has been read and not been gone through, which begins at `begin`.
    let mut text = Vec::new();
    let mut begin = end;
    let mut ends = Vec::new();
    while begin > 0 {
        let length = begin.min(block);
        begin -= length;
        let mut before = vec![0; length as usize];
        file.read_exact_at(&mut before, begin)?;
        before.append(&mut text);
        text = before;

        ends.clear();
        let mut rest = text.as_slice();
        while rest.skip_until(b'\n')? > 0 {
            ends.push(text.len() - rest.len());
        }
        // The first line is whole only if nothing is before it.
        while let [.., from, to] = ends[..] {
            each(&text[from..to])?;
            ends.pop();
        }
        let first = ends.first().copied().unwrap_or(0);
        if begin == 0 {
            each(&text[..first])?;
        }
        text.truncate(first);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::super::{Owner, Rule, read_all};
    use super::*;

    /// What may happen to the file.
    #[derive(Clone, Debug)]
    enum Act {
        /// A session is installed if it is not, and released if it is.
        Turn(u8),
        Foreign(u8),
    }

    fn acts(most: usize) -> impl Strategy<Value = Vec<Act>> {
        let act =
            prop_oneof![9 => (0..8u8).prop_map(Act::Turn), 1 => (0..3u8).prop_map(Act::Foreign)];
        prop::collection::vec(act, 0..most)
    }

    fn session(number: u8) -> SessionId {
        SessionId::from_bytes([number; 16])
    }

    /// A file, and what has to be in it.
    struct World {
        file: RulesFile,
        installed: BTreeMap<SessionId, Rule>,
        copied: BTreeSet<SessionId>,
        foreign: BTreeMap<SessionId, Rule>,
        installs: u32,
    }

    impl World {
        fn act(&mut self, act: &Act) {
            self.installs += 1;
            let rule = |number| {
                let flow = format!("rule {}", self.installs);
                Rule { flow, ..Rule::planted(session(number)) }
            };
            match *act {
                Act::Turn(number) if self.installed.contains_key(&session(number)) => {
                    self.file.release(session(number)).unwrap();
                    self.installed.remove(&session(number));
                    self.copied.remove(&session(number));
                }
                Act::Turn(number) => {
                    let rule = rule(number);
                    self.file.install(&rule).unwrap();
                    self.installed.insert(rule.session, rule);
                }
                Act::Foreign(number) => {
                    let rule = rule(number);
                    self.file.install_foreign(&rule).unwrap();
                    self.foreign.insert(rule.session, rule);
                }
            }
        }

        fn copies_now(&mut self, session: SessionId) -> bool {
            self.installed.contains_key(&session) && self.copied.insert(session)
        }

        fn rules(&self) -> Vec<(Owner, Rule)> {
            let ours = self.installed.values().map(|rule| (Owner::Gateway, rule.clone()));
            ours.chain(self.foreign.values().map(|rule| (Owner::Other, rule.clone()))).collect()
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_comes_back_whatever_happens_meanwhile(
            before in acts(40), meanwhile in acts(12), then in acts(12), after in acts(6),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("rules.jsonl");
            let file = RulesFile::open(&path, |_| {}).unwrap();
            let mut world = World {
                file,
                installed: BTreeMap::new(),
                copied: BTreeSet::new(),
                foreign: BTreeMap::new(),
                installs: 0,
            };
            before.iter().for_each(|act| world.act(act));
            let mut tidying = Tidying::begin(&world.file).unwrap();
            let (shared, mut meanwhile) = (RefCell::new(world), meanwhile.iter());
            tidying.copy_installed(|session| {
                let world = &mut *shared.borrow_mut();
                meanwhile.next().into_iter().for_each(|act| world.act(act));
                Ok(world.copies_now(session))
            }).unwrap();
            let mut world = shared.into_inner();
            tidying.copy_until(world.file.end).unwrap();
            then.iter().for_each(|act| world.act(act));
            prop_assert_eq!(read_all(&path).unwrap(), world.rules());
            prop_assert_eq!(tidying.finish(&mut world.file).unwrap(), Step::Done);
            prop_assert_eq!(read_all(&path).unwrap(), world.rules());
            after.iter().for_each(|act| world.act(act));
            drop(tidying);
            prop_assert_eq!(read_all(&path).unwrap(), world.rules());
            let text = std::fs::read_to_string(&path).unwrap();
            prop_assert_eq!(text.lines().count(), world.file.lines);
            prop_assert_eq!(text.len() as u64, world.file.end);
        }

        #[test]
        fn the_last_line_comes_first_however_much_is_read_at_a_time(
            lines in prop::collection::vec("[a-z]{0,9}\n", 0..20), block in 1..40u64,
        ) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("lines");
            std::fs::write(&path, lines.concat() + "more").unwrap();
            let mut read = Vec::new();
            let end = lines.concat().len() as u64;
            backwards(&File::open(&path).unwrap(), end, block, |line| {
                read.push(String::from_utf8(line.to_vec()).unwrap());
                Ok(())
            }).unwrap();
            read.reverse();
            prop_assert_eq!(read, lines);
        }
    }

    #[test]
    fn a_file_that_was_cleared_meanwhile_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rules.jsonl");
        let mut file = RulesFile::open(&path, |_| {}).unwrap();
        file.install(&Rule::planted(session(1))).unwrap();
        let mut tidying = Tidying::begin(&file).unwrap();
        tidying.copy_installed(|_| Ok(true)).unwrap();
        file.clear().unwrap();
        file.install(&Rule::planted(session(2))).unwrap();
        assert_eq!(tidying.finish(&mut file).unwrap(), Step::Overtaken);
        drop(tidying);
        let left = [(Owner::Gateway, Rule::planted(session(2)))];
        assert_eq!(read_all(&path).unwrap(), left);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
