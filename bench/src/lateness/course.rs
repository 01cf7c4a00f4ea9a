//! What becomes of each session, and whether it was as it should be.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::connection::{Answer, Connections};
use crate::job::{Job, Session};
use crate::receiver::Received;

/// How long before its end a session is asked for.
const LOOK_BEFORE: Duration = Duration::from_millis(25);

/// The courses of sessions, by their ids.
pub(super) struct Courses {
    connections: Arc<Connections>,
    courses: HashMap<String, Course>,
    ended: usize,
    looks: JoinSet<(String, Look)>,
}

#[derive(Default)]
struct Course {
    /// When it became available, and its duration after that.
    expires_at: Option<Timestamp>,
    /// The event that it was over.
    end: Option<Received>,
}

/// What an application sees of its session shortly before the end.
enum Look {
    /// The session, as it should be.
    Fine,
    /// The answer came too late to say anything.
    TooLate,
    /// No session.
    Early,
    /// Something else.
    Wrong(String),
}

/// All courses together.
#[derive(Default)]
pub(super) struct Verdict {
    /// How many ended before their time.
    pub(super) early: u64,
    /// How many were there when they were asked for shortly before their end.
    pub(super) looked_at: u64,
    /// How late the events of their ends came.
    pub(super) events: Vec<Duration>,
    /// How late their rules were gone.
    pub(super) rules: Vec<Duration>,
    /// What else was wrong.
    pub(super) errors: BTreeMap<String, u64>,
}

impl Courses {
    /// None yet.
    pub(super) fn new(connections: &Arc<Connections>) -> Self {
        let connections = Arc::clone(connections);
        Self { connections, courses: HashMap::new(), ended: 0, looks: JoinSet::new() }
    }

    /// Takes up an event.
    pub(super) fn take(&mut self, received: Received) {
        let id = received.event.data.session_id.clone();
        let course = self.courses.entry(id.clone()).or_default();
        if received.event.data.qos_status == "AVAILABLE" {
            let duration = Duration::from_secs(received.duration_s.into());
            course.expires_at = received.event.time().map(|since| since + duration);
            if let Some(expires_at) = course.expires_at {
                self.looks.spawn(look(Arc::clone(&self.connections), id, expires_at));
            }
        } else if course.end.is_none() {
            course.end = Some(received);
            self.ended += 1;
        }
    }

    /// How many are over.
    pub(super) fn ended(&self) -> usize {
        self.ended
    }

    /// Judges these sessions, whose rules were gone at these times.
    pub(super) async fn judge(
        mut self,
        sessions: &[String],
        gone: &HashMap<String, Timestamp>,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        let mut early = HashSet::new();
        while let Some(look) = self.looks.join_next().await {
            match look {
                Ok((_, Look::Fine)) => verdict.looked_at += 1,
                Ok((_, Look::TooLate)) => {}
                Ok((id, Look::Early)) => drop(early.insert(id)),
                Ok((_, Look::Wrong(why))) => verdict.note(&why),
                Err(_) => verdict.note("a look at a session broke"),
            }
        }
        for id in sessions {
            let course = self.courses.remove(id).unwrap_or_default();
            if verdict.add(&course, gone.get(id).copied()) {
                early.insert(id.clone());
            }
        }
        verdict.early = early.len() as u64;
        verdict
    }
}

impl Verdict {
    fn note(&mut self, what: &str) {
        *self.errors.entry(what.to_owned()).or_default() += 1;
    }

    /// Adds a course. Tells whether it ended before its time.
    fn add(&mut self, course: &Course, gone: Option<Timestamp>) -> bool {
        let Some(expires_at) = course.expires_at else {
            self.note("no event that it is available");
            return false;
        };
        let mut early = false;
        let mut late = |at: Timestamp| {
            let late = Duration::try_from(at.duration_since(expires_at)).ok();
            early |= late.is_none();
            late
        };
        match gone {
            Some(gone) => self.rules.extend(late(gone)),
            None => self.note("a rule that is still there"),
        }
        match &course.end {
            Some(Received { arrived_at, event, .. }) => {
                self.events.extend(late(*arrived_at));
                let said = event.time().and_then(&mut late);
                if event.data.status_info.as_deref() != Some("DURATION_EXPIRED") {
                    self.note("an end that is not DURATION_EXPIRED");
                } else if said.is_some_and(|said| !said.is_zero()) {
                    self.note("an event with a later time than expiresAt");
                }
            }
            None => self.note("no event that it is over"),
        }
        early
    }
}

async fn look(connections: Arc<Connections>, id: String, expires_at: Timestamp) -> (String, Look) {
    let left = expires_at.duration_since(Timestamp::now());
    let left = Duration::try_from(left).unwrap_or_default();
    if left.is_zero() {
        return (id, Look::TooLate);
    }
    tokio::time::sleep(left.saturating_sub(LOOK_BEFORE)).await;
    let session = Session { id, ..Session::of_device(0) };
    let answer = connections.perform(Job::Get, &session).await;
    let look = if Timestamp::now() >= expires_at {
        Look::TooLate
    } else {
        judge_answer(answer, expires_at)
    };
    (session.id, look)
}

/// What an answer says that came before the end.
fn judge_answer(answer: Result<Answer, String>, expires_at: Timestamp) -> Look {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct SessionInfo {
        qos_status: String,
        expires_at: String,
    }
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) if why == "404" => return Look::Early,
        Err(why) => return Look::Wrong(format!("get: {why}")),
    };
    match serde_json::from_slice::<SessionInfo>(&answer.body) {
        Ok(info) if info.qos_status != "AVAILABLE" => Look::Early,
        Ok(info) if info.expires_at.parse().ok() == Some(expires_at) => Look::Fine,
        _ => Look::Wrong("get: another expiresAt than startedAt and duration make".to_owned()),
    }
}
