//! What is due next, among many.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use jiff::Timestamp;

/// The next deadline of each of many things, each with one deadline at most.
///
/// It does no waiting: the shell sleeps until [`Deadlines::next`] and then takes what is due.
/// Both together stay small because the shell only keeps what is due within its horizon.
#[derive(Clone, Debug)]
pub struct Deadlines<K> {
    by_time: BTreeSet<(Timestamp, K)>,
    by_key: HashMap<K, Timestamp>,
}

impl<K: Ord + Hash + Copy> Deadlines<K> {
    /// No deadlines.
    #[must_use]
    pub fn new() -> Self {
        Self { by_time: BTreeSet::new(), by_key: HashMap::new() }
    }

    /// Sets the deadline of `key`, in place of any that it had.
    pub fn set(&mut self, key: K, at: Timestamp) {
        if let Some(before) = self.by_key.insert(key, at) {
            self.by_time.remove(&(before, key));
        }
        self.by_time.insert((at, key));
    }

    /// Sets the deadline of `key`, unless it has one.
    pub fn set_if_absent(&mut self, key: K, at: Timestamp) {
        if !self.by_key.contains_key(&key) {
            self.set(key, at);
        }
    }

    /// Forgets the deadline of `key`, if it has one.
    pub fn cancel(&mut self, key: K) {
        if let Some(before) = self.by_key.remove(&key) {
            self.by_time.remove(&(before, key));
        }
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|&(at, _)| at)
    }

    /// Takes out at most `limit` of those that are due at `now`, the earliest first.
    pub fn pop_due(&mut self, now: Timestamp, limit: usize) -> Vec<K> {
        let mut due = Vec::new();
        while due.len() < limit {
            let Some(&(at, key)) = self.by_time.first().filter(|(at, _)| *at <= now) else { break };
            self.by_time.remove(&(at, key));
            self.by_key.remove(&key);
            due.push(key);
        }
        due
    }

    /// Whether a deadline is set for `key`.
    #[must_use]
    pub fn contains(&self, key: K) -> bool {
        self.by_key.contains_key(&key)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

impl<K: Ord + Hash + Copy> Default for Deadlines<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Set(u8, i64),
        SetIfAbsent(u8, i64),
        Cancel(u8),
        Pop(i64, usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0..20u8, 0..50i64).prop_map(|(key, at)| Step::Set(key, at)),
            1 => (0..20u8, 0..50i64).prop_map(|(key, at)| Step::SetIfAbsent(key, at)),
            1 => (0..20u8).prop_map(Step::Cancel),
            1 => (0..50i64, 0..6usize).prop_map(|(now, limit)| Step::Pop(now, limit)),
        ];
        prop::collection::vec(step, 0..80)
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    proptest! {
        #[test]
        fn agrees_with_a_list_that_is_searched(steps in steps()) {
            let mut deadlines = Deadlines::new();
            let mut model: Vec<(i64, u8)> = Vec::new();
            for step in steps {
                match step {
                    Step::Set(key, millis) => {
                        deadlines.set(key, at(millis));
                        model.retain(|&(_, other)| other != key);
                        model.push((millis, key));
                    }
                    Step::SetIfAbsent(key, millis) => {
                        deadlines.set_if_absent(key, at(millis));
                        if !model.iter().any(|&(_, other)| other == key) {
                            model.push((millis, key));
                        }
                    }
                    Step::Cancel(key) => {
                        deadlines.cancel(key);
                        model.retain(|&(_, other)| other != key);
                    }
                    Step::Pop(now, limit) => {
                        model.sort_unstable();
                        let due = model.iter().take_while(|&&(millis, _)| millis <= now).count();
                        let expected: Vec<u8> =
                            model.drain(..due.min(limit)).map(|(_, key)| key).collect();
                        prop_assert_eq!(deadlines.pop_due(at(now), limit), expected);
                    }
                }
                prop_assert_eq!(deadlines.len(), model.len());
                prop_assert_eq!(deadlines.is_empty(), model.is_empty());
                let earliest = model.iter().min().map(|&(millis, _)| at(millis));
                prop_assert_eq!(deadlines.next(), earliest);
            }
        }
    }
}
