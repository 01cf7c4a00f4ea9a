//! The OpenAPI documents, and that they are true: together with `document.rs`, which looks at the
//! answers that all the other tests get.

use std::collections::BTreeSet;

use http::Method;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::client::{Answer, TestClient};
use crate::document::{DOCUMENTS, Operation};
use crate::fixture::Fixture;

#[tokio::test]
async fn the_documents_are_served() {
    let f = Fixture::new().await;
    let anonymous = TestClient::new(&f.api.root);
    let (all, each) = greenwave::http::documents();
    let served = anonymous.get("/openapi.json").await;
    assert_eq!(served.bytes, all);
    assert_eq!(served.json["openapi"], "3.1.0");
    for (name, text) in each {
        assert_eq!(anonymous.get(&format!("/openapi/{name}")).await.bytes, text, "{name}");
    }
    anonymous.get("/openapi/none.json").await.assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn the_page_is_served_and_may_do_little() {
    let f = Fixture::new().await;
    let anonymous = TestClient::new(&f.api.root);
    let page = anonymous.get("/docs").await;
    let text = String::from_utf8(page.bytes.to_vec()).unwrap();
    assert!(!text.contains("http://") && !text.contains("https://"), "nothing from elsewhere");
    let parts: Vec<&str> = text.split('"').filter(|part| part.starts_with("/docs/")).collect();
    assert!(parts.len() >= 3, "{text}");
    for part in parts.into_iter().chain(["/docs/schema.js", "/docs/try.js", "/docs/element.js"]) {
        let answer = anonymous.get(part).await;
        assert_eq!(answer.status, 200, "{part}");
        assert_eq!(
            answer.headers["content-security-policy"],
            page.headers["content-security-policy"]
        );
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    anonymous.get("/docs/none").await.assert_error(404, "NOT_FOUND");
}

#[tokio::test]
async fn every_path_is_documented_and_every_operation_is_there() {
    let f = Fixture::new().await;
    let root = f.api.get("/").await;
    let there: BTreeSet<&str> =
        root.json["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    let operations = Operation::all();
    let documented: BTreeSet<&str> = operations.iter().map(|o| &*o.path).collect();
    // What the page consists of is its own affair.
    let undocumented: Vec<_> = there.symmetric_difference(&documented).collect();
    assert_eq!(undocumented, [&"/docs/{part}"]);
    for path in documented {
        let methods: BTreeSet<&Method> =
            operations.iter().filter(|o| o.path == path).map(|o| &o.method).collect();
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = f.api.send(method.clone(), &path.replace(['{', '}'], ""), "").await;
            assert_eq!(
                answer.status != 405,
                methods.contains(&method),
                "{method} {path}: {answer:?}"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_example_fits() {
    let mut ids = BTreeSet::new();
    for document in DOCUMENTS.iter() {
        references(document, &mut |at| {
            assert!(document.pointer(at.strip_prefix('#').unwrap()).is_some(), "{at}");
        });
    }
    for operation in Operation::all() {
        operation.check_examples();
        let id = operation.is()["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} is there twice");
    }
}

fn references(value: &Value, seen: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            if let Some(at) = members.get("$ref").and_then(Value::as_str) {
                seen(at);
            }
            members.values().for_each(|value| references(value, seen));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, seen)),
        _ => {}
    }
}

/// Each example of a request is answered with a success.
#[tokio::test]
async fn the_examples_work() {
    for operation in Operation::all() {
        let Some((media_type, examples)) = operation.bodies() else {
            let f = Fixture::new().await;
            let api = client(&f, operation);
            let path = path_to(&f, operation).await;
            let answer = api.send(operation.method.clone(), &path, "").await;
            answer.assert_success(operation);
            continue;
        };
        for example in examples {
            let f = Fixture::new().await;
            let api = client(&f, operation).header("content-type", media_type);
            let path = path_to(&f, operation).await;
            let body = match media_type {
                "application/json" => example.to_string(),
                _ => form(&f, example),
            };
            let answer = api.send(operation.method.clone(), &path, &body).await;
            answer.assert_success(operation);
        }
    }
}

/// What is wrong with many requests in the same way is answered as documented.
#[tokio::test]
async fn what_is_wrong_is_answered_as_documented() {
    let f = Fixture::new().await;
    let anonymous = TestClient::new(&f.api.root);
    for operation in Operation::all() {
        let path = operation.path.replace(['{', '}'], "");
        let method = || operation.method.clone();
        let api = client(&f, operation);
        let secured = operation.is()["security"].as_array().is_some_and(|all| !all.is_empty());
        if secured {
            assert_eq!(anonymous.send(method(), &path, "").await.status, 401, "{path}");
        }
        let correlated = api.header("x-correlator", "not one").send(method(), &path, "").await;
        assert!(correlated.status < 500);
        let Some((media_type, _)) = operation.bodies() else { continue };
        let api_json = api.header("content-type", media_type);
        for body in ["", "{", "[]", "null", "{}", r#"{"x":1}"#, &"[".repeat(1_000)] {
            let answer = api_json.send(method(), &path, body).await;
            assert!(answer.status < 500, "{path}: {body}: {answer:?}");
        }
        let large = "x".repeat(70_000);
        assert!(api_json.send(method(), &path, &large).await.status < 500);
        assert!(api.send(method(), &path, "{}").await.status < 500);
        let key = api_json.header("Idempotency-Key", "a b").send(method(), &path, "{}").await;
        assert!(key.status < 500);
    }
}

impl Answer {
    fn assert_success(&self, operation: &Operation) {
        let fine = (200..300).contains(&self.status);
        assert!(fine, "{} {}: {self:?}", operation.method, operation.path);
    }
}

/// One who speaks as CAMARA's definitions have it, but where only Nokia's clients are known.
fn client(f: &Fixture, operation: &Operation) -> TestClient {
    let id = operation.is()["operationId"].as_str().unwrap();
    if id.ends_with(".listSessions") {
        return f.api.clone();
    }
    let key = f.gateway.sandbox().application_key.expose_secret().to_owned();
    let anonymous = TestClient::new(&f.api.root);
    match operation.path.starts_with("/oauth2/v1/token") {
        true => anonymous,
        false => anonymous.header("Authorization", &format!("Bearer {key}")),
    }
}

/// Where it is, with what it needs made before.
async fn path_to(f: &Fixture, operation: &Operation) -> String {
    let retrieves = operation.path.contains("/retrieve-");
    let made = match operation.path.split_once("/{") {
        Some((collection, _)) => make(f, collection).await,
        None if retrieves => {
            let base = operation.path.split_once("/retrieve-").unwrap().0;
            make(f, &format!("{base}/qos-assignments")).await;
            make(f, &format!("{base}/sessions")).await
        }
        None => None,
    };
    let parameters = operation.is()["parameters"].as_array().into_iter().flatten();
    let mut path = operation.path.clone();
    for parameter in parameters.filter(|parameter| parameter["in"] == "path") {
        let name = parameter["name"].as_str().unwrap();
        let example = parameter["example"].as_str().unwrap();
        path = path.replace(&format!("{{{name}}}"), made.as_deref().unwrap_or(example));
    }
    path
}

/// Makes something as the first example of its collection has it, if that has one, and tells its
/// id once it is available.
async fn make(f: &Fixture, collection: &str) -> Option<String> {
    let create =
        |operation: &&Operation| operation.path == collection && operation.method == Method::POST;
    let operation = Operation::all().iter().find(create)?;
    let (_, examples) = operation.bodies()?;
    let api = client(f, operation);
    let made = api.post(collection, examples[0].clone()).await;
    made.assert_success(operation);
    let place = made.headers["location"].to_str().unwrap().to_owned();
    let available = |answer: &Answer| {
        answer.json["qosStatus"] == "AVAILABLE" || answer.json["status"] == "AVAILABLE"
    };
    api.get_until(&place, available).await;
    Some(place.rsplit_once('/').unwrap().1.to_owned())
}

/// A form, with the id and a key of the application that there really is.
fn form(f: &Fixture, example: &Value) -> String {
    let key = f.gateway.sandbox().application_key.expose_secret().to_owned();
    let pairs = example.as_object().unwrap().iter().map(|(name, value)| match &**name {
        "client_secret" => format!("client_secret={key}"),
        name => format!("{name}={}", value.as_str().unwrap().replace(':', "%3A")),
    });
    pairs.collect::<Vec<_>>().join("&")
}
