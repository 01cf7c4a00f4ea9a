//! Hash tables of slot numbers, one for each part of the buckets: a table that grows moves all that
//! is in it, and this is never more than a small part of everything.

use greenwave_core::{Bucket, Buckets};
use hashbrown::HashTable;

/// How many tables there are.
const TABLES: u16 = 256;

#[derive(Debug)]
pub(super) struct Numbers(Box<[HashTable<u32>]>);

impl Default for Numbers {
    fn default() -> Self {
        Self((0..TABLES).map(|_| HashTable::new()).collect())
    }
}

impl Numbers {
    /// The table that a bucket is in.
    pub(super) fn of(&self, bucket: Bucket) -> &HashTable<u32> {
        &self.0[table_of(bucket)]
    }

    pub(super) fn of_mut(&mut self, bucket: Bucket) -> &mut HashTable<u32> {
        &mut self.0[table_of(bucket)]
    }

    /// The tables that buckets are in. There may be others in them too.
    pub(super) fn tables_of(buckets: Buckets) -> std::ops::RangeInclusive<usize> {
        table_of(buckets.first())..=table_of(buckets.last())
    }

    /// What is in one of the tables, in no order.
    pub(super) fn in_table(&self, table: usize) -> impl Iterator<Item = u32> {
        self.0.get(table).into_iter().flatten().copied()
    }
}

fn table_of(bucket: Bucket) -> usize {
    usize::from(bucket.number() / (Bucket::COUNT / TABLES))
}

/// Ids and device keys are random or keyed hashes, so eight of their bytes are a good hash. The
/// last eight, because the first ones tell the bucket.
pub(super) fn hash(bytes: &[u8; 16]) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = *bytes;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
