//! Going through the whole index a part at a time, so that nobody waits for more than a part.

use greenwave_core::{ApplicationId, Buckets, SessionId, Standing};
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

    /// The entries of a page of what an application can see now, the oldest first, and whether
    /// another page follows.
    pub(crate) fn page(
        &self,
        application: ApplicationId,
        page: Page,
        now: Timestamp,
    ) -> (Vec<Entry>, bool) {
        let strides = (0..TRIES).map(|_| STRIDE).chain([usize::MAX]);
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
        stride: usize,
    ) -> Option<Vec<Entry>> {
        let mut skip = page.index.saturating_mul(page.size);
        let wanted = page.size.saturating_add(1);
        let mut found: Vec<Entry> = Vec::new();
        let mut place = self.index().first_of_application(application);
        loop {
            let (step, next) = self.index().walk(place, stride)?;
            for entry in step.into_iter().filter(|entry| entry.visible(now)) {
                if skip > 0 {
                    skip -= 1;
                } else if found.len() < wanted {
                    found.push(entry);
                }
            }
            match next {
                Some(next) if found.len() < wanted => place = next,
                _ => return Some(found),
            }
        }
    }
}
