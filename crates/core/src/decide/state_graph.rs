//! Whatever is thrown at a session, in whatever order, its life is a path of the legal graph.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::testing::{
    APPLICATION, NONE, OTHER_APPLICATION, at, create, delete, due, extend, resume, run,
};
use super::{Changes, Command, Effect, NetworkReport};
use crate::session::{EndReason, Event, Owed, Phase, QosStatus, Session, Standing};

#[derive(Clone, Debug)]
enum Step {
    Extend(u64),
    Delete,
    DeleteByStranger,
    Network(NetworkReport),
    Due,
    Resume,
    Abandon,
    /// Time passes, in milliseconds.
    Pass(u64),
    /// Time passes until the session's deadline, or just not.
    PassToDeadline {
        short_by_ms: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let retry_after = prop::option::of((0..100u64).prop_map(Duration::from_secs));
    let report = prop_oneof![
        4 => Just(NetworkReport::Granted),
        1 => Just(NetworkReport::Refused),
        1 => Just(NetworkReport::Ended),
        2 => Just(NetworkReport::Missing),
        4 => Just(NetworkReport::Released),
        1 => retry_after.clone()
            .prop_map(|retry_after| NetworkReport::ProvisionFailed { retry_after }),
        1 => retry_after.prop_map(|retry_after| NetworkReport::ReleaseFailed { retry_after }),
    ];
    let step = prop_oneof![
        1 => (1..86_400u64).prop_map(Step::Extend),
        1 => Just(Step::Delete),
        1 => Just(Step::DeleteByStranger),
        6 => report.prop_map(Step::Network),
        4 => Just(Step::Due),
        1 => Just(Step::Resume),
        1 => Just(Step::Abandon),
        2 => (0..5_000u64).prop_map(Step::Pass),
        4 => (0..2u64).prop_map(|short_by_ms| Step::PassToDeadline { short_by_ms }),
    ];
    prop::collection::vec(step, 1..40)
}

/// What `step` does at `now`: a command to decide on, or the time that it leads to.
fn act(step: Step, session: &Session, now: Timestamp) -> Result<Command, Timestamp> {
    match step {
        Step::Extend(by_s) => Ok(extend(1, APPLICATION, by_s)),
        Step::Delete => Ok(delete(1, APPLICATION)),
        Step::DeleteByStranger => Ok(delete(1, OTHER_APPLICATION)),
        Step::Network(report) => Ok(super::testing::network(1, report)),
        Step::Due => Ok(due(1)),
        Step::Resume => Ok(resume(1)),
        Step::Abandon => Ok(Command::Abandon { session: session.id }),
        Step::Pass(millis) => Err(now + Duration::from_millis(millis)),
        Step::PassToDeadline { short_by_ms } => {
            let deadline = session.deadline().unwrap_or(now);
            Err((deadline - Duration::from_millis(short_by_ms)).max(now))
        }
    }
}

fn rank(phase: &Phase) -> u8 {
    match phase {
        Phase::Requested => 0,
        Phase::Available { .. } => 1,
        Phase::Ending(_) => 2,
        Phase::Ended(_) => 3,
    }
}

fn assert_legal(before: &Session, after: &Session, command: &Command, now: Timestamp) {
    let late_grant = matches!(command, Command::Network { report: NetworkReport::Granted, .. });
    match (&before.phase, &after.phase) {
        (Phase::Ended(_), Phase::Ending(_)) => assert!(late_grant, "only a late grant goes back"),
        (from, to) => assert!(rank(from) <= rank(to), "{from:?} became {to:?}"),
    }
    if let (Phase::Available { started_at: was }, Phase::Available { started_at }) =
        (before.phase, after.phase)
    {
        assert_eq!(was, started_at);
        assert!(after.duration >= before.duration, "an end never comes nearer");
    }
    if let (Phase::Available { started_at }, Phase::Ending(end)) = (before.phase, after.phase)
        && matches!(command, Command::Due { .. } | Command::Resume { .. })
    {
        let expired = now >= started_at + before.duration;
        assert_eq!(end.reason == EndReason::DurationExpired, expired, "ended before its time");
        assert!(expired || before.standing() == Standing::Lost);
    }
    let owed_fits = match after.phase {
        Phase::Requested => matches!(after.owed, Owed::Provision(_)),
        Phase::Available { .. } => !matches!(after.owed, Owed::Release(_)),
        Phase::Ended(_) => after.owed == Owed::Nothing,
        Phase::Ending(_) => matches!(after.owed, Owed::Release(_)),
    };
    assert!(owed_fits, "{:?} owes {:?}", after.phase, after.owed);
    if let Some(view) = after.view(now).filter(|view| view.status == QosStatus::Available) {
        assert!(view.expires_at.is_some_and(|expires_at| now < expires_at));
    }
}

/// Each change of status is told exactly once, in order, and only changes are.
fn assert_told(before: &Session, changes: &Changes, told: &mut Vec<Event>) {
    let Some(after) = &changes.session else {
        assert!(changes.effects.is_empty(), "an effect without a change");
        return;
    };
    let new: Vec<&Event> = changes
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Notify(event) => Some(event),
            _ => None,
        })
        .collect();
    let became_available = rank(&before.phase) == 0 && rank(&after.phase) == 1;
    let was_available = rank(&before.phase) == 1;
    let ended = rank(&before.phase) < 2 && rank(&after.phase) >= 2;
    let deleted = matches!(after.phase, Phase::Ending(end)
        if end.reason == EndReason::DeleteRequested);
    let expected = became_available || (ended && (was_available || !deleted));
    assert_eq!(new.len(), usize::from(expected), "{:?} to {:?}", before.phase, after.phase);
    for event in new {
        assert_eq!(usize::from(event.id.ordinal), told.len() + 1);
        told.push(event.clone());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_life_is_legal(steps in steps()) {
        let mut now = at(0);
        let created = run(&NONE, &create(1, APPLICATION, "203.0.113.5"), now).unwrap();
        let mut session = created.session.unwrap();
        let mut told = Vec::new();
        for step in steps {
            let command = match act(step, &session, now) {
                Ok(command) => command,
                Err(later) => {
                    now = later;
                    continue;
                }
            };
            let Ok(changes) = run(&[&session], &command, now) else { continue };
            assert_told(&session, &changes, &mut told);
            let Some(after) = changes.session else { continue };
            assert_legal(&session, &after, &command, now);
            if changes.retired {
                prop_assert!(matches!(after.phase, Phase::Ended(_)));
                prop_assert_eq!(after.view(now), None);
                break;
            }
            prop_assert!(after.deadline().is_some(), "nothing would ever move it on");
            session = after;
        }
        prop_assert!(told.len() <= 2);
    }
}
