//! Operations without a socket: what they send, and what they make of what comes.

use std::time::Duration;

use bytes::Bytes;
use greenwave_sdk::form::{CreateForm, DeviceForm, ServerForm};
use greenwave_sdk::operation::{Event, Operation, Step};
use greenwave_sdk::request::{NoAnswer, Request, Response};
use greenwave_sdk::{Calls, Cleared, Error, SessionInfo};
use http::{HeaderMap, HeaderValue};

const ID: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

fn calls() -> Calls {
    Calls::new("http://127.0.0.1:9091", 4)
}

fn device() -> DeviceForm {
    let network_access_identifier = Some("device@testcsp.net".to_owned());
    DeviceForm { network_access_identifier, ..DeviceForm::default() }
}

fn create() -> CreateForm {
    let ipv4_address = Some("203.0.113.5".to_owned());
    CreateForm {
        device: device(),
        application_server: ServerForm { ipv4_address, ipv6_address: None },
        device_ports: None,
        application_server_ports: None,
        qos_profile: "QOS_L".to_owned(),
        duration: Some(60),
        webhook: None,
    }
}

fn session(id: &str, status: &str) -> String {
    format!(r#"{{"sessionId":"{id}","qosProfile":"QOS_L","qosStatus":"{status}"}}"#)
}

fn answer(status: u16, body: impl Into<Bytes>) -> Event {
    Event::Answered(Response::new(status, &HeaderMap::new(), body.into()))
}

fn answer_with(status: u16, header: &'static str, value: &'static str, body: String) -> Event {
    let mut headers = HeaderMap::new();
    headers.insert(header, HeaderValue::from_static(value));
    Event::Answered(Response::new(status, &headers, body.into()))
}

fn lost() -> Event {
    Event::Unanswered(NoAnswer::Broken("connection reset".to_owned()))
}

/// An operation that is being carried out by a test.
struct Course<O>(O, Duration);

impl<O: Operation> Course<O>
where
    O::Output: std::fmt::Debug,
{
    fn new(operation: O) -> Self {
        Self(operation, Duration::ZERO)
    }

    #[track_caller]
    fn sends(&mut self, event: Event) -> Request {
        match self.0.step(event, self.1) {
            Step::Send(request) => request,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn pauses(&mut self, event: Event) -> Duration {
        match self.0.step(event, self.1) {
            Step::Pause(pause) => {
                self.1 += pause;
                pause
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn ends(&mut self, event: Event) -> Result<O::Output, Error> {
        match self.0.step(event, self.1) {
            Step::Done(result) => result,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_create_whose_answer_is_lost_is_sent_again_as_the_same() {
    let mut course = Course::new(calls().create(&create()));
    let first = course.sends(Event::Begin);
    let key = first.idempotency_key().unwrap().to_owned();
    assert!(!key.is_empty() && key.len() <= 255);
    course.pauses(lost());
    let second = course.sends(Event::Waited);
    assert_eq!((second.idempotency_key(), second.body()), (Some(&*key), first.body()));
    let made = course.ends(answer(201, session(ID, "REQUESTED"))).unwrap();
    assert_eq!(made.id(), ID);
    // The next call is another one.
    let other = Course::new(calls().create(&create())).sends(Event::Begin);
    assert_ne!(other.idempotency_key(), Some(&*key));
}

#[test]
fn an_extension_is_done_once_and_a_look_needs_no_key() {
    let extend = Course::new(calls().extend(ID, 60)).sends(Event::Begin);
    assert_eq!(extend.path(), format!("/qod/v0/sessions/{ID}/extend"));
    assert_eq!(extend.body(), br#"{"requestedAdditionalDuration":60}"#);
    assert!(extend.idempotency_key().is_some());
    let get = Course::new(calls().get(ID)).sends(Event::Begin);
    assert_eq!((get.method().as_str(), get.idempotency_key()), ("GET", None));
    let wrong = Course::new(calls().extend(ID, 0)).ends(Event::Begin);
    assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
}

#[test]
fn a_busy_gateway_is_left_alone_for_as_long_as_it_says() {
    let mut course = Course::new(calls().create(&create()));
    course.sends(Event::Begin);
    let busy = || answer_with(503, "retry-after", "7", String::new());
    assert_eq!(course.pauses(busy()), Duration::from_secs(7));
    course.sends(Event::Waited);
    // The same request is still being carried out.
    let twin = answer_with(409, "retry-after", "1", r#"{"code":"IN_PROGRESS"}"#.to_owned());
    assert_eq!(course.pauses(twin), Duration::from_secs(1));
    course.sends(Event::Waited);
    course.ends(answer(201, session(ID, "REQUESTED"))).unwrap();
}

#[test]
fn what_is_refused_for_good_is_not_sent_again() {
    for status in [400, 401, 403, 404, 409, 422, 429] {
        let mut course = Course::new(calls().create(&create()));
        course.sends(Event::Begin);
        let refused = course.ends(answer(status, r#"{"code":"NO","message":"no"}"#)).unwrap_err();
        assert_eq!(refused.status(), Some(status));
        assert_eq!(refused.refusal().unwrap().code(), Some("NO"));
    }
}

#[test]
fn the_tries_end_and_the_error_says_what_is_known() {
    let mut course = Course::new(calls().create(&create()));
    course.sends(Event::Begin);
    let refused = || Event::Unanswered(NoAnswer::NotConnected("refused".to_owned()));
    for _ in 0..3 {
        course.pauses(refused());
        course.sends(Event::Waited);
    }
    assert!(matches!(course.ends(refused()), Err(Error::NoConnection { .. })));

    // Once an answer was lost, nobody can say any more that nothing was done.
    let mut course = Course::new(calls().create(&create()));
    course.sends(Event::Begin);
    course.pauses(lost());
    for _ in 0..2 {
        course.sends(Event::Waited);
        course.pauses(refused());
    }
    course.sends(Event::Waited);
    assert!(matches!(course.ends(refused()), Err(Error::NoAnswer { timed_out: false, .. })));
}

#[test]
fn a_deletion_whose_answer_was_lost_finds_nothing_and_is_done() {
    let gone = || answer(404, r#"{"code":"NOT_FOUND","message":"no such session"}"#);
    let mut course = Course::new(calls().delete(ID));
    course.sends(Event::Begin);
    course.pauses(lost());
    course.sends(Event::Waited);
    course.ends(gone()).unwrap();

    let mut course = Course::new(calls().delete(ID));
    course.sends(Event::Begin);
    assert!(course.ends(gone()).unwrap_err().is_not_found());
}

/// Who stands between answers so, and does not know what the gateway has done.
#[test]
fn an_answer_that_is_not_the_gateways_leaves_it_open_what_was_done() {
    let mut course = Course::new(calls().delete(ID));
    course.sends(Event::Begin);
    course.pauses(answer(504, "<html>"));
    course.sends(Event::Waited);
    course.ends(answer(404, r#"{"code":"NOT_FOUND"}"#)).unwrap();

    let mut course = Course::new(calls().create(&create()));
    course.sends(Event::Begin);
    course.pauses(answer(502, "<html>"));
    let refused = || Event::Unanswered(NoAnswer::NotConnected("refused".to_owned()));
    for _ in 0..2 {
        course.sends(Event::Waited);
        course.pauses(refused());
    }
    course.sends(Event::Waited);
    assert!(matches!(course.ends(refused()), Err(Error::NoAnswer { .. })));
}

#[test]
fn clearing_goes_on_past_a_session_that_has_just_ended() {
    let mut course = Course::new(calls().clear(&device()));
    let list = course.sends(Event::Begin);
    assert_eq!(list.path(), "/qod/v0/retrieve-sessions");
    let found = format!("[{},{}]", session("a", "AVAILABLE"), session("b", "AVAILABLE"));
    assert_eq!(course.sends(answer(200, found)).path(), "/qod/v0/sessions/a");
    assert_eq!(course.sends(answer(404, "{}")).path(), "/qod/v0/sessions/b");
    let cleared: Cleared = course.ends(answer(204, "")).unwrap();
    assert_eq!((cleared.deleted, cleared.ended), (vec!["b".to_owned()], vec!["a".to_owned()]));
}

#[test]
fn a_list_goes_on_while_there_is_more() {
    let mut course = Course::new(calls().all_sessions());
    assert_eq!(course.sends(Event::Begin).path(), "/qod/v0/sessions?page=1&perPage=100");
    let page = |ids: [&str; 2]| {
        format!("[{},{}]", session(ids[0], "AVAILABLE"), session(ids[1], "AVAILABLE"))
    };
    let more = answer_with(200, "link", r#"</x>; rel="next""#, page(["a", "b"]));
    assert_eq!(course.sends(more).path(), "/qod/v0/sessions?page=2&perPage=100");
    // One has moved to the next page meanwhile.
    let found = course.ends(answer(200, page(["b", "c"]))).unwrap();
    assert_eq!(found.iter().map(SessionInfo::id).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn waiting_looks_ever_more_slowly_and_not_beyond_its_time() {
    let mut course = Course::new(calls().wait_available(ID, Duration::from_millis(100)));
    course.sends(Event::Begin);
    let requested = || answer(200, session(ID, "REQUESTED"));
    let mut waited = Duration::ZERO;
    for expected_ms in [20, 40, 40] {
        let pause = course.pauses(requested());
        assert_eq!(pause, Duration::from_millis(expected_ms));
        waited += pause;
        course.sends(Event::Waited);
    }
    assert_eq!(waited, Duration::from_millis(100));
    assert!(matches!(course.ends(requested()), Err(Error::NotYet { .. })));
}

/// A gateway that is not well does not make a wait last longer than it was to.
#[test]
fn waiting_for_a_gateway_that_fails_comes_to_an_end() {
    let wait = |ms| calls().wait_available(ID, Duration::from_millis(ms));
    let mut course = Course::new(wait(3_000));
    let whole = Duration::from_secs(30);
    assert_eq!(course.sends(Event::Begin).timeout(whole), Duration::from_secs(3));
    // A try has a second, even if there is less left.
    let busy = || answer_with(503, "retry-after", "0", String::new());
    course.1 = Duration::from_millis(2_500);
    course.pauses(busy());
    assert_eq!(course.sends(Event::Waited).timeout(whole), Duration::from_secs(1));
    course.1 = Duration::from_millis(2_950);
    assert_eq!(course.ends(busy()).unwrap_err().status(), Some(503));

    let mut course = Course::new(wait(3_000));
    course.sends(Event::Begin);
    course.1 = Duration::from_secs(3);
    let silent = course.ends(Event::Unanswered(NoAnswer::TimedOut));
    assert!(matches!(silent, Err(Error::NoAnswer { timed_out: true, .. })), "{silent:?}");
    // Whoever has not to be there by a certain time is not in a hurry.
    let get = Course::new(calls().get(ID)).sends(Event::Begin);
    assert_eq!(get.timeout(whole), whole);
}

/// A list that is cut off would look like all there is.
#[test]
fn a_list_without_an_end_is_no_list() {
    let mut course = Course::new(calls().all_sessions());
    let more = || answer_with(200, "link", r#"</x>; rel="next""#, "[]".to_owned());
    course.sends(Event::Begin);
    for _ in 1..10_000 {
        course.sends(more());
    }
    let endless = course.ends(more()).unwrap_err();
    assert!(endless.to_string().contains("1000000"), "{endless}");
}

#[test]
fn what_is_no_gateway_is_told_from_one() {
    let mut course = Course::new(calls().get(ID));
    course.sends(Event::Begin);
    let page = course.ends(answer(200, "<html>It works!</html>")).unwrap_err();
    assert!(page.to_string().contains("It works!"), "{page}");
    let mut course = Course::new(calls().sessions_of(&device()));
    course.sends(Event::Begin);
    let page = course.ends(answer(404, "<html>Not here</html>")).unwrap_err();
    assert!(page.refusal().unwrap().hint().unwrap().contains("base URL"), "{page}");
    // There is none of a session that has ended, and always one of a list.
    let missing = || answer(404, r#"{"code":"NOT_FOUND","message":"there is none"}"#);
    let mut course = Course::new(calls().get(ID));
    course.sends(Event::Begin);
    assert_eq!(course.ends(missing()).unwrap_err().refusal().unwrap().hint(), None);
    let mut course = Course::new(calls().create(&create()));
    course.sends(Event::Begin);
    let path = course.ends(missing()).unwrap_err();
    assert!(path.refusal().unwrap().hint().unwrap().contains("no such path"), "{path}");
    let mut course = Course::new(calls().get(ID));
    course.sends(Event::Begin);
    let moved = course.ends(answer(301, "")).unwrap_err();
    assert!(moved.refusal().unwrap().hint().unwrap().contains("redirect"), "{moved}");
}

#[test]
fn times_are_read_in_either_form() {
    for (started, expires) in [
        (r#""2026-11-22T16:27:45.123Z""#, r#""2026-11-22T17:27:45+00:00""#),
        ("1795364865", "1795368465"),
    ] {
        let body = format!(
            r#"{{"sessionId":"x","qosProfile":"QOS_L","qosStatus":"AVAILABLE","device":null,
            "devicePorts":{{"ranges":null,"ports":[80]}},"unknown":[1],
            "startedAt":{started},"expiresAt":{expires}}}"#
        );
        let mut course = Course::new(calls().get("x"));
        course.sends(Event::Begin);
        let seen = course.ends(answer(200, body)).unwrap();
        let lasts = seen.expires_at().unwrap().duration_since(seen.started_at().unwrap()).unwrap();
        assert_eq!(lasts.as_secs_f64().round(), 3_600.0);
        assert_eq!(seen.device_ports().unwrap().singles().collect::<Vec<_>>(), [80]);
    }
}
