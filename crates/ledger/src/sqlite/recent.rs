//! Sessions that wait for the network, as the writer last wrote them: the next command about one
//! comes soon, and then its row need not be read.

use std::collections::HashMap;

use greenwave_core::{Session, Standing};

/// How many are kept. Whatever finds no room is read from its row.
const MOST: usize = 16_384;

#[derive(Default)]
pub(super) struct Recent(HashMap<i64, Session>);

impl Recent {
    /// The session in this row, if it is kept.
    pub(super) fn get(&self, row: i64) -> Option<&Session> {
        self.0.get(&row)
    }

    /// The session has been written to this row.
    pub(super) fn written(&mut self, row: i64, session: &Session) {
        let waits = matches!(session.standing(), Standing::Requested | Standing::Leaving);
        if waits && self.0.len() < MOST {
            self.0.insert(row, session.clone());
        } else {
            self.0.remove(&row);
        }
    }

    /// The row is gone.
    pub(super) fn removed(&mut self, row: i64) {
        self.0.remove(&row);
    }

    /// What was written has not been committed, so nothing is known any more.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
