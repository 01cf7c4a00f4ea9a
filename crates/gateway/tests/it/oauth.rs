//! The sandbox's issuer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::client::{Answer, TestClient};
use crate::fixture::{Fixture, SESSIONS};
use crate::mint::{Signer, decode};
use crate::tokens::{NOW, Wall, bearer};

const TOKEN: &str = "/oauth2/v1/token";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const READ: &str = "quality-on-demand:sessions:read";

async fn post_form(client: &TestClient, parameters: &[(&str, &str)]) -> Answer {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(parameters);
    let client = client.header("content-type", "application/x-www-form-urlencoded");
    client.send(Method::POST, TOKEN, &body.finish()).await
}

fn key(f: &Fixture) -> String {
    f.gateway.sandbox().application_key.expose_secret().to_owned()
}

fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json["error"], error, "{answer:?}");
    assert!(answer.json["error_description"].as_str().unwrap().split(' ').count() > 2);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&decode(token.split('.').nth(1).unwrap())).unwrap()
}

#[tokio::test]
async fn it_says_what_it_can() {
    let f = Fixture::new().await;
    let nobody = TestClient::new(&f.api.root);
    let found = nobody.get("/.well-known/openid-configuration").await;
    let root = &f.api.root;
    assert_eq!(found.json["issuer"], *root);
    assert_eq!(found.json["token_endpoint"], format!("{root}{TOKEN}"));
    assert_eq!(found.json["grant_types_supported"], json!(["client_credentials"]));
    assert_eq!(found.json["scopes_supported"].as_array().unwrap().len(), 10);
    assert!(found.json.get("authorization_endpoint").is_none());
    let jwks = found.json["jwks_uri"].as_str().unwrap().strip_prefix(root).unwrap();
    let keys = nobody.get(jwks).await;
    let key = &keys.json["keys"][0];
    assert_eq!(
        (&key["kty"], &key["alg"], &key["use"]),
        (&"EC".into(), &"ES256".into(), &"sig".into())
    );
    assert!(key.get("d").is_none(), "{key}");
    assert_eq!(key["kid"], Signer::of(f.directory.path()).kid);
}

#[tokio::test]
async fn an_application_key_is_good_for_a_token() {
    let f = Fixture::new().await;
    let (nobody, key) = (TestClient::new(&f.api.root), key(&f));
    let basic = format!("Basic {}", STANDARD.encode(format!("1:{key}")));
    let (grant, scope) =
        (("grant_type", "client_credentials"), ("scope", "dpv:X qos-profiles:read"));
    let by_basic = post_form(&nobody.header("authorization", &basic), &[grant, scope]).await;
    let post = [grant, scope, ("client_id", "1"), ("client_secret", &key)];
    let by_post = post_form(&nobody, &post).await;
    for answer in [by_basic, by_post] {
        answer.assert_ok();
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(
            (&answer.json["token_type"], &answer.json["expires_in"]),
            (&"Bearer".into(), &3600.into())
        );
        assert_eq!(answer.json["scope"], "dpv:X qos-profiles:read");
        let token = answer.json["access_token"].as_str().unwrap();
        bearer(&f, token).get("/qos-profiles/v1/qos-profiles/QOS_L").await.assert_ok();
        let claims = claims_of(token);
        assert_eq!((&claims["client_id"], &claims["sub"]), (&"1".into(), &"1".into()));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3_600);
    }
    // What Nokia's SDKs do first.
    let path = "/oauth2/v1/auth/clientcredentials";
    let credentials = f.api.get(path).await;
    assert_eq!(credentials.json, json!({"client_id": "1", "client_secret": key}));
    nobody.get(path).await.assert_error(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn wrong_requests_are_refused_in_the_words_of_rfc_6749() {
    let f = Fixture::new().await;
    let (nobody, key) = (TestClient::new(&f.api.root), key(&f));
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", "1"),
        ("client_secret", key.as_str()),
        ("scope", READ),
    ];
    post_form(&nobody, &good).await.assert_ok();
    let stranger = f.stranger().await;
    let two = format!("{READ} qos-profiles:read");
    for (name, value, status, error) in [
        ("grant_type", "", 400, "invalid_request"),
        ("grant_type", "authorization_code", 400, "unsupported_grant_type"),
        ("client_id", "", 400, "invalid_request"),
        ("client_id", "2", 401, "invalid_client"),
        ("client_id", "default", 401, "invalid_client"),
        ("client_secret", "", 401, "invalid_client"),
        ("client_secret", "gw_test_x", 401, "invalid_client"),
        ("client_secret", stranger.key(), 401, "invalid_client"),
        ("scope", "", 400, "invalid_scope"),
        ("scope", " ", 400, "invalid_scope"),
        ("scope", "dpv:ServiceProvision", 400, "invalid_scope"),
        ("scope", "openid", 400, "invalid_scope"),
        ("scope", "quality-on-demand:sessions", 400, "invalid_scope"),
        ("scope", "qos-profiles:read dpv:A dpv:B", 400, "invalid_scope"),
        ("scope", "qos-profiles:read dpv:", 400, "invalid_scope"),
        ("scope", "qos-profiles:read dpv:a\"b\\\n", 400, "invalid_scope"),
        ("scope", &two.replace(' ', ","), 400, "invalid_scope"),
    ] {
        let mut parameters = good.to_vec();
        parameters.retain(|(given, _)| *given != name);
        parameters.push((name, value));
        assert_refused(&post_form(&nobody, &parameters).await, status, error);
    }
    let twice = [&good[..], &[("scope", READ)]].concat();
    assert_refused(&post_form(&nobody, &twice).await, 400, "invalid_request");
    let json = nobody.post(TOKEN, json!({"grant_type": "client_credentials"})).await;
    assert_refused(&json, 400, "invalid_request");
    for header in ["Basic", "Basic !", "Basic MTox", "Bearer x", &format!("Bearer {key}")] {
        let client = nobody.header("authorization", header);
        assert_refused(&post_form(&client, &[good[0], good[3]]).await, 401, "invalid_client");
        assert_refused(&post_form(&client, &good).await, 400, "invalid_request");
    }
}

fn assertion(signer: &Signer, claims: &Value) -> String {
    signer.sign_with(&json!({"alg": "ES256", "typ": "JWT", "kid": signer.kid}), claims)
}

/// A gateway and an application on it that has a key pair.
struct WithKeys {
    f: Fixture,
    wall: Wall,
    signer: Signer,
}

impl WithKeys {
    async fn new() -> Self {
        let wall = Wall::new();
        let f = Fixture::with_tokens(wall.settings()).await;
        let signer = Signer::new("mine");
        let jwks = json!({"keys": [signer.jwk()]});
        register(&f, 1, &jwks.to_string()).await.assert_ok();
        Self { f, wall, signer }
    }

    fn claims(&self, jti: &str) -> Value {
        json!({
            "iss": "1", "sub": "1", "aud": format!("{}{TOKEN}", self.f.api.root),
            "iat": NOW, "exp": NOW + 300, "jti": jti,
        })
    }

    async fn ask(&self, assertion: &str) -> Answer {
        let nobody = TestClient::new(&self.f.api.root);
        let parameters = [
            ("grant_type", "client_credentials"),
            ("scope", READ),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
        ];
        post_form(&nobody, &parameters).await
    }
}

async fn register(f: &Fixture, application: u32, jwks: &str) -> Answer {
    let path = format!("/greenwave/v1/applications/{application}/jwks");
    f.admin.header("content-type", "application/json").send(Method::PUT, &path, jwks).await
}

#[tokio::test]
async fn an_assertion_lives_300_seconds_and_is_good_for_once() {
    let k = WithKeys::new().await;
    let first = assertion(&k.signer, &k.claims("once"));
    let answer = k.ask(&first).await;
    bearer(&k.f, answer.assert_ok().json["access_token"].as_str().unwrap())
        .get(SESSIONS)
        .await
        .assert_ok();
    assert_refused(&k.ask(&first).await, 401, "invalid_client");
    // The same name in another assertion, and for as long as the first could be used.
    let mut again = k.claims("once");
    again["exp"] = json!(NOW + 200);
    assert_refused(&k.ask(&assertion(&k.signer, &again)).await, 401, "invalid_client");
    k.wall.set(NOW + 359);
    assert_refused(&k.ask(&first).await, 401, "invalid_client");
    k.wall.set(NOW);

    let refused = [
        ("exp", json!(NOW + 301)),
        ("exp", json!(NOW - 60)),
        ("exp", Value::Null),
        ("iat", json!(NOW - 1)),
        ("iat", json!(NOW + 61)),
        ("iat", Value::Null),
        ("nbf", json!(NOW + 61)),
        ("aud", json!(k.f.api.root)),
        ("aud", json!("https://other.example/oauth2/v1/token")),
        ("iss", json!("2")),
        ("sub", json!("2")),
        ("sub", Value::Null),
        ("jti", json!("")),
        ("jti", json!(1)),
        ("jti", json!("x".repeat(257))),
    ];
    for (number, (name, value)) in refused.into_iter().enumerate() {
        let mut claims = k.claims(&format!("refused {number}"));
        claims[name] = value;
        let answer = k.ask(&assertion(&k.signer, &claims)).await;
        assert_refused(&answer, 401, "invalid_client");
    }
    let mut taken = k.claims("another");
    taken["exp"] = json!(NOW + 299);
    taken["aud"] = json!([taken["aud"], "https://other.example"]);
    k.ask(&assertion(&k.signer, &taken)).await.assert_ok();
}

#[tokio::test]
async fn an_assertion_is_signed_with_a_registered_key() {
    let k = WithKeys::new().await;
    let claims = k.claims("x");
    let stranger = Signer::new("mine");
    assert_refused(&k.ask(&assertion(&stranger, &claims)).await, 401, "invalid_client");
    let issuer = Signer::of(k.f.directory.path());
    assert_refused(&k.ask(&assertion(&issuer, &claims)).await, 401, "invalid_client");
    for header in [
        json!({"alg": "none", "kid": "mine"}),
        json!({"alg": "RS256", "kid": "mine"}),
        json!({"alg": "ES256", "kid": "yours"}),
        json!({"alg": "ES256", "kid": "mine", "typ": "at+jwt"}),
    ] {
        let answer = k.ask(&k.signer.sign_with(&header, &claims)).await;
        assert_refused(&answer, 401, "invalid_client");
    }
    // Another application's keys are not this one's.
    k.f.stranger().await;
    let other = Signer::new("other");
    let jwks = json!({"keys": [other.jwk()]}).to_string();
    register(&k.f, 2, &jwks).await.assert_ok();
    let mut claims = k.claims("y");
    assert_refused(&k.ask(&assertion(&other, &claims)).await, 401, "invalid_client");
    (claims["iss"], claims["sub"]) = (json!("2"), json!("2"));
    let answer = k.ask(&assertion(&other, &claims)).await;
    let token = answer.assert_ok().json["access_token"].as_str().unwrap().to_owned();
    assert_eq!(claims_of(&token)["client_id"], "2");

    // With one key, its id need not be said; without keys, nothing can be.
    let bare = json!({"alg": "ES256"});
    k.ask(&k.signer.sign_with(&bare, &k.claims("z"))).await.assert_ok();
    k.f.admin.delete("/greenwave/v1/applications/1/jwks").await.assert_ok();
    let answer = k.ask(&assertion(&k.signer, &k.claims("after"))).await;
    assert_refused(&answer, 401, "invalid_client");
}

#[tokio::test]
async fn keys_of_no_use_are_not_registered() {
    let f = Fixture::new().await;
    let signer = Signer::new("mine");
    let with = |name: &str, value: Value| {
        let mut jwk = signer.jwk();
        jwk[name] = value;
        json!({"keys": [jwk]}).to_string()
    };
    for bad in [
        "{}".to_owned(),
        r#"{"keys":[]}"#.to_owned(),
        with("d", json!("AA")),
        with("use", json!("enc")),
        with("alg", json!("HS256")),
        with("alg", json!("ES384")),
        with("x", json!("AA")),
        with("crv", json!("secp256k1")),
        json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}).to_string(),
        json!({"keys": [{"kty": "RSA", "e": "AQAB", "n": "AQAB"}]}).to_string(),
        json!({"keys": vec![signer.jwk(); 101]}).to_string(),
    ] {
        register(&f, 1, &bad).await.assert_error(400, "INVALID_ARGUMENT");
    }
    let good = json!({"keys": [signer.jwk()]}).to_string();
    register(&f, 9, &good).await.assert_error(404, "NOT_FOUND");
    let kept = register(&f, 1, &good).await;
    assert_eq!(kept.assert_ok().json["jwks"]["keys"][0]["kid"], "mine");

    let (directory, timer) = f.stop().await;
    let f = Fixture::open(directory, timer, std::time::Duration::ZERO).await;
    let listed = f.admin.get("/greenwave/v1/applications").await;
    assert_eq!(listed.json[0]["jwks"]["keys"][0]["kid"], "mine");
}

#[tokio::test]
async fn the_operator_makes_tokens_of_any_kind() {
    let f = Fixture::new().await;
    let path = "/greenwave/v1/sandbox/tokens";
    let ask = |body: Value| f.admin.post(path, body);
    let all = ask(json!({"application": "new"})).await;
    assert_eq!(all.status, 201, "{all:?}");
    let claims = claims_of(all.json["access_token"].as_str().unwrap());
    assert_eq!(claims["client_id"], "2");
    assert_eq!(claims["scope"].as_str().unwrap().split(' ').count(), 10);
    let token = all.json["access_token"].as_str().unwrap();
    bearer(&f, token).get(SESSIONS).await.assert_ok();

    let one = json!({"application": "new", "device": "+36721601234567", "scopes": [READ]});
    let claims = claims_of(ask(one).await.json["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["phone_number"], &claims["scope"]),
        (&"+36721601234567".into(), &READ.into())
    );
    let nai = json!({"application": "new", "device": "device@testcsp.net"});
    let claims = claims_of(ask(nai).await.json["access_token"].as_str().unwrap());
    assert_eq!(claims["network_access_identifier"], "device@testcsp.net");
    for (life, taken) in [(-61, 401), (-30, 200)] {
        let over = ask(json!({"application": "new", "expires_in_s": life})).await;
        let token = over.json["access_token"].as_str().unwrap();
        assert_eq!(bearer(&f, token).get(SESSIONS).await.status, taken);
    }
    let none = ask(json!({"application": "new", "scopes": []})).await;
    assert_eq!(none.assert_ok().json["scope"], "");
    for (body, code) in [
        (json!({}), "INVALID_ARGUMENT"),
        (json!({"application": ""}), "INVALID_ARGUMENT"),
        (json!({"application": "a", "device": "3672"}), "INVALID_ARGUMENT"),
        (json!({"application": "a", "scopes": ["x"]}), "INVALID_ARGUMENT"),
        (json!({"application": "a", "expiresInS": 86_401}), "OUT_OF_RANGE"),
        (json!({"application": "a", "more": 1}), "INVALID_ARGUMENT"),
    ] {
        ask(body).await.assert_error(400, code);
    }
    f.api.post(path, json!({"application": "new"})).await.assert_error(404, "NOT_FOUND");
}
