//! What of each file would be found after a power cut.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use fastrand::Rng;

/// What a disk writes as a whole, or not at all.
const SECTOR_BYTES: u64 = 512;

/// The length of a new index of a write-ahead log.
const SHM_BYTES: usize = 32_768;

/// A file, whatever it is called.
pub(crate) type Inode = u64;

/// The files of one directory: what is on the disk for certain, and what may be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Images {
    contents: BTreeMap<Inode, Content>,
    /// The directory as programs see it.
    seen: BTreeMap<String, Inode>,
    /// The directory as it is on the disk.
    durable: BTreeMap<String, Inode>,
    /// What was done to it since, in this order.
    pending: Vec<(String, Option<Inode>)>,
    databases: BTreeSet<String>,
    next: Inode,
}

#[derive(Clone, Debug, Default)]
struct Content {
    /// Shared with the snapshots.
    durable: Arc<Vec<u8>>,
    pending: Vec<Change>,
    /// The length that programs see.
    length: u64,
    /// How often it is open.
    open: usize,
}

/// What is in a file when it is opened.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) content: Vec<u8>,
    /// Whether somebody else wrote to it since it was last closed.
    pub(crate) by_others: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: u64, bytes: Arc<[u8]> },
    Length(u64),
}

/// What becomes of a change that was not synced.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Kept,
    Dropped,
    Torn,
}

/// How a power cut treats what was not synced.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Each(Fate),
    /// Each change has a fate of its own.
    AnyOrder,
    /// All before this one are there, it is torn, the later ones are not.
    InOrder(usize),
}

impl Images {
    /// A file is opened. What is found in a new one, or was written to a closed one by others, is
    /// taken as being on the disk.
    pub(crate) fn open(&mut self, name: &str, is_database: bool, found: Found) -> Inode {
        if is_database {
            self.databases.insert(name.to_owned());
        }
        let Found { content: found, by_others } = found;
        let seen = self.seen.get(name).copied();
        if let Some((inode, content)) = seen.and_then(|i| Some((i, self.contents.get_mut(&i)?))) {
            if by_others && content.open == 0 {
                content.length = found.len() as u64;
                content.pending.clear();
                content.durable = Arc::new(found);
            }
            content.open += 1;
            return inode;
        }
        let inode = self.next;
        self.next += 1;
        if found.is_empty() {
            self.pending.push((name.to_owned(), Some(inode)));
        } else {
            self.durable.insert(name.to_owned(), inode);
        }
        let length = found.len() as u64;
        let content = Content { durable: Arc::new(found), pending: Vec::new(), length, open: 1 };
        self.contents.insert(inode, content);
        self.seen.insert(name.to_owned(), inode);
        inode
    }

    pub(crate) fn close(&mut self, inode: Inode) {
        if let Some(content) = self.contents.get_mut(&inode) {
            content.open = content.open.saturating_sub(1);
        }
    }

    pub(crate) fn write(&mut self, inode: Inode, at: u64, bytes: &[u8]) {
        let Some(content) = self.contents.get_mut(&inode) else { return };
        content.length = content.length.max(at + bytes.len() as u64);
        content.pending.push(Change::Write { at, bytes: bytes.into() });
    }

    pub(crate) fn set_length(&mut self, inode: Inode, length: u64) {
        let Some(content) = self.contents.get_mut(&inode) else { return };
        content.length = length;
        content.pending.push(Change::Length(length));
    }

    pub(crate) fn length(&self, inode: Inode) -> u64 {
        self.contents.get(&inode).map_or(0, |content| content.length)
    }

    /// How many bytes the files that have a name take.
    pub(crate) fn total_bytes(&self) -> u64 {
        self.seen.values().map(|&inode| self.length(inode)).sum()
    }

    /// A file's name is removed.
    pub(crate) fn remove(&mut self, name: &str) {
        self.seen.remove(name);
        self.pending.push((name.to_owned(), None));
    }

    pub(crate) fn sync(&mut self, inode: Inode) {
        let Some(content) = self.contents.get_mut(&inode) else { return };
        let durable = Arc::make_mut(&mut content.durable);
        for change in content.pending.drain(..) {
            change.apply(durable);
        }
    }

    /// A sync fails. Of what it was for, some is on the disk and some is not; none of it will be
    /// there for the next sync to try again, for the system has given it up.
    pub(crate) fn fail_sync(&mut self, inode: Inode, chance: &mut Rng) {
        let Some(content) = self.contents.get_mut(&inode) else { return };
        let manner = Manner::by(chance, content.pending.len());
        content.survive(manner, chance);
    }

    pub(crate) fn sync_directory(&mut self) {
        for (name, inode) in self.pending.drain(..) {
            enter(&mut self.durable, name, inode);
        }
        let named: BTreeSet<Inode> =
            self.durable.values().chain(self.seen.values()).copied().collect();
        self.contents.retain(|inode, content| content.open > 0 || named.contains(inode));
    }
}

impl Content {
    fn survive(&mut self, manner: Manner, chance: &mut Rng) {
        if self.pending.is_empty() {
            return;
        }
        let durable = Arc::make_mut(&mut self.durable);
        for (number, change) in self.pending.drain(..).enumerate() {
            match manner.fate(number, chance) {
                Fate::Kept => change.apply(durable),
                Fate::Dropped => {}
                Fate::Torn => change.apply_torn(durable, chance),
            }
        }
    }
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => put(image, *at, bytes),
            Self::Length(length) => image.resize(*length as usize, 0),
        }
    }

    fn apply_torn(&self, image: &mut Vec<u8>, chance: &mut Rng) {
        let Self::Write { at, bytes } = self else { return };
        let (mut at, mut rest) = (*at, &**bytes);
        while !rest.is_empty() {
            let in_sector = (SECTOR_BYTES - at % SECTOR_BYTES).min(rest.len() as u64);
            let (piece, later) = rest.split_at(in_sector as usize);
            if chance.bool() {
                put(image, at, piece);
            }
            (at, rest) = (at + in_sector, later);
        }
    }
}

fn put(image: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let (start, end) = (at as usize, at as usize + bytes.len());
    if image.len() < end {
        image.resize(end, 0);
    }
    image[start..end].copy_from_slice(bytes);
}

fn enter(directory: &mut BTreeMap<String, Inode>, name: String, inode: Option<Inode>) {
    match inode {
        Some(inode) => drop(directory.insert(name, inode)),
        None => drop(directory.remove(&name)),
    }
}

impl Manner {
    fn by(chance: &mut Rng, changes: usize) -> Self {
        match chance.u8(0..8) {
            0 => Self::Each(Fate::Dropped),
            1 => Self::Each(Fate::Kept),
            2 => Self::Each(Fate::Torn),
            3..6 => Self::InOrder(chance.usize(0..=changes)),
            _ => Self::AnyOrder,
        }
    }

    fn fate(self, number: usize, chance: &mut Rng) -> Fate {
        match self {
            Self::Each(fate) => fate,
            Self::AnyOrder => {
                *chance.choice(&[Fate::Kept, Fate::Dropped, Fate::Torn]).unwrap_or(&Fate::Torn)
            }
            Self::InOrder(torn) if number < torn => Fate::Kept,
            Self::InOrder(torn) if number == torn => Fate::Torn,
            Self::InOrder(_) => Fate::Dropped,
        }
    }
}

/// The disk at one moment. What is found after a power cut then is one of many things.
#[derive(Clone, Debug)]
pub struct Snapshot(pub(crate) Images);

impl Snapshot {
    /// How many changes of files have not been synced: if there are none, all power cuts are alike.
    pub fn unsynced(&self) -> usize {
        self.0.contents.values().map(|content| content.pending.len()).sum()
    }

    /// Puts into a directory what is found after a power cut. The same seed finds the same.
    pub fn cut(&self, seed: u64, directory: &Path) -> io::Result<()> {
        for (name, content) in self.found(seed) {
            std::fs::write(directory.join(name), content)?;
        }
        Ok(())
    }

    fn found(&self, seed: u64) -> BTreeMap<String, Vec<u8>> {
        let mut chance = Rng::with_seed(seed);
        let mut names = self.0.durable.clone();
        for (name, inode) in &self.0.pending {
            if chance.bool() {
                enter(&mut names, name.clone(), *inode);
            }
        }
        let mut found = BTreeMap::new();
        for (name, inode) in names {
            let Some(content) = self.0.contents.get(&inode) else { continue };
            let mut content = content.clone();
            let manner = Manner::by(&mut chance, content.pending.len());
            content.survive(manner, &mut chance);
            // Never synced, so it can hold anything; whoever comes first makes it anew.
            if self.0.databases.contains(&name) && chance.bool() {
                let noise = std::iter::repeat_with(|| chance.u8(..)).take(SHM_BYTES).collect();
                found.insert(format!("{name}-shm"), noise);
            }
            found.insert(name, Arc::unwrap_or_clone(content.durable));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images() -> (Images, Inode) {
        let mut images = Images::default();
        let inode = images.open("a", false, Found { content: vec![0; 1_024], by_others: false });
        (images, inode)
    }

    /// What is found in the file after each of many cuts.
    fn found(images: &Images) -> BTreeSet<Option<Vec<u8>>> {
        let cut = |seed| Snapshot(images.clone()).found(seed).remove("a");
        (0..300).map(cut).collect()
    }

    fn bytes(parts: &[(u8, usize)]) -> Option<Vec<u8>> {
        Some(parts.iter().flat_map(|&(byte, count)| vec![byte; count]).collect())
    }

    #[test]
    fn what_is_synced_is_there_and_nothing_else_is_certain() {
        let (mut images, inode) = images();
        images.write(inode, 0, &[1; 1_024]);
        images.sync(inode);
        assert_eq!(found(&images), [bytes(&[(1, 1_024)])].into());
        images.write(inode, 256, &[2; 512]);
        let all = [
            bytes(&[(1, 1_024)]),
            bytes(&[(1, 256), (2, 256), (1, 512)]),
            bytes(&[(1, 512), (2, 256), (1, 256)]),
            bytes(&[(1, 256), (2, 512), (1, 256)]),
        ];
        assert_eq!(found(&images), all.into());
    }

    #[test]
    fn writes_reach_the_disk_in_any_order_and_leave_holes() {
        let (mut images, inode) = images();
        images.set_length(inode, 0);
        images.write(inode, 0, &[1; 512]);
        images.write(inode, 512, &[2; 512]);
        let found = found(&images);
        assert!(found.contains(&bytes(&[(0, 512), (2, 512)])), "the later one alone");
        assert!(found.contains(&bytes(&[(1, 512)])), "the earlier one alone");
        assert!(found.contains(&bytes(&[])), "the length alone");
    }

    #[test]
    fn a_name_is_there_once_its_directory_is_synced() {
        let mut images = Images::default();
        let inode = images.open("a", false, Found::default());
        images.write(inode, 0, &[1]);
        images.sync(inode);
        assert_eq!(found(&images), [None, bytes(&[(1, 1)])].into());
        images.sync_directory();
        assert_eq!(found(&images), [bytes(&[(1, 1)])].into());
        images.remove("a");
        assert_eq!(found(&images), [None, bytes(&[(1, 1)])].into());
        images.sync_directory();
        assert_eq!(found(&images), [None].into());
    }

    #[test]
    fn what_a_failed_sync_has_lost_no_other_brings_back() {
        let lost = (0..100).filter(|&seed| {
            let (mut images, inode) = images();
            images.write(inode, 0, &[1; 512]);
            images.fail_sync(inode, &mut Rng::with_seed(seed));
            images.sync(inode);
            let found = found(&images);
            assert_eq!(found.len(), 1, "it is decided");
            found.contains(&bytes(&[(0, 1_024)]))
        });
        assert!((20..80).contains(&lost.count()));
    }
}
