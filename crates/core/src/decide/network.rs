//! What the network says about a session.

use std::time::Duration;

use jiff::Timestamp;

use super::{Changes, Effect, attachment, due, end};
use crate::retry;
use crate::rules::Subject;
use crate::session::{Attempts, EndReason, Owed, Phase, QosStatus, Session, Standing};

/// Something that the network, or a call to it, has made known.
///
/// Reports may be late, come twice or in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkReport {
    /// It honours the session.
    Granted,
    /// It will not.
    Refused,
    /// It no longer does.
    Ended,
    /// The device has left it, and whatever was there for the session is gone.
    Detached,
    /// The device, which had left it, is there again.
    Attached,
    /// It should honour the session, and its own list does not have it.
    Missing,
    /// Nothing of the session is left in it.
    Released,
    /// The call to provision it failed: the device is not there.
    NotAttached,
    /// The call to provision it failed, or timed out.
    ProvisionFailed {
        /// How long the network wants to be left alone, if it says so.
        retry_after: Option<Duration>,
    },
    /// The call to release it failed, or timed out.
    ReleaseFailed {
        /// How long the network wants to be left alone, if it says so.
        retry_after: Option<Duration>,
    },
}

pub(super) fn report(session: &Session, report: NetworkReport, now: Timestamp) -> Changes {
    let lost = session.standing() == Standing::Lost;
    match (report, session.phase) {
        (NetworkReport::Granted, Phase::Requested) => granted(session.clone(), now),
        (NetworkReport::Granted, Phase::Available { .. }) if lost => restored(session.clone()),
        (NetworkReport::Granted, Phase::Ending(_) | Phase::Ended(_)) => late_grant(session, now),
        (NetworkReport::Missing, Phase::Available { .. }) if !lost => restore(session, now),
        (NetworkReport::Refused | NetworkReport::Ended, Phase::Requested)
        | (NetworkReport::Ended, Phase::Available { .. }) => terminated(session, now),
        (NetworkReport::Refused, Phase::Available { .. }) if lost => terminated(session, now),
        (NetworkReport::Detached, Phase::Requested | Phase::Available { .. }) => {
            attachment::left(session, now)
        }
        (NetworkReport::Attached, Phase::Requested | Phase::Available { .. }) => {
            attachment::back(session, now)
        }
        (NetworkReport::NotAttached, Phase::Available { .. }) if lost => {
            attachment::away(session, now)
        }
        (NetworkReport::NotAttached, Phase::Requested) => failed(session, None, now),
        (NetworkReport::Released, Phase::Ending(end)) => end::released(session, end, now),
        (
            NetworkReport::ProvisionFailed { retry_after },
            Phase::Requested | Phase::Available { .. },
        )
        | (NetworkReport::ReleaseFailed { retry_after }, Phase::Ending(_)) => {
            failed(session, retry_after, now)
        }
        // What is left is late, doubled or out of order, and changes nothing.
        _ => Changes::none(),
    }
}

pub(super) fn terminated(session: &Session, now: Timestamp) -> Changes {
    end::end(session.clone(), EndReason::NetworkTerminated, now, now)
}

fn granted(mut session: Session, now: Timestamp) -> Changes {
    session.phase = Phase::Available { started_at: now };
    session.owed = Owed::Nothing;
    let event = end::event(&mut session, QosStatus::Available, None, now);
    Changes::of(session, vec![Effect::Notify(event)])
}

/// The network has lost what it should honour. It is asked again; nobody is told unless that fails.
pub(super) fn restore(session: &Session, now: Timestamp) -> Changes {
    let mut session = session.clone();
    session.owed = Owed::Provision(Attempts { made: 0, next_at: now });
    due::try_again(session, now)
}

fn restored(mut session: Session) -> Changes {
    session.owed = Owed::Nothing;
    Changes::of(session, Vec::new())
}

/// The network has built something for a session that is over: it has to go again, whether or not
/// it was released before.
fn late_grant(session: &Session, now: Timestamp) -> Changes {
    let mut session = session.clone();
    if let Phase::Ended(end) = session.phase {
        session.phase = Phase::Ending(end);
    }
    session.owed = Owed::Release(Attempts { made: 0, next_at: now });
    due::try_again(session, now)
}

/// Counts the try, and sets the next one as far off as the number of tries says, or as the network
/// wishes.
fn failed(session: &Session, retry_after: Option<Duration>, now: Timestamp) -> Changes {
    let mut session = session.clone();
    let lost = session.standing() == Standing::Lost;
    let (Owed::Provision(attempts) | Owed::Release(attempts)) = &mut session.owed else {
        return Changes::none();
    };
    attempts.made = attempts.made.saturating_add(1);
    let lasts = session.rules.subject() == Subject::Assignment;
    if lost && !lasts && attempts.made >= retry::RESTORE_TRIES {
        return terminated(&session, now);
    }
    let wish = retry_after.unwrap_or_default().min(retry::LONGEST_NETWORK_WISH);
    attempts.next_at = now + retry::network_pause(attempts.made).max(wish);
    Changes::of(session, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Refusal;
    use crate::decide::testing::{
        APPLICATION, NONE, at, delete, events, live, network, requested, run,
    };

    const SERVER: &str = "203.0.113.5";

    #[test]
    fn a_grant_starts_the_clock() {
        let session = requested(1, APPLICATION, SERVER, at(0));
        let changes = run(&[session], &network(1, NetworkReport::Granted), at(7)).unwrap();
        let view = changes.session.as_ref().unwrap().view(at(7)).unwrap();
        assert_eq!(view.status, QosStatus::Available);
        assert_eq!((view.started_at, view.expires_at), (Some(at(7)), Some(at(67))));
        let told = events(&changes);
        assert_eq!((told.len(), told[0].id.ordinal, told[0].at), (1, 1, at(7)));
        assert_eq!(changes.session.unwrap().owed, Owed::Nothing);
    }

    #[test]
    fn a_second_grant_changes_nothing() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let changes = run(&[session], &network(1, NetworkReport::Granted), at(7)).unwrap();
        assert_eq!(changes, Changes::none());
    }

    #[test]
    fn a_refusal_ends_the_session_and_makes_sure_that_nothing_stays() {
        let session = requested(1, APPLICATION, SERVER, at(0));
        let changes = run(&[&session], &network(1, NetworkReport::Refused), at(1)).unwrap();
        assert_eq!(changes.effects[0], Effect::Release(session.order()));
        assert_eq!(events(&changes)[0].reason, Some(EndReason::NetworkTerminated));
        assert_eq!(changes.session.unwrap().view(at(2)).unwrap().status, QosStatus::Unavailable);
    }

    #[test]
    fn a_late_refusal_does_not_end_what_is_available() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let changes = run(&[session], &network(1, NetworkReport::Refused), at(7)).unwrap();
        assert_eq!(changes, Changes::none());
    }

    #[test]
    fn a_late_grant_is_released_again() {
        let session = requested(1, APPLICATION, SERVER, at(0));
        let ending = run(&[&session], &delete(1, APPLICATION), at(1)).unwrap();
        let ending = ending.session.unwrap();
        let again = run(&[ending], &network(1, NetworkReport::Granted), at(2)).unwrap();
        assert_eq!(again.effects, [Effect::Release(session.order())]);

        // Even after the network had confirmed that nothing was there.
        let refused = run(&[&session], &network(1, NetworkReport::Refused), at(1)).unwrap();
        let refused = refused.session.unwrap();
        let ended = run(&[refused], &network(1, NetworkReport::Released), at(2)).unwrap();
        let ended = ended.session.unwrap();
        let again = run(&[ended], &network(1, NetworkReport::Granted), at(3)).unwrap();
        assert_eq!(again.effects, [Effect::Release(session.order())]);
        assert!(matches!(again.session.unwrap().phase, Phase::Ending(_)));
    }

    #[test]
    fn a_failed_call_is_made_again_after_a_pause_or_when_the_network_wishes() {
        let session = requested(1, APPLICATION, SERVER, at(0));
        let failed = |retry_after| {
            let report = NetworkReport::ProvisionFailed { retry_after };
            run(&[&session], &network(1, report), at(2)).unwrap().session.unwrap()
        };
        assert_eq!(failed(None).deadline(), Some(at(3)));
        assert_eq!(failed(Some(Duration::from_secs(9))).deadline(), Some(at(11)));
    }

    #[test]
    fn what_was_lost_and_is_granted_again_goes_on_as_if_nothing_had_happened() {
        let session = live(1, APPLICATION, SERVER, at(0));
        let lost = run(&[&session], &network(1, NetworkReport::Missing), at(5)).unwrap();
        let lost = lost.session.unwrap();
        assert_eq!(lost.standing(), Standing::Lost);
        let restored = run(&[&lost], &network(1, NetworkReport::Granted), at(6)).unwrap();
        assert_eq!(restored.session.as_ref(), Some(&session));
        assert_eq!(restored.effects, []);

        let refused = run(&[&lost], &network(1, NetworkReport::Refused), at(6)).unwrap();
        assert_eq!(events(&refused)[0].reason, Some(EndReason::NetworkTerminated));
    }

    #[test]
    fn only_what_should_be_there_can_be_missing() {
        let session = requested(1, APPLICATION, SERVER, at(0));
        let missing = network(1, NetworkReport::Missing);
        assert_eq!(run(&[&session], &missing, at(1)).unwrap(), Changes::none());
        let ending = run(&[&session], &delete(1, APPLICATION), at(1)).unwrap().session.unwrap();
        assert_eq!(run(&[ending], &missing, at(2)).unwrap(), Changes::none());
    }

    #[test]
    fn a_report_on_what_was_never_heard_of_is_refused() {
        let report = network(9, NetworkReport::Granted);
        assert_eq!(run(&NONE, &report, at(0)), Err(Refusal::Unknown));
    }
}
