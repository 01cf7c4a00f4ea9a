//! Going through the whole index a part at a time, so that nobody waits for more than a part.

use greenwave_core::{ApplicationId, Buckets, DeviceKey, SessionId, Standing, Subject};
use jiff::Timestamp;

use crate::Page;
use crate::index::{Entry, Index};
use crate::published::Published;

/// How many sessions of an application are passed over at a stretch on the way to a page.
const STRIDE: usize = 8_192;

/// How often the walk to a page is begun anew because its place has gone. Then it is made at one
/// stretch.
const TRIES: usize = 3;

/// How many standings are looked up at a stretch.
const LOOKED_UP: usize = 4_096;

impl Published {
    pub(crate) fn deadlines(&self, horizon: Timestamp) -> Vec<(SessionId, Timestamp)> {
        let mut found = Vec::new();
        let mut part = 0;
        loop {
            let index = self.index();
            if part >= index.parts() {
                return found;
            }
            found.extend(index.deadlines(part, horizon));
            part += 1;
        }
    }

    pub(crate) fn standing_as(&self, wanted: &[Standing], of: Buckets) -> Vec<SessionId> {
        let mut found = Vec::new();
        for table in Index::tables_of(of) {
            let index = self.index();
            let sessions = index.standing_as(table, wanted);
            found.extend(sessions.filter(|&session| of.contains_session(session)));
        }
        found
    }

    pub(crate) fn standing_of(&self, sessions: &[SessionId]) -> Vec<Option<Standing>> {
        let mut standings = Vec::with_capacity(sessions.len());
        for sessions in sessions.chunks(LOOKED_UP) {
            let index = self.index();
            standings.extend(sessions.iter().map(|&id| index.get(id).map(|entry| entry.standing)));
        }
        standings
    }

    /// Puts sessions into the order of their rows, those that are not there first.
    pub(crate) fn arrange(&self, sessions: &mut [SessionId]) {
        let mut rows: Vec<(Option<i64>, SessionId)> = Vec::with_capacity(sessions.len());
        for sessions in sessions.chunks(LOOKED_UP) {
            let index = self.index();
            rows.extend(sessions.iter().map(|&id| (index.get(id).map(|entry| entry.row), id)));
        }
        rows.sort_unstable();
        for (session, (_, arranged)) in sessions.iter_mut().zip(rows) {
            *session = arranged;
        }
    }

    /// Whose assignment of a device is in force now, or asked for.
    pub(crate) fn assigned(&self, device: DeviceKey, now: Timestamp) -> Option<ApplicationId> {
        let in_force = |entry: &Entry| {
            let asked_for =
                matches!(entry.standing, Standing::Requested | Standing::Honoured | Standing::Lost);
            asked_for && entry.subject == Subject::Assignment && entry.visible(now)
        };
        self.index().of_device(device).find(in_force).map(|entry| entry.application)
    }

    /// The entries of a page of what an application can see now, the oldest first, and whether
    /// another page follows.
    pub(crate) fn page(
        &self,
        application: ApplicationId,
        page: Page,
        now: Timestamp,
    ) -> (Vec<Entry>, bool) {
        let strides = (0..TRIES).map(|_| Stride::AtMost(STRIDE)).chain([Stride::AtOnce]);
        let walked = strides.map(|stride| self.walk(application, page, now, stride));
        let mut entries = walked.flatten().next().unwrap_or_default();
        let more = entries.len() > page.size;
        entries.truncate(page.size);
        (entries, more)
    }

    /// The entries of a page and one more; `None` if the way there has gone.
    fn walk(
        &self,
        application: ApplicationId,
        page: Page,
        now: Timestamp,
        stride: Stride,
    ) -> Option<Vec<Entry>> {
        let mut skip = page.index.saturating_mul(page.size);
        let wanted = page.size.saturating_add(1);
        let mut found: Vec<Entry> = Vec::new();
        let mut index = self.index();
        let mut place = index.first_of_application(application);
        while let Some(from) = place.filter(|_| found.len() < wanted) {
            let (step, next) = index.walk(from, stride.length(skip.saturating_add(wanted)))?;
            let visible = |entry: &Entry| {
                let wanted = entry.subject == Subject::Session;
                wanted && entry.application == application && entry.visible(now)
            };
            for entry in step.into_iter().filter(visible) {
                if skip > 0 {
                    skip -= 1;
                } else if found.len() < wanted {
                    found.push(entry);
                }
            }
            place = next;
            if stride != Stride::AtOnce {
                // Whoever waits for the index has a turn.
                drop(index);
                index = self.index();
            }
        }
        Some(found)
    }
}

/// How a walk goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stride {
    /// So far at a stretch, and no farther than is needed.
    AtMost(usize),
    /// At one stretch, so that nothing can change on the way.
    AtOnce,
}

impl Stride {
    fn length(self, needed: usize) -> usize {
        match self {
            Self::AtMost(length) => length.min(needed),
            // In pieces all the same: they are copied.
            Self::AtOnce => STRIDE,
        }
    }
}
