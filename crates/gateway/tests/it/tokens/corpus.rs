//! Forged and broken tokens, of which not one is taken.

use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::KeyPair;
use serde_json::{Value, json};

use super::{NOW, Wall, bearer, claims};
use crate::fixture::{Fixture, path, tutorial};
use crate::mint::{Signer, decode, encode};

/// The names and texts of bad tokens.
#[derive(Default)]
struct Corpus(Vec<(String, String)>);

impl Corpus {
    fn add(&mut self, name: &str, token: impl Into<String>) {
        self.0.push((name.to_owned(), token.into()));
    }
}

/// What is good but for one thing.
struct Good<'a> {
    signer: &'a Signer,
    claims: Value,
}

impl Good<'_> {
    fn claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        self.signer.sign(&claims)
    }

    fn without(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        self.signer.sign(&claims)
    }

    fn header(&self, name: &str, value: Value) -> String {
        let mut header = self.signer.header();
        header[name] = value;
        self.signer.sign_with(&header, &self.claims)
    }

    /// With text instead of JSON for the claims.
    fn text(&self, claims: &str) -> String {
        self.signer.sign_text(&self.signer.header().to_string(), claims)
    }
}

fn algorithms(good: &Good<'_>, corpus: &mut Corpus) {
    let token = good.signer.sign(&good.claims);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (_, payload) = message.split_once('.').unwrap();
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let header = encode(json!({"alg": name, "typ": "JWT"}).to_string());
        corpus.add(&format!("alg {name:?}, no signature"), format!("{header}.{payload}."));
        let kid = encode(json!({"alg": name, "kid": good.signer.kid}).to_string());
        corpus.add(&format!("alg {name:?}, a signature"), format!("{kid}.{payload}.{signature}"));
    }
    let jwk = good.signer.jwk();
    let secrets: [(&str, Vec<u8>); 4] = [
        ("the point", good.signer.public_key().to_vec()),
        ("its x", decode(jwk["x"].as_str().unwrap())),
        ("the JWK", jwk.to_string().into_bytes()),
        ("nothing", Vec::new()),
    ];
    for (name, secret) in secrets {
        let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": good.signer.kid});
        let message = format!("{}.{payload}", encode(header.to_string()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let tag = hmac::sign(&key, message.as_bytes());
        corpus.add(&format!("HS256 with {name}"), format!("{message}.{}", encode(tag.as_ref())));
    }
    for alg in ["ES384", "RS256", "PS256", "EdDSA", "es256", "ES256 ", "ES256K", "HS512"] {
        corpus.add(&format!("alg {alg} on a signature of ES256"), good.header("alg", json!(alg)));
    }
    corpus.add("alg a number", good.header("alg", json!(256)));
    corpus.add("alg a list", good.header("alg", json!(["ES256"])));
    let bare = json!({"typ": "at+jwt", "kid": good.signer.kid});
    corpus.add("no alg", good.signer.sign_with(&bare, &good.claims));
    corpus.add("an RSA key of its own", rsa(good));
}

fn rsa(good: &Good<'_>) -> String {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    let jwk = json!({"kty": "RSA", "n": encode(n), "e": encode(e)});
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": good.signer.kid, "x": jwk});
    let message = format!("{}.{}", encode(header.to_string()), encode(good.claims.to_string()));
    let mut signature = vec![0; pair.public_modulus_len()];
    let padding = &aws_lc_rs::signature::RSA_PKCS1_SHA256;
    let random = aws_lc_rs::rand::SystemRandom::new();
    pair.sign(padding, &random, message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", encode(signature))
}

fn wrong_claims(f: &Fixture, good: &Good<'_>, corpus: &mut Corpus) {
    let root = &f.api.root;
    for name in ["iss", "aud", "exp", "client_id"] {
        corpus.add(&format!("no {name}"), good.without(name));
        corpus.add(&format!("{name} null"), good.claim(name, Value::Null));
        corpus.add(&format!("{name} an object"), good.claim(name, json!({})));
    }
    let others = [
        json!("https://evil.example"),
        json!(format!("{root}/")),
        json!(root.to_uppercase()),
        json!(""),
        json!([]),
        json!(["https://evil.example", 1, null]),
    ];
    for other in &others {
        corpus.add(&format!("iss {other}"), good.claim("iss", other.clone()));
        corpus.add(&format!("aud {other}"), good.claim("aud", other.clone()));
    }
    corpus.add("iss in a list", good.claim("iss", json!([root])));
    for exp in [
        json!(NOW - 61),
        json!(NOW - 60),
        json!(0),
        json!(-1),
        json!((NOW + 600).to_string()),
        json!(true),
        json!([NOW + 600]),
        json!(i64::MIN),
        json!(1e300),
    ] {
        corpus.add(&format!("exp {exp}"), good.claim("exp", exp));
    }
    let endless = good.claims.to_string().replace(&format!("{}", NOW + 600), "1e999");
    corpus.add("exp without end", good.text(&endless));
    for nbf in [json!(NOW + 61), json!("1"), json!(1e300), Value::Null] {
        corpus.add(&format!("nbf {nbf}"), good.claim("nbf", nbf));
    }
    for client in ["999", "0", "-1", "01", "+1", " 1", "1 ", "default", "1;--", "", "4294967297"] {
        corpus.add(&format!("client {client:?}"), good.claim("client_id", json!(client)));
    }
    corpus.add("client a number", good.claim("client_id", json!(1)));
    for device in [json!("3672"), json!("+"), json!(3672), Value::Null, json!(["+36721234567"])] {
        corpus.add(&format!("device {device}"), good.claim("phone_number", device));
    }
    corpus.add("a device without a domain", good.claim("network_access_identifier", json!("a@")));
    corpus.add("scope a list", good.claim("scope", json!(["qos-profiles:read"])));
}

fn headers(good: &Good<'_>, corpus: &mut Corpus) {
    let kids = [
        json!("../../issuer.key"),
        json!("/dev/null"),
        json!("' OR '1'='1"),
        json!("x' UNION SELECT 'secret"),
        json!("| id"),
        json!(""),
        json!(null),
        json!(0),
        json!([good.signer.kid]),
        json!(format!("{} ", good.signer.kid)),
        json!("k".repeat(4_000)),
    ];
    for kid in kids {
        let name: String = kid.to_string().chars().take(40).collect();
        corpus.add(&format!("kid {name}"), good.header("kid", kid));
    }
    for typ in [
        json!("JWE"),
        json!("dpop+jwt"),
        json!("id_token"),
        json!("at+jwt "),
        json!(1),
        json!(null),
    ] {
        corpus.add(&format!("typ {typ}"), good.header("typ", typ));
    }
    for crit in [json!(["exp"]), json!([]), json!(null), json!(["b64"])] {
        corpus.add(&format!("crit {crit}"), good.header("crit", crit));
    }
    let stranger = Signer::new(&good.signer.kid);
    corpus.add("another key with its kid", stranger.sign(&good.claims));
    corpus.add("another key without a kid", {
        stranger.sign_with(&json!({"alg": "ES256"}), &good.claims)
    });
    for (name, value) in [
        ("jwk", stranger.jwk()),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = stranger.header();
        header[name] = value.clone();
        corpus.add(&format!("{name} of its own"), stranger.sign_with(&header, &good.claims));
        corpus.add(&format!("{name} beside the right key"), good.header(name, value));
    }
}

fn twice(good: &Good<'_>, corpus: &mut Corpus) {
    let claims = good.claims.to_string();
    for more in [
        format!(r#""exp":{}"#, NOW + 6_000),
        r#""client_id":"1""#.to_owned(),
        format!(r#""iss":{}"#, good.claims["iss"]),
        r#""scope":"""#.to_owned(),
        format!(r#""\u0065xp":{}"#, NOW + 6_000),
    ] {
        let end = format!("{},{more}}}", claims.strip_suffix('}').unwrap());
        corpus.add(&format!("twice, at the end: {more}"), good.text(&end));
        let beginning = format!("{{{more},{}", claims.strip_prefix('{').unwrap());
        corpus.add(&format!("twice, at the beginning: {more}"), good.text(&beginning));
    }
    let header = good.signer.header().to_string();
    for more in [r#""alg":"none""#, r#""alg":"ES256""#, r#""typ":"JWT""#] {
        let header = format!("{},{more}}}", header.strip_suffix('}').unwrap());
        corpus
            .add(&format!("twice in the header: {more}"), good.signer.sign_text(&header, &claims));
    }
}

fn broken(good: &Good<'_>, corpus: &mut Corpus) {
    let token = good.signer.sign(&good.claims);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    for text in ["", ".", "..", "...", "a.b.c", "e30.e30.", "null", "Bearer", header, message] {
        corpus.add(&format!("{:.20}", text), text);
    }
    for (name, text) in [
        ("four parts", format!("{token}.")),
        ("five parts", format!("{token}.{header}.{payload}")),
        ("no header", format!(".{payload}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("no signature", format!("{message}.")),
        ("a cut signature", token[..token.len() - 2].to_owned()),
        ("half a signature", format!("{message}.{}", &signature[..43])),
        ("two signatures", format!("{message}.{signature}{signature}")),
        ("a signature of nothing", format!("{message}.{}", encode([0; 64]))),
        ("a signature in DER", format!("{message}.{}", encode([0x30, 6, 2, 1, 1, 2, 1, 1]))),
        ("padding", format!("{message}.{signature}==")),
        ("a line break", format!("{message}.{} {}", &signature[..40], &signature[40..])),
        ("a quoted token", format!("\"{token}\"")),
        ("parts in another order", format!("{payload}.{header}.{signature}")),
    ] {
        corpus.add(name, text);
    }
    for at in [0, 20, 63] {
        let mut bytes = decode(signature);
        bytes[at] ^= 1;
        corpus.add(&format!("bit {at} of the signature"), format!("{message}.{}", encode(bytes)));
    }
    let mut more = good.claims.clone();
    more["scope"] = json!("quality-on-demand:sessions:create");
    let other = good.signer.sign(&more);
    let other_payload = other.split('.').nth(1).unwrap();
    corpus.add("claims of another token", format!("{header}.{other_payload}.{signature}"));
    let other_signature = other.rsplit('.').next().unwrap();
    corpus.add("a signature of another token", format!("{message}.{other_signature}"));
    let claims = good.claims.to_string();
    for text in [
        "[]",
        "null",
        "\"claims\"",
        "{",
        &format!("{claims} {claims}"),
        &format!("\u{feff}{claims}"),
        &format!("{claims}//"),
        &claims.replace("\"exp\":", "\"exp\":0"),
        &claims.replace("\"aud\"", "aud"),
        &format!(
            r#"{},"x":{}1{}}}"#,
            claims.strip_suffix('}').unwrap(),
            "[".repeat(600),
            "]".repeat(600)
        ),
    ] {
        corpus.add(&format!("claims {:.30}", text), good.text(text));
    }
    corpus.add("a list for a header", good.signer.sign_text("[]", &claims));
    corpus.add("too long", good.claim("padding", json!("x".repeat(6_200))));
    corpus.add("far too long", "x".repeat(60_000));
}

#[tokio::test]
async fn no_forged_or_broken_token_is_taken() {
    let wall = Wall::new();
    let f = Fixture::with_tokens(wall.settings()).await;
    let id = f.live(tutorial()).await;
    let signer = Signer::of(f.directory.path());
    let good = Good { signer: &signer, claims: claims(&f) };
    let mut corpus = Corpus::default();
    algorithms(&good, &mut corpus);
    wrong_claims(&f, &good, &mut corpus);
    headers(&good, &mut corpus);
    twice(&good, &mut corpus);
    broken(&good, &mut corpus);
    // A key that an application has registered is good for its assertions, and for no token.
    let own = Signer::new("own");
    let jwks = json!({"keys": [own.jwk()]}).to_string();
    let put = f.admin.header("content-type", "application/json");
    let kept = put.send(http::Method::PUT, "/greenwave/v1/applications/1/jwks", &jwks).await;
    kept.assert_ok();
    corpus.add("an application's own key", own.sign(&good.claims));
    assert!(corpus.0.len() >= 150, "{}", corpus.0.len());

    let nobody = f.api.root.clone();
    let nobody = crate::client::TestClient::new(&nobody).get(&path(&id)).await;
    for (name, token) in &corpus.0 {
        let answer = bearer(&f, token).get(&path(&id)).await;
        // A head that is too large is refused before anybody looks for a token.
        if answer.status == 431 {
            assert!(token.len() > 8_192, "{name}");
            continue;
        }
        answer.assert_error(401, "UNAUTHENTICATED");
        assert_eq!(answer.json, nobody.json, "{name}");
    }
    bearer(&f, &signer.sign(&good.claims)).get(&path(&id)).await.assert_ok();
}

/// What a token may say, too.
#[tokio::test]
async fn tokens_of_every_right_form_are_taken() {
    let wall = Wall::new();
    let f = Fixture::with_tokens(wall.settings()).await;
    let id = f.live(tutorial()).await;
    let signer = Signer::of(f.directory.path());
    let good = Good { signer: &signer, claims: claims(&f) };
    for (name, token) in [
        ("expired for 59 s", good.claim("exp", json!(NOW - 59))),
        ("a part of a second", good.claim("exp", json!(NOW as f64 + 0.5))),
        ("valid in 60 s", good.claim("nbf", json!(NOW + 60))),
        ("one of many", good.claim("aud", json!(["https://other.example", f.api.root]))),
        ("typ JWT", good.header("typ", json!("jwt"))),
        ("a phone", good.claim("phone_number", json!("+36721601234567"))),
        ("a name", good.claim("network_access_identifier", json!("device@testcsp.net"))),
        ("long", good.claim("padding", json!("x".repeat(5_500)))),
        ("a header of no meaning", good.header("x5t", json!("x"))),
        ("no typ", signer.sign_with(&json!({"alg": "ES256", "kid": signer.kid}), &good.claims)),
    ] {
        let answer = bearer(&f, &token).get(&camara_path(&id)).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    let answer = bearer(&f, &good.without("scope")).get(&camara_path(&id)).await;
    answer.assert_error(403, "PERMISSION_DENIED");
}

fn camara_path(id: &str) -> String {
    format!("/quality-on-demand/v1/sessions/{id}")
}
