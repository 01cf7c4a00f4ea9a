//! Whatever is thrown at a session, in whatever order, its life is a path of the legal graph.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::testing::{
    APPLICATION, NONE, OTHER_APPLICATION, assign, at, create, due, extend, resume, run,
};
use super::{Changes, Command, Effect, NetworkReport};
use crate::ids::ApplicationId;
use crate::rules::Subject;
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
    Forget,
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
        2 => Just(NetworkReport::Detached),
        2 => Just(NetworkReport::Attached),
        2 => Just(NetworkReport::NotAttached),
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
        1 => Just(Step::Forget),
        2 => (0..5_000u64).prop_map(Step::Pass),
        4 => (0..2u64).prop_map(|short_by_ms| Step::PassToDeadline { short_by_ms }),
    ];
    prop::collection::vec(step, 1..40)
}

/// What `step` does at `now`: a command to decide on, or the time that it leads to.
fn act(step: Step, session: &Session, now: Timestamp) -> Result<Command, Timestamp> {
    match step {
        Step::Extend(by_s) => Ok(extend(1, APPLICATION, by_s)),
        Step::Delete => Ok(delete(session, APPLICATION)),
        Step::DeleteByStranger => Ok(delete(session, OTHER_APPLICATION)),
        Step::Network(report) => Ok(super::testing::network(1, report)),
        Step::Due => Ok(due(1)),
        Step::Resume => Ok(resume(1)),
        Step::Abandon => Ok(Command::Abandon { session: session.id }),
        Step::Forget => Ok(Command::Forget { session: session.id }),
        Step::Pass(millis) => Err(now + Duration::from_millis(millis)),
        Step::PassToDeadline { short_by_ms } => {
            let deadline = session.deadline().unwrap_or(now);
            Err((deadline - Duration::from_millis(short_by_ms)).max(now))
        }
    }
}

fn delete(session: &Session, application: ApplicationId) -> Command {
    Command::Delete { session: session.id, application, subject: session.rules.subject() }
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
        let expiry = before.course().expiry(started_at);
        let expired = expiry.is_some_and(|expiry| now >= expiry);
        assert_eq!(end.reason == EndReason::DurationExpired, expired, "ended before its time");
        assert!(expired || before.standing() == Standing::Lost);
    }
    if before.rules.subject() == Subject::Assignment {
        assert_lasts(before, after, command, now);
    }
    let owed_fits = match after.phase {
        Phase::Requested => matches!(after.owed, Owed::Provision(_)),
        Phase::Available { .. } => !matches!(after.owed, Owed::Release(_)),
        Phase::Ended(_) => after.owed == Owed::Nothing,
        Phase::Ending(_) => matches!(after.owed, Owed::Release(_)),
    };
    assert!(owed_fits, "{:?} owes {:?}", after.phase, after.owed);
    if let Some(view) = after.view(now).filter(|view| view.status == QosStatus::Available) {
        let lasts = after.rules.subject() == Subject::Assignment;
        assert!(view.expires_at.map_or(lasts, |expires_at| !lasts && now < expires_at));
    }
}

/// An assignment ends because somebody deletes it, or because the network says that it does not
/// honour it: not by time, not for want of an answer once it was there, not with its device.
fn assert_lasts(before: &Session, after: &Session, command: &Command, now: Timestamp) {
    let (Phase::Requested | Phase::Available { .. }, Phase::Ending(end)) =
        (before.phase, after.phase)
    else {
        return;
    };
    use NetworkReport::{Ended, Refused};
    let refused = matches!(command, Command::Network { report: Refused | Ended, .. });
    let in_vain = before.phase == Phase::Requested && now >= before.gives_up_at();
    match end.reason {
        EndReason::DurationExpired => panic!("an assignment expired: {before:?}"),
        EndReason::NetworkTerminated => assert!(refused || in_vain, "{before:?} by {command:?}"),
        EndReason::DeleteRequested => {
            assert!(matches!(command, Command::Delete { .. } | Command::Forget { .. }));
            let forgotten = matches!(command, Command::Forget { .. });
            assert_eq!(after.view(now).is_none(), forgotten, "readable for a while");
        }
    }
}

/// Each change of status is told exactly once, in order, and only changes are.
fn assert_told(before: &Session, changes: &Changes, forgotten: bool, told: &mut Vec<Event>) {
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
    let expected = became_available || (ended && !forgotten && (was_available || !deleted));
    assert_eq!(new.len(), usize::from(expected), "{:?} to {:?}", before.phase, after.phase);
    for event in new {
        assert_eq!(usize::from(event.id.ordinal), told.len() + 1);
        told.push(event.clone());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_life_is_legal(steps in steps(), lasts: bool) {
        let mut now = at(0);
        let wanted = match lasts {
            true => assign(1, APPLICATION),
            false => create(1, APPLICATION, "203.0.113.5"),
        };
        let created = run(&NONE, &wanted, now).unwrap();
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
            let forgotten = matches!(command, Command::Forget { .. });
            assert_told(&session, &changes, forgotten, &mut told);
            let Some(after) = changes.session else { continue };
            assert_legal(&session, &after, &command, now);
            if changes.retired {
                prop_assert!(matches!(after.phase, Phase::Ended(_)));
                prop_assert_eq!(after.view(now), None);
                break;
            }
            let lasts = lasts && after.standing() == Standing::Honoured;
            prop_assert!(lasts || after.deadline().is_some(), "nothing would ever move it on");
            session = after;
        }
        prop_assert!(told.len() <= 2);
    }
}
