//! Which replies are kept, and in which rows: of each application, by key and in the order in which
//! they were given.

use std::collections::{HashMap, VecDeque};

use greenwave_core::ApplicationId;
use jiff::Timestamp;

use crate::once::kept_since;
use crate::{IdempotencyKey, Once};

/// The replies of all applications.
#[derive(Debug, Default)]
pub(crate) struct Replies(HashMap<ApplicationId, OfApplication>);

#[derive(Debug, Default)]
struct OfApplication {
    by_key: HashMap<IdempotencyKey, Place>,
    /// The oldest first. A key that was used again once its reply was kept no more is here twice.
    in_order: VecDeque<(i64, IdempotencyKey)>,
}

/// Where a reply is.
#[derive(Clone, Copy, Debug)]
struct Place {
    row: i64,
    given_ms: i64,
}

impl Replies {
    /// The row of a reply that is kept, even if it was not erased when it might have been.
    pub(crate) fn row(
        &self,
        application: ApplicationId,
        key: IdempotencyKey,
        now: Timestamp,
    ) -> Option<i64> {
        let place = self.0.get(&application)?.by_key.get(&key)?;
        (place.given_ms > kept_since(now).as_millisecond()).then_some(place.row)
    }

    /// Adds a reply, the latest of its application.
    pub(crate) fn put(
        &mut self,
        application: ApplicationId,
        key: IdempotencyKey,
        row: i64,
        given_ms: i64,
    ) {
        let replies = self.0.entry(application).or_default();
        replies.by_key.insert(key, Place { row, given_ms });
        replies.in_order.push_back((row, key));
    }

    /// How many there are of an application.
    fn count(&self, application: ApplicationId) -> usize {
        self.0.get(&application).map_or(0, |replies| replies.in_order.len())
    }

    /// The row of an application's oldest but so many.
    fn oldest_but(&self, application: ApplicationId, passed: usize) -> Option<i64> {
        self.0.get(&application)?.in_order.get(passed).map(|&(row, _)| row)
    }

    /// Forgets an application's oldest ones, up to this row.
    fn forget_to(&mut self, application: ApplicationId, last: i64) {
        if let Some(replies) = self.0.get_mut(&application) {
            while replies.in_order.front().is_some_and(|&(row, _)| row <= last) {
                replies.forget_oldest();
            }
        }
    }

    /// Forgets what was given before this moment, at most so many.
    fn forget_before(&mut self, before_ms: i64, at_most: usize) {
        let mut left = at_most;
        for replies in self.0.values_mut() {
            while left > 0 && replies.oldest_is_before(before_ms) {
                replies.forget_oldest();
                left -= 1;
            }
        }
        self.0.retain(|_, replies| !replies.in_order.is_empty());
    }
}

impl OfApplication {
    fn oldest_is_before(&self, before_ms: i64) -> bool {
        let Some((row, key)) = self.in_order.front() else { return false };
        let place = self.by_key.get(key).filter(|place| place.row == *row);
        place.is_none_or(|place| place.given_ms < before_ms)
    }

    fn forget_oldest(&mut self) {
        let Some((row, key)) = self.in_order.pop_front() else { return };
        if self.by_key.get(&key).is_some_and(|place| place.row == row) {
            self.by_key.remove(&key);
        }
    }
}

/// What the commands of a batch have changed of the replies.
#[derive(Debug, Default)]
pub(crate) struct StagedReplies {
    added: Replies,
    /// How many of an application's oldest have made room, and the row of the last of them.
    forgotten: HashMap<ApplicationId, (usize, i64)>,
    erased: Option<(i64, usize)>,
}

impl StagedReplies {
    /// The row of the reply that is kept for a command.
    pub(crate) fn row(&self, index: &Replies, once: &Once, now: Timestamp) -> Option<i64> {
        let (application, key) = (once.application, once.key);
        self.added.row(application, key, now).or_else(|| {
            let last_gone = self.forgotten.get(&application).map_or(i64::MIN, |&(_, row)| row);
            index.row(application, key, now).filter(|&row| row > last_gone)
        })
    }

    /// Has an application's oldest reply make room if there are as many as there may be, and tells
    /// its row.
    pub(crate) fn make_room(&mut self, index: &Replies, once: &Once) -> Option<i64> {
        let application = once.application;
        let gone = self.forgotten.get(&application).map_or(0, |&(count, _)| count);
        let count = index.count(application) - gone + self.added.count(application);
        if count < once.at_most {
            return None;
        }
        if let Some(row) = index.oldest_but(application, gone) {
            self.forgotten.insert(application, (gone + 1, row));
            return Some(row);
        }
        let row = self.added.oldest_but(application, 0)?;
        self.added.forget_to(application, row);
        Some(row)
    }

    pub(crate) fn put(&mut self, once: &Once, row: i64, given: Timestamp) {
        self.added.put(once.application, once.key, row, given.as_millisecond());
    }

    /// Notes that what was given before this moment was erased, at most so many.
    pub(crate) fn erase(&mut self, before: Timestamp, at_most: usize) {
        let (latest, count) = self.erased.unwrap_or((i64::MIN, 0));
        self.erased = Some((latest.max(before.as_millisecond()), count + at_most));
    }

    pub(crate) fn publish(self, index: &mut Replies) {
        for (application, (_, last)) in self.forgotten {
            index.forget_to(application, last);
        }
        for (application, added) in self.added.0 {
            for (row, key) in added.in_order {
                // One whose key was used again is not looked for any more; it only takes its place.
                let place = added.by_key.get(&key).filter(|place| place.row == row);
                index.put(application, key, row, place.map_or(i64::MIN, |place| place.given_ms));
            }
        }
        if let Some((before_ms, at_most)) = self.erased {
            index.forget_before(before_ms, at_most);
        }
    }
}
