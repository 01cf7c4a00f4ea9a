//! Tokens of an issuer that is elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use greenwave::tokens::{ExternalIssuer, JwksSource, Settings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{NOW, Wall, bearer};
use crate::client::{SOON, within};
use crate::fixture::{Fixture, SESSIONS};
use crate::mint::Signer;

const ISSUER: &str = "https://login.example/realms/apps";
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// Serves a text, and counts how often.
struct Server {
    url: String,
    served: Arc<AtomicUsize>,
    /// What is answered: a status line's end, and a body.
    answer: Arc<Mutex<(&'static str, String)>>,
}

impl Server {
    async fn new(keys: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let served = Arc::new(AtomicUsize::new(0));
        let answer = Arc::new(Mutex::new(("200 OK", jwks(keys))));
        let (counted, said) = (Arc::clone(&served), Arc::clone(&answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4_096];
                let _ = stream.read(&mut head).await;
                counted.fetch_add(1, Ordering::SeqCst);
                let (status, body) = said.lock().unwrap().clone();
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
        });
        Self { url, served, answer }
    }

    fn serve(&self, keys: &[&Signer]) {
        *self.answer.lock().unwrap() = ("200 OK", jwks(keys));
    }

    fn fail(&self, status: &'static str, body: String) {
        *self.answer.lock().unwrap() = (status, body);
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}

fn jwks(keys: &[&Signer]) -> String {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()}).to_string()
}

fn settings(wall: &Wall, source: &str) -> Settings {
    let external = ExternalIssuer {
        issuer: ISSUER.to_owned(),
        jwks: JwksSource::parse(source).unwrap(),
        audience: "greenwave".to_owned(),
        client_claim: None,
        device_claim: "msisdn".to_owned(),
    };
    Settings { external: Some(external), ..wall.settings() }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "greenwave", "exp": NOW + 30 * DAY, "client_id": "default",
        "scope": "quality-on-demand:sessions:read",
    })
}

async fn status(f: &Fixture, token: &str) -> u16 {
    bearer(f, token).get(SESSIONS).await.status
}

#[tokio::test]
async fn its_tokens_name_an_application() {
    let (wall, signer) = (Wall::new(), Signer::new("one"));
    let server = Server::new(&[&signer]).await;
    let f = Fixture::with_tokens(settings(&wall, &server.url)).await;
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        signer.sign(&claims)
    };
    assert_eq!(status(&f, &signer.sign(&claims())).await, 200);
    assert_eq!(status(&f, &with("client_id", json!("shop"))).await, 401, "there is none");
    f.admin.post("/greenwave/v1/keys", json!({"application": "shop"})).await.assert_ok();
    assert_eq!(status(&f, &with("client_id", json!("shop"))).await, 200);
    assert_eq!(status(&f, &with("client_id", json!("1"))).await, 401, "an id is no name");
    assert_eq!(status(&f, &with("azp", json!("nobody"))).await, 200, "client_id comes first");
    let mut azp = claims();
    azp.as_object_mut().unwrap().remove("client_id");
    assert_eq!(status(&f, &signer.sign(&azp)).await, 401);
    azp["azp"] = json!("shop");
    assert_eq!(status(&f, &signer.sign(&azp)).await, 200);

    let of_device = with("msisdn", json!("+36721601234567"));
    assert_eq!(status(&f, &of_device).await, 403, "which is for CAMARA's paths");
    assert_eq!(status(&f, &with("msisdn", json!("36721601234567"))).await, 401);
    assert_eq!(status(&f, &with("aud", json!(f.api.root))).await, 401);
    // What is right for one issuer is not right for the other.
    assert_eq!(status(&f, &with("iss", json!(f.api.root))).await, 401);
    let own = Signer::of(f.directory.path());
    assert_eq!(status(&f, &own.sign(&claims())).await, 401);
    assert_eq!(server.served(), 1, "its keys were there from the start");
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_a_minute() {
    let (wall, signer) = (Wall::new(), Signer::new("one"));
    let server = Server::new(&[&signer]).await;
    let f = Fixture::with_tokens(settings(&wall, &server.url)).await;
    assert_eq!(status(&f, &signer.sign(&claims())).await, 200);
    let (header, claims) = (signer.header(), claims());
    for minute in 1..=2 {
        for number in 0..5_000 {
            let mut header = header.clone();
            header["kid"] = json!(format!("{minute} {number}"));
            assert_eq!(status(&f, &signer.sign_with(&header, &claims)).await, 401);
        }
        wall.set(NOW + MINUTE * minute as i64 - 1);
        assert_eq!(status(&f, &signer.sign_with(&json!({"alg": "ES256"}), &claims)).await, 200);
        let unknown = json!({"alg": "ES256", "kid": "unknown"});
        assert_eq!(status(&f, &signer.sign_with(&unknown, &claims)).await, 401);
        assert_eq!(server.served(), minute, "in minute {minute}");
        wall.set(NOW + MINUTE * minute as i64);
    }
}

#[tokio::test]
async fn those_who_come_together_wait_for_one_fetch() {
    let (wall, old, new) = (Wall::new(), Signer::new("old"), Signer::new("new"));
    let server = Server::new(&[&old]).await;
    let f = Fixture::with_tokens(settings(&wall, &server.url)).await;
    assert_eq!(status(&f, &old.sign(&claims())).await, 200);
    server.serve(&[&old, &new]);
    assert_eq!(status(&f, &new.sign(&claims())).await, 401, "it is too early to ask again");
    wall.set(NOW + MINUTE);
    let token = new.sign(&claims());
    let all = (0..50).map(|_| status(&f, &token));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all, [200; 50]);
    assert_eq!(server.served(), 2);
}

#[tokio::test]
async fn keys_outlive_an_outage_of_a_day() {
    let (wall, signer) = (Wall::new(), Signer::new("one"));
    let server = Server::new(&[&signer]).await;
    let f = Fixture::with_tokens(settings(&wall, &server.url)).await;
    let fresh = |number: i64| {
        let mut claims = claims();
        claims["jti"] = json!(number);
        signer.sign(&claims)
    };
    assert_eq!(status(&f, &fresh(0)).await, 200);
    let endless = jwks(&[&signer]) + &" ".repeat(1024 * 1024);
    let failures = [
        ("500 Internal Server Error", jwks(&[&signer])),
        ("200 OK", "no keys".to_owned()),
        ("200 OK", r#"{"keys":[]}"#.to_owned()),
        ("200 OK", endless),
        ("302 Found\r\nlocation: /elsewhere", jwks(&[&signer])),
    ];
    for (hour, (status_line, body)) in (1..).zip(failures) {
        server.fail(status_line, body);
        wall.set(NOW + hour * 3_600);
        // Until it has been asked again: what it said last may still be on its way.
        let asking = async {
            for number in 1.. {
                let taken = status(&f, &fresh(hour * 1_000_000 + number)).await;
                assert_eq!(taken, 200, "after {hour} h of {status_line}");
                if server.served() > hour as usize {
                    break;
                }
            }
        };
        within(SOON, "a fetch", asking).await;
    }
    wall.set(NOW + DAY - 1);
    assert_eq!(status(&f, &fresh(100)).await, 200);
    wall.set(NOW + DAY + MINUTE);
    assert_eq!(status(&f, &fresh(101)).await, 401);
    server.serve(&[&signer]);
    wall.set(NOW + DAY + 2 * MINUTE);
    assert_eq!(status(&f, &fresh(102)).await, 200);
}

/// Tokens that were taken before are not taken any more once their key is withdrawn.
#[tokio::test]
async fn a_key_that_is_withdrawn_is_forgotten() {
    let (wall, old, new) = (Wall::new(), Signer::new("old"), Signer::new("new"));
    let server = Server::new(&[&old, &new]).await;
    let f = Fixture::with_tokens(settings(&wall, &server.url)).await;
    let (token, other) = (old.sign(&claims()), new.sign(&claims()));
    assert_eq!((status(&f, &token).await, status(&f, &other).await), (200, 200));
    server.serve(&[&new]);
    wall.set(NOW + 10 * MINUTE - 1);
    assert_eq!(status(&f, &token).await, 200);
    assert_eq!(server.served(), 1);
    wall.set(NOW + 10 * MINUTE);
    assert_eq!(status(&f, &token).await, 200, "nobody has looked since");
    // Though no other token comes than this one.
    bearer(&f, &token).get_until(SESSIONS, |answer| answer.status == 401).await;
    assert_eq!(status(&f, &other).await, 200);
}

/// However often a token has been taken before.
#[tokio::test]
async fn no_token_outlives_an_outage_of_more_than_a_day() {
    let (wall, signer) = (Wall::new(), Signer::new("one"));
    let server = Server::new(&[&signer]).await;
    let f = Fixture::with_tokens(settings(&wall, &server.url)).await;
    let token = signer.sign(&claims());
    assert_eq!(status(&f, &token).await, 200);
    server.fail("500 Internal Server Error", String::new());
    wall.set(NOW + DAY - 1);
    assert_eq!(status(&f, &token).await, 200);
    wall.set(NOW + DAY);
    assert_eq!(status(&f, &token).await, 401);
    server.serve(&[&signer]);
    wall.set(NOW + DAY + MINUTE);
    assert_eq!(status(&f, &token).await, 200);
}

#[tokio::test]
async fn keys_can_be_in_a_file() {
    let (wall, signer, new) = (Wall::new(), Signer::new("one"), Signer::new("new"));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("jwks.json");
    let f = Fixture::with_tokens(settings(&wall, file.to_str().unwrap())).await;
    assert_eq!(status(&f, &signer.sign(&claims())).await, 401, "there is no file");
    std::fs::write(&file, jwks(&[&signer])).unwrap();
    wall.set(NOW + MINUTE);
    assert_eq!(status(&f, &signer.sign(&claims())).await, 200);
    std::fs::write(&file, jwks(&[&new])).unwrap();
    wall.set(NOW + 2 * MINUTE);
    assert_eq!(status(&f, &new.sign(&claims())).await, 200);
    assert_eq!(status(&f, &signer.sign(&claims())).await, 401);
}
