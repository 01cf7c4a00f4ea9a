//! The sessions that are installed: millions of them, in little memory.
//!
//! They lie in shards by their buckets, so that a part of them can be listed without the rest being
//! held up. The shards differ in width: tables grow by doubling, and these do so one after the
//! other as sessions come, never all at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use greenwave_core::{Bucket, Buckets, SessionId};
use hashbrown::HashMap;

use super::cell::{CellName, Share};
use super::guarantee::GuaranteeNumber;
use crate::Installed;

/// How many buckets the shards of a group have, spread between a width and its double.
const WIDTHS: [usize; 8] = [11, 12, 13, 15, 17, 18, 20, 22];

/// How many buckets a group of shards has.
const GROUP: usize = 128;

/// Which shard of its group a bucket belongs to.
const PLACES: [u8; GROUP] = places();

/// How many shards there are.
const SHARDS: usize = Bucket::COUNT as usize / GROUP * WIDTHS.len();

const fn places() -> [u8; GROUP] {
    let mut places = [0; GROUP];
    let (mut bucket, mut shard) = (0, 0);
    while shard < WIDTHS.len() {
        let end = bucket + WIDTHS[shard];
        while bucket < end {
            places[bucket] = shard as u8;
            bucket += 1;
        }
        shard += 1;
    }
    assert!(bucket == GROUP, "the widths make up a group");
    places
}

/// A table with fewer places than this is not made smaller.
const SMALL: usize = 64;

/// The sessions that the network has rules for, each with its share of its cell.
pub(super) struct InstalledSessions {
    shards: Box<[Mutex<Shard>]>,
}

type Shard = HashMap<SessionId, Packed>;

/// A share in four bytes, which stand at any address: the city cell's number (16 bits), whether it
/// is the stadium instead (1), the number of the guarantee (14), and whether the rule has been
/// copied to the new file already (1).
#[derive(Clone, Copy)]
struct Packed([u8; 4]);

const STADIUM: u32 = 1 << 16;
const GUARANTEE_SHIFT: u32 = 17;
const COPIED: u32 = 1 << 31;
const _: () = assert!(GuaranteeNumber::COUNT << GUARANTEE_SHIFT == COPIED as usize);

impl Packed {
    fn new(share: Share) -> Self {
        let cell = match share.cell {
            CellName::City(number) => u32::from(number),
            CellName::Stadium => STADIUM,
        };
        Self((cell | u32::from(share.guarantee.get()) << GUARANTEE_SHIFT).to_ne_bytes())
    }

    fn bits(self) -> u32 {
        u32::from_ne_bytes(self.0)
    }

    fn share(self) -> Share {
        let bits = self.bits();
        // What is cut off lies in the bits above.
        let cell = match bits & STADIUM {
            0 => CellName::City(bits as u16),
            _ => CellName::Stadium,
        };
        let guarantee = GuaranteeNumber::new(((bits & !COPIED) >> GUARANTEE_SHIFT) as u16);
        Share { cell, guarantee }
    }
}

impl InstalledSessions {
    pub(super) fn new() -> Self {
        Self { shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect() }
    }

    pub(super) fn contains(&self, session: SessionId) -> bool {
        self.shard(session).contains_key(&session)
    }

    pub(super) fn share(&self, session: SessionId) -> Option<Share> {
        self.shard(session).get(&session).map(|packed| packed.share())
    }

    /// Puts a session in, and tells what it had before.
    pub(super) fn insert(&self, session: SessionId, share: Share) -> Option<Share> {
        self.shard(session).insert(session, Packed::new(share)).map(Packed::share)
    }

    pub(super) fn remove(&self, session: SessionId) -> Option<Share> {
        let shard = &mut *self.shard(session);
        let removed = shard.remove(&session)?;
        if shard.capacity() > SMALL && shard.len() < shard.capacity() / 4 {
            shard.shrink_to(shard.len() * 2);
        }
        Some(removed.share())
    }

    pub(super) fn clear(&self) {
        for shard in &self.shards {
            *locked(shard) = Shard::new();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| locked(shard).len()).sum()
    }

    /// Those of some buckets. Only the shards that have some of these are locked, one at a time.
    pub(super) fn list(&self, of: Buckets) -> Vec<Installed> {
        let shards = &self.shards[index(of.first())..=index(of.last())];
        let mut listed = Vec::with_capacity(shards.iter().map(|shard| locked(shard).len()).sum());
        for shard in shards {
            let shard = locked(shard);
            let sessions = shard.keys().filter(|&&session| of.contains_session(session));
            listed.extend(sessions.map(|&session| Installed { session }));
        }
        listed
    }

    /// Whether the session is installed and this has not been asked since the last
    /// [`Self::forget_copied`].
    pub(super) fn copies_now(&self, session: SessionId) -> bool {
        let shard = &mut *self.shard(session);
        let Some(packed) = shard.get_mut(&session) else { return false };
        let before = packed.bits();
        packed.0 = (before | COPIED).to_ne_bytes();
        before & COPIED == 0
    }

    pub(super) fn forget_copied(&self) {
        for shard in &self.shards {
            for packed in locked(shard).values_mut() {
                packed.0 = (packed.bits() & !COPIED).to_ne_bytes();
            }
        }
    }

    fn shard(&self, session: SessionId) -> MutexGuard<'_, Shard> {
        locked(&self.shards[index(session.bucket())])
    }
}

fn index(bucket: Bucket) -> usize {
    let number = usize::from(bucket.number());
    number / GROUP * WIDTHS.len() + usize::from(PLACES[number % GROUP])
}

fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u64) -> SessionId {
        let mut random = fastrand::Rng::with_seed(number);
        SessionId::from_bytes(random.u128(..).to_be_bytes())
    }

    fn share(number: u16) -> Share {
        Share { cell: CellName::City(number), guarantee: GuaranteeNumber::new(0) }
    }

    #[test]
    fn a_share_comes_out_as_it_was_put_in() {
        let installed = InstalledSessions::new();
        for cell in [CellName::City(0), CellName::City(u16::MAX), CellName::Stadium] {
            for guarantee in [0, 1, GuaranteeNumber::COUNT as u16 - 1] {
                let share = Share { cell, guarantee: GuaranteeNumber::new(guarantee) };
                installed.insert(session(1), share);
                assert!(installed.copies_now(session(1)));
                assert_eq!(installed.share(session(1)), Some(share));
                assert_eq!(installed.remove(session(1)), Some(share));
            }
        }
    }

    #[test]
    fn a_session_is_copied_once() {
        let installed = InstalledSessions::new();
        installed.insert(session(1), share(7));
        for _ in 0..2 {
            assert!(installed.copies_now(session(1)));
            assert!(!installed.copies_now(session(1)) && !installed.copies_now(session(2)));
            installed.forget_copied();
        }
    }

    #[test]
    fn a_part_takes_no_lock_of_another() {
        let installed = InstalledSessions::new();
        let far = Buckets::parts(32).last().unwrap();
        let held = locked(&installed.shards[index(far.first())]);
        for near in Buckets::parts(32).take(31) {
            assert!(installed.list(near).is_empty());
        }
        drop(held);
    }

    /// What all tables take.
    fn allocated(installed: &InstalledSessions) -> usize {
        let shards = installed.shards.iter();
        shards.map(|shard| size_of_val(shard) + locked(shard).allocation_size()).sum()
    }

    #[test]
    fn a_session_takes_little_at_any_size_and_gives_it_back() {
        let installed = InstalledSessions::new();
        let most = 400_000;
        let little = |count: u64| {
            let each = allocated(&installed) as f64 / count as f64;
            assert!(each <= 45.0, "{each} bytes for each of {count}");
        };
        for number in 0..most {
            installed.insert(session(number), share(1));
            if number >= 20_000 && number % 5_000 == 0 {
                little(number);
            }
        }
        // Old ones go and new ones come: what is freed is used again.
        for number in 0..most {
            installed.remove(session(number));
            installed.insert(session(most + number), share(1));
        }
        little(most);
        for number in 0..most {
            installed.remove(session(most + number));
        }
        assert!(allocated(&installed) < 1_000_000 && installed.len() == 0);
    }
}
