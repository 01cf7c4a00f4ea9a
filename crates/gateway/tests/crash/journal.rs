//! What a client has asked for, and what it was told: the promises that a crash may not break.

use std::collections::{BTreeMap, BTreeSet};

use crate::client::Answer;

/// See the module. Whatever changes a session is noted before it is asked for, and again once it is
/// acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) sessions: BTreeMap<String, Promise>,
    /// The sessions of which something has been noted since they were last audited.
    pub(crate) fresh: BTreeSet<String>,
    /// How many sessions were asked for, acknowledged or not.
    pub(crate) asked: usize,
    /// How many changes were acknowledged.
    pub(crate) acknowledged: usize,
    /// The sandbox's key, which stays the same from its first start on.
    pub(crate) key: Option<String>,
    /// Other keys, and whether they are valid; `None` where that was asked to be changed.
    pub(crate) keys: BTreeMap<String, Option<bool>>,
}

/// What a client knows of a session that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    /// How long it lasts: what was acknowledged last, and with all that was asked for since.
    pub(crate) at_least_s: u64,
    pub(crate) at_most_s: u64,
    pub(crate) end: End,
}

/// What a client knows of a session's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It lasts longer than any test.
    Far,
    /// It ends by itself, soon.
    Soon,
    /// It was asked for.
    Asked,
    /// It was acknowledged.
    Acknowledged,
}

impl Journal {
    pub(crate) fn creating(&mut self) {
        self.asked += 1;
    }

    pub(crate) fn created(&mut self, answer: &Answer, end: End) {
        assert_eq!(answer.status, 201, "{answer:?}");
        let duration = duration_s(answer);
        let promise = Promise { at_least_s: duration, at_most_s: duration, end };
        self.acknowledged += 1;
        let new = self.sessions.insert(answer.id(), promise);
        assert!(new.is_none(), "an id was given out twice: {answer:?}");
        self.fresh.insert(answer.id());
    }

    pub(crate) fn extending(&mut self, id: &str, by_s: u64) {
        self.promise(id).at_most_s += by_s;
    }

    pub(crate) fn extended(&mut self, id: &str, answer: &Answer) {
        assert_eq!(answer.status, 200, "{answer:?}");
        self.acknowledged += 1;
        let promise = self.promise(id);
        assert!(duration_s(answer) <= promise.at_most_s, "{answer:?}");
        promise.at_least_s = duration_s(answer);
    }

    pub(crate) fn deleting(&mut self, id: &str) {
        self.promise(id).end = End::Asked;
    }

    pub(crate) fn deleted(&mut self, id: &str, answer: &Answer) {
        assert_eq!(answer.status, 204, "{answer:?}");
        self.acknowledged += 1;
        self.promise(id).end = End::Acknowledged;
    }

    fn promise(&mut self, id: &str) -> &mut Promise {
        self.fresh.insert(id.to_owned());
        self.sessions.get_mut(id).unwrap()
    }
}

fn duration_s(answer: &Answer) -> u64 {
    answer.json["duration"].as_u64().unwrap_or_else(|| panic!("no duration: {answer:?}"))
}
