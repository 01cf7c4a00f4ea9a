//! Connections and what every answer has.

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{SOON, TestClient, within};
use crate::fixture::{Fixture, SESSIONS, tutorial};
use crate::raw::RawClient;

#[tokio::test]
async fn it_says_that_it_lives_and_serves() {
    let f = Fixture::new().await;
    let anonymous = TestClient::new(&f.api.root);
    anonymous.get("/healthz").await.assert_ok();
    anonymous.get("/readyz").await.assert_ok();
    let root = anonymous.get("/").await;
    assert_eq!(root.json["name"], "greenwave");
    anonymous.send(Method::HEAD, "/readyz", "").await.assert_ok();
}

#[tokio::test]
async fn every_answer_has_its_headers() {
    let f = Fixture::new().await;
    for path in [SESSIONS, "/healthz", "/nowhere"] {
        let answer = f.api.get(path).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["x-greenwave-mode"], "sandbox");
        assert!(!answer.headers["x-correlator"].is_empty());
    }
}

#[tokio::test]
async fn a_correlator_comes_back_unless_it_could_do_harm() {
    let f = Fixture::new().await;
    let correlated = async |value: &str| {
        let answer = f.api.header("x-correlator", value).get(SESSIONS).await;
        answer.headers["x-correlator"].to_str().unwrap().to_owned()
    };
    assert_eq!(correlated("abc-123_:;./<>{}").await, "abc-123_:;./<>{}");
    assert_ne!(correlated("a b").await, "a b");
    assert_ne!(correlated(&"a".repeat(257)).await, "a".repeat(257));
}

#[tokio::test]
async fn http2_is_spoken_too() {
    use bytes::Bytes;
    use http_body_util::{BodyExt, Full};
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;
    let f = Fixture::new().await;
    let http2: Client<_, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let request = http::Request::get(format!("{}/readyz", f.api.root));
    let answer = http2.request(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, http::Version::HTTP_2));
    answer.into_body().collect().await.unwrap();
}

/// Head and body may arrive apart, and the answer does not depend on the body.
#[tokio::test]
async fn an_answer_that_needs_no_body_leaves_its_connection_usable() {
    let f = Fixture::new().await;
    let head = format!("POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n");
    let mut client = RawClient::sending(&f.api.root, &head).await;
    for _ in 0..3 {
        client.send("{\"a\":1}").await;
        let refused = client.answer().await;
        assert_eq!(refused.status, 401);
        assert!(!refused.head.contains("connection: close"), "{}", refused.head);
        client.send(&head).await;
    }
    // One whose body does not come is told that it was the last.
    let last = client.answer().await;
    assert_eq!(last.status, 401);
    assert!(last.head.contains("connection: close"), "{}", last.head);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn what_is_no_http_is_hung_up_on() {
    let f = Fixture::new().await;
    let address = f.api.root.strip_prefix("http://").unwrap();
    for nonsense in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        let mut answer = Vec::new();
        within(SOON, "the end", stream.read_to_end(&mut answer)).await.unwrap();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    }
    f.api.get(SESSIONS).await.assert_ok();
}

#[tokio::test]
async fn a_request_that_is_under_way_is_finished_before_the_stop() {
    let f = Fixture::new().await;
    let address = f.api.root.strip_prefix("http://").unwrap().to_owned();
    let key = secrecy::ExposeSecret::expose_secret(&f.gateway.sandbox().application_key).to_owned();
    let body = tutorial().to_string();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nX-RapidAPI-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The gateway asks for the body, so the request is under way.
    let mut read = [0; 25];
    within(SOON, "100 Continue", stream.read_exact(&mut read)).await.unwrap();
    assert!(read.starts_with(b"HTTP/1.1 100"));
    let stopping = tokio::spawn(f.gateway.stop());
    until_refused(&address).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within(SOON, "an answer", stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 201"), "{}", String::from_utf8_lossy(&answer));
    within(SOON, "the stop", stopping).await.unwrap();
}

/// Waits until no new connections are taken.
async fn until_refused(address: &str) {
    let trying = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    within(SOON, "the listener to close", trying).await;
}
