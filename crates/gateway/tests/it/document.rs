//! The OpenAPI document as a measure: every answer that a test gets is held against it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use http::Method;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::client::Answer;

/// The documents of all APIs, twins too.
pub(crate) static DOCUMENTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let (_, each) = greenwave::http::documents();
    each.values().map(|text| serde_json::from_str(text).unwrap()).collect()
});

/// The schemas that have been looked at, by document and place.
type Validators = Mutex<HashMap<(usize, String), Arc<Validator>>>;

static VALIDATORS: LazyLock<Validators> = LazyLock::new(Validators::default);

/// An operation of a document.
#[derive(Clone)]
pub(crate) struct Operation {
    document: usize,
    pub(crate) path: String,
    pub(crate) method: Method,
}

impl Operation {
    /// All that there are.
    pub(crate) fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Operation>> = LazyLock::new(Operation::read);
        &ALL
    }

    fn read() -> Vec<Self> {
        let mut all = Vec::new();
        for (document, value) in DOCUMENTS.iter().enumerate() {
            for (path, item) in value["paths"].as_object().unwrap() {
                for method in item.as_object().unwrap().keys() {
                    let method = method.to_uppercase().parse().unwrap();
                    all.push(Self { document, path: path.clone(), method });
                }
            }
        }
        all
    }

    pub(crate) fn is(&self) -> &'static Value {
        &DOCUMENTS[self.document]["paths"][&self.path][self.method.as_str().to_lowercase()]
    }

    /// The media type and the examples of its body, if it has one.
    pub(crate) fn bodies(&self) -> Option<(&'static str, Vec<&'static Value>)> {
        let (media_type, content) =
            self.is()["requestBody"]["content"].as_object()?.iter().next()?;
        let examples = content["examples"].as_object()?.values();
        Some((media_type, examples.map(|example| &example["value"]).collect()))
    }

    /// What its answers with this status look like, and where in the document that stands.
    fn response(&self, status: u16) -> Option<(String, &'static Value)> {
        let escaped = self.path.replace('~', "~0").replace('/', "~1");
        let method = self.method.as_str().to_lowercase();
        let place = format!("/paths/{escaped}/{method}/responses/{status}");
        let found = DOCUMENTS[self.document].pointer(&place)?;
        Some(match found["$ref"].as_str() {
            Some(at) => {
                let place = at.strip_prefix('#').unwrap();
                (place.to_owned(), DOCUMENTS[self.document].pointer(place).unwrap())
            }
            None => (place, found),
        })
    }

    /// Panics unless the answer is one that is documented.
    fn check(&self, answer: &Answer) {
        let what = format!("{} {}: {answer:?}", self.method, self.path);
        let (place, response) =
            self.response(answer.status).unwrap_or_else(|| panic!("undocumented: {what}"));
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let place = header["$ref"].as_str().unwrap().strip_prefix('#').unwrap().to_owned();
            let Some(value) = answer.headers.get(name) else { continue };
            let value = Value::from(value.to_str().unwrap());
            let validator = self.validator(&format!("{place}/schema"));
            assert!(validator.is_valid(&value), "{name} is not as documented: {what}");
        }
        let Some(content) = response["content"].as_object() else {
            assert!(answer.bytes.is_empty(), "a body that is not documented: {what}");
            return;
        };
        let media_type = answer.headers["content-type"].to_str().unwrap();
        assert!(content.contains_key(media_type), "another media type: {what}");
        let escaped = media_type.replace('/', "~1");
        let validator = self.validator(&format!("{place}/content/{escaped}/schema"));
        let body = match media_type {
            "application/json" => answer.json.clone(),
            _ => Value::from(String::from_utf8(answer.bytes.to_vec()).unwrap()),
        };
        let wrong: Vec<String> = validator.iter_errors(&body).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "not as documented: {wrong:?}: {what}");
    }

    /// Panics unless each example of a body fits its schema.
    pub(crate) fn check_examples(&self) {
        let place = |status: &str, media_type: &str| {
            let (at, _) = self.response(status.parse().unwrap()).unwrap();
            format!("{at}/content/{}/schema", media_type.replace('/', "~1"))
        };
        for status in self.is()["responses"].as_object().unwrap().keys() {
            let (_, response) = self.response(status.parse().unwrap()).unwrap();
            for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                let validator = self.validator(&place(status, media_type));
                for example in content["examples"].as_object().unwrap().values() {
                    let fits = validator.is_valid(&example["value"]);
                    assert!(fits, "{} {}: {status}: {example}", self.method, self.path);
                }
            }
        }
        let Some((media_type, examples)) = self.bodies() else { return };
        let escaped = (self.path.replace('/', "~1"), media_type.replace('/', "~1"));
        let method = self.method.as_str().to_lowercase();
        let place =
            format!("/paths/{}/{method}/requestBody/content/{}/schema", escaped.0, escaped.1);
        for example in examples {
            assert!(self.validator(&place).is_valid(example), "{}: {example}", self.path);
        }
    }

    fn validator(&self, place: &str) -> Arc<Validator> {
        let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.document, place.to_owned());
        let made = validators.entry(key).or_insert_with(|| {
            let document = DOCUMENTS[self.document].as_object().unwrap();
            let mut whole: Map<String, Value> = document.clone();
            let place = place.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D");
            whole.insert("$ref".to_owned(), json!(format!("#{place}")));
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            Arc::new(options.build(&Value::Object(whole)).unwrap())
        });
        Arc::clone(made)
    }
}

/// Panics if a documented operation has answered in another way than documented. What is no
/// operation is somebody else's: the operator's, or nobody's.
pub(crate) fn check(method: &Method, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap();
    let fits = |pattern: &str| {
        let mut parts = path.split('/');
        let all = pattern.split('/').all(|wanted| {
            parts.next().is_some_and(|part| part == wanted || wanted.starts_with('{'))
        });
        all && parts.next().is_none()
    };
    // What is too large to be looked at is answered by nobody.
    if answer.status == 431 {
        return;
    }
    // Of a listener that has other paths.
    if answer.json["message"].as_str().is_some_and(|said| said.starts_with("There is nothing at")) {
        return;
    }
    let on_path: Vec<&Operation> =
        Operation::all().iter().filter(|operation| fits(&operation.path)).collect();
    let Some(operation) = on_path.iter().find(|operation| operation.method == *method) else {
        let other_method = on_path.is_empty() || method == Method::HEAD || answer.status == 405;
        assert!(other_method, "undocumented: {method} {path}: {answer:?}");
        return;
    };
    assert!(answer.headers.contains_key("x-correlator"), "{method} {path}: {answer:?}");
    operation.check(answer);
}
