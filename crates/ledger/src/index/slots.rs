//! Places of a fixed size for sessions. There may be very many, so they are had in pieces: growing
//! moves nothing, and whoever goes through all of them can do so a part at a time.

use std::ops::{Index, IndexMut};

use super::{Entry, NONE};

/// How many slots a piece has.
const PIECE: usize = 1 << 14;

/// The row of an entry in a slot that is free. No row has this key.
const FREE: i64 = i64::MIN;

/// Slots are linked by number: a link takes 4 bytes where a list for each device would take 24.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) entry: Entry,
    /// The next one that is free, if this one is.
    pub(super) next_of_device: u32,
    pub(super) before_of_application: u32,
    pub(super) next_of_application: u32,
}

#[derive(Debug)]
pub(super) struct Slots {
    pieces: Vec<Vec<Slot>>,
    first_free: u32,
}

impl Default for Slots {
    fn default() -> Self {
        Self { pieces: Vec::new(), first_free: NONE }
    }
}

impl Slots {
    /// Puts an entry that is linked to nothing into a slot.
    pub(super) fn take(&mut self, entry: Entry) -> u32 {
        let (next_of_device, next_of_application) = (NONE, NONE);
        let slot = Slot { entry, next_of_device, before_of_application: NONE, next_of_application };
        let number = self.first_free;
        if number != NONE {
            self.first_free = self[number].next_of_device;
            self[number] = slot;
            return number;
        }
        if self.pieces.last().is_none_or(|piece| piece.len() == PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let before = (self.pieces.len() - 1) * PIECE;
        let piece = &mut self.pieces[before / PIECE];
        piece.push(slot);
        (before + piece.len() - 1) as u32
    }

    pub(super) fn free(&mut self, number: u32) {
        let next_of_device = self.first_free;
        let slot = &mut self[number];
        slot.entry.row = FREE;
        slot.next_of_device = next_of_device;
        self.first_free = number;
    }

    /// The slot of this number, unless it is free or was never taken.
    pub(super) fn get(&self, number: u32) -> Option<&Slot> {
        let slot = self.pieces.get(number as usize / PIECE)?.get(number as usize % PIECE)?;
        (slot.entry.row != FREE).then_some(slot)
    }

    /// The numbers of all slots that were ever taken, in parts.
    pub(super) fn parts(&self) -> usize {
        self.pieces.len()
    }

    /// The entries of one part, in no order.
    pub(super) fn part(&self, part: usize) -> impl Iterator<Item = &Entry> {
        let piece = self.pieces.get(part).map(Vec::as_slice).unwrap_or_default();
        piece.iter().map(|slot| &slot.entry).filter(|entry| entry.row != FREE)
    }
}

impl Index<u32> for Slots {
    type Output = Slot;

    fn index(&self, number: u32) -> &Slot {
        &self.pieces[number as usize / PIECE][number as usize % PIECE]
    }
}

impl IndexMut<u32> for Slots {
    fn index_mut(&mut self, number: u32) -> &mut Slot {
        &mut self.pieces[number as usize / PIECE][number as usize % PIECE]
    }
}
