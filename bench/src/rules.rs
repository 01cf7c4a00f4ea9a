//! The simulated network's rules, followed from outside: its file is read on as it grows.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The rules that the network has, by the ids of their sessions.
#[derive(Debug)]
pub(crate) struct Rules {
    path: PathBuf,
    file: BufReader<File>,
    /// What there is of a line that is being written.
    line: Vec<u8>,
    installed: HashSet<String>,
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Install(Installed),
    Release(String),
}

#[derive(Deserialize)]
struct Installed {
    session: String,
}

impl Rules {
    /// The rules that a gateway's data directory has now.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let path = data.join("network.jsonl");
        let file = BufReader::new(File::open(&path)?);
        let mut rules = Self { path, file, line: Vec::new(), installed: HashSet::new() };
        rules.look()?;
        Ok(rules)
    }

    /// Reads on, and tells which rules are gone since the last look.
    pub(crate) fn look(&mut self) -> io::Result<Vec<String>> {
        let mut gone = self.read_on()?;
        let (now, then) = (std::fs::metadata(&self.path)?, self.file.get_ref().metadata()?);
        if (now.dev(), now.ino()) != (then.dev(), then.ino()) {
            // The network has written it anew, without what had been released.
            self.file = BufReader::new(File::open(&self.path)?);
            self.line.clear();
            let before = std::mem::take(&mut self.installed);
            self.read_on()?;
            gone.extend(before.into_iter().filter(|session| !self.installed.contains(session)));
        }
        Ok(gone)
    }

    /// How many rules there are.
    pub(crate) fn count(&self) -> usize {
        self.installed.len()
    }

    fn read_on(&mut self) -> io::Result<Vec<String>> {
        let mut gone = Vec::new();
        while self.file.read_until(b'\n', &mut self.line)? > 0 {
            if self.line.last() != Some(&b'\n') {
                break;
            }
            match serde_json::from_slice(&self.line)? {
                Line::Install(rule) => {
                    self.installed.insert(rule.session);
                }
                Line::Release(session) => {
                    self.installed.remove(&session);
                    gone.push(session);
                }
            }
            self.line.clear();
        }
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;

    fn install(session: &str) -> String {
        format!("{{\"install\":{{\"session\":\"{session}\",\"cell\":\"stadium\"}}}}\n")
    }

    #[test]
    fn rules_are_followed_through_half_lines_and_new_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("network.jsonl");
        std::fs::write(&path, install("a") + &install("b") + "{\"rele").unwrap();
        let mut rules = Rules::open(directory.path()).unwrap();
        assert_eq!(rules.count(), 2);

        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"ase\":\"a\"}\n").unwrap();
        assert_eq!(rules.look().unwrap(), ["a"]);

        let new = path.with_extension("new");
        std::fs::write(&new, install("c")).unwrap();
        std::fs::rename(&new, &path).unwrap();
        assert_eq!(rules.look().unwrap(), ["b"]);
        assert_eq!(rules.count(), 1);
        assert!(rules.look().unwrap().is_empty());
    }
}
