//! Sockets on which things go wrong: the client meets a server that does what the test says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use greenwave_sdk::blocking::{self, Blocking};
use greenwave_sdk::operation::Executor;
use greenwave_sdk::{Client, ClientOf, DeviceId, Error, Notification, NotificationError, Tokio};

use crate::gateway::TestGateway;

const SESSION: &str = r#"{"sessionId":"x","qosProfile":"QOS_L","qosStatus":"REQUESTED"}"#;

/// What becomes of a connection once a request is read from it.
#[derive(Clone, Copy)]
enum Then {
    HangUp,
    Answer(&'static str, &'static str),
    /// Answers and hangs up without having said so.
    AnswerAndHangUp(&'static str, &'static str),
    SayNothing,
}

/// A server that takes one request after the other, each as it is told, and passes on what it read.
struct Server {
    root: String,
    requests: Receiver<String>,
}

impl Server {
    fn start(course: &[Then]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        let course = course.to_vec();
        std::thread::spawn(move || {
            let mut open: Option<TcpStream> = None;
            let mut silent = Vec::new();
            for then in course {
                let (request, mut stream) = next_request(&listener, &mut open);
                sender.send(request).unwrap();
                match then {
                    Then::HangUp => {}
                    Then::SayNothing => silent.push(stream),
                    Then::Answer(status, body) => {
                        write_answer(&mut stream, status, body);
                        open = Some(stream);
                    }
                    Then::AnswerAndHangUp(status, body) => write_answer(&mut stream, status, body),
                }
            }
            // Whoever comes now waits, and who waits goes on: a client may begin a connection that
            // it then does not need.
            silent.extend(listener.incoming().map_while(Result::ok));
        });
        Self { root, requests }
    }

    fn client<E: Executor>(&self, timeout: Duration) -> ClientOf<E> {
        ClientOf::builder().base_url(&self.root).timeout(timeout).retries(3).build("key").unwrap()
    }

    /// The value of a header of the next request.
    fn header(&self, name: &str) -> Option<String> {
        let request = self.requests.recv_timeout(Duration::from_secs(20)).unwrap();
        let mut lines = request.lines().map(|line| line.split_once(": ").unwrap_or((line, "")));
        lines.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_owned())
    }
}

/// The next request, and where it came from. A client may close a connection that it has, and send
/// on another one that it had begun meanwhile.
fn next_request(listener: &TcpListener, open: &mut Option<TcpStream>) -> (String, TcpStream) {
    loop {
        let mut stream = open.take().unwrap_or_else(|| listener.accept().unwrap().0);
        if let Some(request) = read_request(&mut stream) {
            return (request, stream);
        }
    }
}

/// Head and body, or nothing if the client went away.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|&count| count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_ascii_lowercase();
        let length = length.split("content-length: ").nth(1);
        let length = length.and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            return Some(text);
        }
    }
}

fn write_answer(stream: &mut TcpStream, status: &str, body: &str) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_lost_answer_leads_to_the_same_request_again() {
    let server = Server::start(&[Then::HangUp, Then::Answer("201 Created", SESSION)]);
    let client = server.client::<Blocking>(LONG);
    let device = client.device(DeviceId::phone_number("+36721601234567"));
    let session = device.create_qod_session("QOS_L").service_ipv4("203.0.113.5").send().unwrap();
    assert_eq!(session.id(), "x");
    let keys = [server.header("idempotency-key"), server.header("idempotency-key")];
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
}

#[tokio::test]
async fn a_lost_answer_leads_to_the_same_request_again_async() {
    let server = Server::start(&[Then::HangUp, Then::Answer("201 Created", SESSION)]);
    let client = server.client::<Tokio>(LONG);
    let device = client.device(DeviceId::phone_number("+36721601234567"));
    let create = device.create_qod_session("QOS_L").service_ipv4("203.0.113.5");
    assert_eq!(create.send().await.unwrap().id(), "x");
    let keys = [server.header("idempotency-key"), server.header("idempotency-key")];
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let server = Server::start(&[Then::AnswerAndHangUp("200 OK", SESSION); 4]);
    let client = server.client::<Blocking>(LONG);
    for _ in 0..4 {
        assert_eq!(client.session("x").unwrap().id(), "x");
        assert_eq!(server.header("x-rapidapi-key").as_deref(), Some("key"));
    }
}

#[test]
fn one_connection_is_used_again_and_again() {
    // The server takes no second connection while it has one.
    let server = Server::start(&[Then::Answer("200 OK", SESSION); 20]);
    let client = server.client::<Blocking>(LONG);
    for _ in 0..20 {
        client.session("x").unwrap();
    }
}

#[test]
fn a_gateway_that_says_nothing_is_not_waited_for_for_ever() {
    let server = Server::start(&[Then::SayNothing; 4]);
    let client = server.client::<Blocking>(Duration::from_millis(50));
    let failed = client.session("x").unwrap_err();
    assert!(matches!(failed, Error::NoAnswer { timed_out: true, .. }), "{failed}");
}

#[tokio::test]
async fn a_gateway_that_says_nothing_is_not_waited_for_for_ever_async() {
    let server = Server::start(&[Then::SayNothing; 4]);
    let client = server.client::<Tokio>(Duration::from_millis(50));
    let failed = client.session("x").await.unwrap_err();
    assert!(matches!(failed, Error::NoAnswer { timed_out: true, .. }), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_in_time_though_the_gateway_says_nothing() {
    let begun = std::time::Instant::now();
    let taken = [Then::Answer("200 OK", SESSION), Then::SayNothing];
    let server = Server::start(&taken);
    let session = server.client::<Blocking>(LONG).session("x").unwrap();
    let waited = session.wait_available(Duration::from_millis(50)).unwrap_err();
    assert!(matches!(waited, Error::NoAnswer { timed_out: true, .. }), "{waited}");
    let server = Server::start(&taken);
    let session = server.client::<Tokio>(LONG).session("x").await.unwrap();
    let waited = session.wait_available(Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(waited, Error::NoAnswer { timed_out: true, .. }), "{waited}");
    assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
}

#[test]
fn a_time_may_be_as_long_as_one_likes() {
    let server = Server::start(&[Then::Answer("200 OK", SESSION)]);
    let client = server.client::<Blocking>(Duration::MAX);
    assert_eq!(client.session("x").unwrap().id(), "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_share_a_client() {
    let gateway = TestGateway::start().await;
    let client: blocking::Client = gateway.client();
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let client = client.clone();
            std::thread::spawn(move || {
                let id = DeviceId::network_access_identifier(format!("t{number}@testcsp.net"));
                let device = client.device(id);
                for _ in 0..10 {
                    let create = device.create_qod_session("QOS_S").service_ipv4("203.0.113.5");
                    create.send().unwrap();
                }
                device.clear_sessions().unwrap().deleted.len()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 10);
    }
    client.executor().close_idle();
    assert!(client.sessions().unwrap().is_empty());
}

#[tokio::test]
async fn what_the_gateway_lacks_is_said() {
    let gateway = TestGateway::start().await;
    let client: Client = gateway.client();
    match client.qos_profiles().await {
        Ok(profiles) => assert!(profiles.iter().any(|profile| profile.name() == "QOS_L")),
        Err(error) => {
            let refusal = error.refusal().unwrap();
            assert_eq!(refusal.status(), 404);
            assert!(refusal.hint().unwrap().contains("no such path"), "{error}");
        }
    }
}

#[test]
fn profiles_are_read_with_all_their_members() {
    const PROFILES: &str = r#"[{"name":"QOS_E","status":"ACTIVE","priority":20}]"#;
    let server = Server::start(&[Then::Answer("200 OK", PROFILES)]);
    let profiles = server.client::<Blocking>(LONG).qos_profiles().unwrap();
    assert_eq!((profiles[0].name(), profiles[0].status()), ("QOS_E", Some("ACTIVE")));
    assert!(profiles[0].to_json().contains(r#""priority":20"#));
}

#[test]
fn a_notification_is_taken_only_with_its_token() {
    let body = br#"{"id":"x:1","specversion":"1.0","time":"2026-11-22T16:27:45.123Z",
        "data":{"sessionId":"x","qosStatus":"AVAILABLE"},
        "event":{"eventDetail":{"sessionId":"x","qosStatus":"AVAILABLE","statusInfo":""}}}"#;
    let receive = |authorization| Notification::receive(authorization, body, Some("my-token"));
    let taken = receive(Some("Bearer my-token")).unwrap();
    assert_eq!((taken.session_id.as_str(), taken.qos_status.as_str()), ("x", "AVAILABLE"));
    assert_eq!((taken.id.as_deref(), taken.status_info), (Some("x:1"), None));
    assert!(taken.time.is_some());
    for wrong in [None, Some("Bearer"), Some("Bearer my-toke"), Some("Bearer my-token2")] {
        assert_eq!(receive(wrong), Err(NotificationError::Unauthorized), "{wrong:?}");
    }
    assert!(Notification::receive(None, body, None).is_ok());
    // A token that somebody forgot to set opens nothing.
    for (authorization, token) in [(None, ""), (Some("Bearer "), ""), (Some(""), "Bearer ")] {
        let taken = Notification::receive(authorization, body, Some(token));
        assert_eq!(taken, Err(NotificationError::Unauthorized), "{authorization:?} {token:?}");
    }

    let earlier = br#"{"event":{"eventType":"QOS_STATUS_CHANGED","eventTime":"2026-11-22T16:27:45Z",
        "eventDetail":{"sessionId":"x","qosStatus":"UNAVAILABLE","statusInfo":"DURATION_EXPIRED"}}}"#;
    let taken = Notification::receive(None, earlier, None).unwrap();
    assert_eq!(taken.status_info.as_deref(), Some("DURATION_EXPIRED"));
    for wrong in ["", "[]", "{}", r#"{"data":{"sessionId":"x"}}"#] {
        let taken = Notification::receive(None, wrong.as_bytes(), None);
        assert!(matches!(taken, Err(NotificationError::Unreadable(_))), "{wrong}");
    }
}
