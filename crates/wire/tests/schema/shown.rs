//! Answers and events: what the writers write fits the schema, and the schema knows all of it.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::session::End;
use greenwave_core::{
    ApplicationId, Asked, Catalogue, DeviceKey, EndReason, Event, EventId, NamedBy, Owed, Phase,
    QosStatus, RuleSetId, Session, SessionId, Subject,
};
use greenwave_wire::camara::Shown;
use greenwave_wire::schema::{error_of, error_schema};
use greenwave_wire::{ErrorInfo, camara, v0};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use serde_json::Value;

use crate::dialect::Dialect;
use crate::generated;

const DEVICE: DeviceKey = DeviceKey([0xab; 16]);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_364_864 + seconds).unwrap()
}

/// What a request that fits asks for; some devices are named by a token.
fn asked(dialect: &Dialect, body: &Value, of_token: bool) -> Option<Asked> {
    let (text, rules) = (body.to_string(), dialect.rules.rules());
    let asked = match (dialect.rules, dialect.rules.subject()) {
        (RuleSetId::NokiaV0, _) => v0::read_create(text.as_bytes()).ok()?.request.asked,
        (_, Subject::Session) => {
            camara::read_create(text.as_bytes(), rules, None).ok()?.request.asked
        }
        (_, Subject::Assignment) => {
            camara::read_assignment(text.as_bytes(), rules, None).ok()?.request.asked
        }
    };
    let named_by = if of_token { NamedBy::Token } else { NamedBy::Request };
    Some(Asked { named_by, ..asked })
}

fn session(asked: Asked, rules: RuleSetId, phase: Phase) -> Session {
    Session {
        id: SessionId::new([0x11; 16], DEVICE.bucket()),
        device: DEVICE,
        application: ApplicationId(1),
        rules,
        asked: Arc::new(asked),
        created_at: at(0),
        duration: Duration::from_secs(60),
        phase,
        owed: Owed::Nothing,
        events: 0,
    }
}

fn phases() -> impl Strategy<Value = Phase> {
    let end = |reason| End {
        reason,
        started_at: Some(at(1)),
        ended_at: at(5),
        readable_until: Some(at(400)),
    };
    prop_oneof![
        Just(Phase::Requested),
        Just(Phase::Available { started_at: at(1) }),
        Just(Phase::Ending(end(EndReason::NetworkTerminated))),
        Just(Phase::Ended(End { started_at: None, ..end(EndReason::NetworkTerminated) })),
        Just(Phase::Ended(end(EndReason::DeleteRequested))),
    ]
}

fn fits(dialect: &Dialect, name: &str, written: &[u8]) -> Result<(), TestCaseError> {
    let written: Value = serde_json::from_slice(written).unwrap();
    let validator = dialect.validator(name);
    let wrong: Vec<String> = validator.iter_errors(&written).map(|e| format!("{e}")).collect();
    prop_assert!(wrong.is_empty(), "{:?} {}: {} {:?}", dialect.rules, name, written, wrong);
    let left = dialect.left_over(dialect.schema(name), &written, "");
    prop_assert!(left.is_empty(), "{:?} {}: {:?} in {}", dialect.rules, name, left, written);
    Ok(())
}

/// Every dialect shows what was made under any other.
#[test]
fn what_is_shown_fits() {
    for made_under in Dialect::all() {
        let name = made_under.requests()[0];
        let bodies = generated::value(&made_under, made_under.schema(name));
        let mut runner = TestRunner::new(generated::few());
        let run = runner.run(&(bodies, phases(), any::<bool>()), |(body, phase, of_token)| {
            let of_token = of_token && !made_under.is_nokias();
            let Some(asked) = asked(&made_under, &body, of_token) else { return Ok(()) };
            let session = session(asked, made_under.rules, phase);
            for dialect in Dialect::all() {
                if dialect.rules.subject() == made_under.rules.subject() {
                    show(&dialect, &session)?;
                }
            }
            Ok(())
        });
        if let Err(TestError::Fail(why, _)) = run {
            panic!("{why}");
        }
    }
}

fn show(dialect: &Dialect, session: &Session) -> Result<(), TestCaseError> {
    let rules = dialect.rules.rules();
    let view = session.view(at(10)).unwrap();
    match (dialect.rules, dialect.rules.subject()) {
        (RuleSetId::NokiaV0, _) => {
            let list = [(session, &view)].into_iter();
            fits(dialect, "Sessions", &v0::session_list(list, dialect.times))?;
            fits(dialect, "SessionInfo", &v0::session_info(session, &view, dialect.times))
        }
        (_, Subject::Session) => {
            fits(
                dialect,
                "Sessions",
                &camara::session_list([(session, &view)].into_iter(), rules),
            )?;
            fits(dialect, "SessionInfo", &camara::session_info(session, &view, rules))
        }
        (_, Subject::Assignment) => {
            for shown in [Shown::AsItIs, Shown::BeingRevoked] {
                let written = camara::assignment_info(session, &view, rules, shown);
                fits(dialect, "AssignmentInfo", &written)?;
            }
            Ok(())
        }
    }
}

#[test]
fn events_fit() {
    let told = [
        (QosStatus::Available, None),
        (QosStatus::Unavailable, Some(EndReason::DurationExpired)),
        (QosStatus::Unavailable, Some(EndReason::NetworkTerminated)),
        (QosStatus::Unavailable, Some(EndReason::DeleteRequested)),
    ];
    for dialect in Dialect::all() {
        for (status, reason) in told {
            let session = SessionId::new([0x11; 16], DEVICE.bucket());
            let event = Event {
                id: EventId { session, ordinal: 2 },
                application: ApplicationId(1),
                rules: dialect.rules,
                at: at(0),
                status,
                reason,
                sink: None,
            };
            let written = match dialect.rules {
                RuleSetId::NokiaV0 => v0::event(&event),
                _ => camara::event(&event),
            };
            fits(&dialect, "CloudEvent", &written).unwrap();
        }
    }
}

#[test]
fn profiles_fit() {
    let catalogue = Catalogue::nokia();
    for dialect in Dialect::all().into_iter().filter(|d| d.rules != RuleSetId::NokiaV0) {
        let list = camara::profile::write_list(catalogue.iter());
        fits(&dialect, "QosProfiles", &list).unwrap();
        for profile in catalogue.iter() {
            fits(&dialect, "QosProfile", &camara::profile::write(profile)).unwrap();
        }
    }
}

#[test]
fn errors_fit() {
    let errors = [ErrorInfo::missing_identifier(), ErrorInfo::unnecessary_identifier()];
    let general = serde_json::to_value(error_schema().1.build()).unwrap();
    let of_these = serde_json::to_value(error_of(&errors).build()).unwrap();
    let valid = |schema: &Value, error: &ErrorInfo| {
        let body = serde_json::from_slice(&error.to_json()).unwrap();
        jsonschema::draft202012::is_valid(schema, &body)
    };
    for error in &errors {
        assert!(valid(&general, error) && valid(&of_these, error));
    }
    let other = ErrorInfo::unauthenticated();
    assert!(valid(&general, &other) && !valid(&of_these, &other));
}
