//! What is not of an API: probes, the documents themselves, and the page that shows them.

use greenwave_wire::ErrorInfo;
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, Type};
use utoipa::openapi::{ObjectBuilder, Required};

use super::operation::{Answer, Operation};
use super::{ALL, Described, EACH};

const NAME: &str = "gateway";
const ABOUT: &str = "Whether the gateway lives and serves, and what it offers. No key is needed.";

pub(super) fn described() -> Described {
    let operations = vec![healthz(), readyz(), root(), all(), each(), page()];
    Described { name: NAME, description: ABOUT, schemas: Vec::new(), operations, among_all: true }
}

fn at(path: &str, summary: &'static str, id: &str) -> Operation {
    Operation::new(HttpMethod::Get, path, summary).id(NAME, id)
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn status(says: &str) -> (ObjectBuilder, Value) {
    let status = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("status", text().enum_values(Some([says])))
        .required("status");
    (status, json!({"status": says}))
}

fn healthz() -> Operation {
    let (schema, example) = status("ok");
    at("/healthz", "Does it live?", "healthz")
        .answers(Answer::new(200, "It does.").body(schema, example))
}

fn readyz() -> Operation {
    let (schema, example) = status("ready");
    at("/readyz", "Does it serve?", "readyz")
        .answers(Answer::new(200, "It does.").body(schema, example))
        .refuses([ErrorInfo::unavailable()])
}

fn root() -> Operation {
    let paths = ArrayBuilder::new().items(text());
    let schema = ["name", "version", "mode"]
        .into_iter()
        .fold(ObjectBuilder::new().schema_type(Type::Object), |schema, name| {
            schema.property(name, text()).required(name)
        })
        .property("paths", paths)
        .required("paths");
    let version = env!("CARGO_PKG_VERSION");
    let example =
        json!({"name": "greenwave", "version": version, "mode": "sandbox", "paths": ["/healthz"]});
    at("/", "What is there?", "root")
        .answers(Answer::new(200, "The paths that there are.").body(schema, example))
}

fn all() -> Operation {
    at(ALL, "The document of all APIs", "openapi").answers(document())
}

fn each() -> Operation {
    let name = ParameterBuilder::new()
        .name("name")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some("The name of an API, as operations are grouped by it, and .json."))
        .schema(Some(text()))
        .example(Some("qod-v0.json".into()));
    at(EACH, "The document of one API", "openapiOfOne")
        .parameter(name)
        .answers(document())
        .refuses([ErrorInfo::unknown_path("/openapi/none.json", &[ALL])])
}

fn document() -> Answer {
    let any = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("openapi", text())
        .required("openapi");
    Answer::new(200, "A document of OpenAPI 3.1.").body(any, json!({"openapi": "3.1.0"}))
}

fn page() -> Operation {
    at("/docs", "The page that shows all this", "docs").answers(
        Answer::new(200, "A page for people.")
            .body(text(), "<!doctype html>".into())
            .media_type("text/html; charset=utf-8")
            .headers(&["Content-Security-Policy"]),
    )
}
