//! The OpenAPI documents of what applications use.
//!
//! Errors are the very values that handlers answer with, and examples are written by the very
//! writers, so neither can say anything else than the gateway does. The tests hold every answer
//! that they get against the document.

mod assignments;
mod components;
mod errors;
mod example;
mod operation;
mod probes;
mod profiles;
mod sessions;
mod tokens;
mod v0;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{OriginalUri, Path};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::Release;
use greenwave_wire::schema::Named;
use greenwave_wire::v0::Times;
use http::StatusCode;
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Info, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem};

use self::operation::Operation;
use super::Api;
use super::answer::{Failure, json};

/// All in one document.
pub(super) const ALL: &str = "/openapi.json";
/// One document for each API.
pub(super) const EACH: &str = "/openapi/{name}";

/// What is said of one API.
struct Described {
    /// What its document is called, and its operations are grouped by.
    name: &'static str,
    description: &'static str,
    schemas: Named,
    operations: Vec<Operation>,
    /// Whether it is in the document of all. The twin of another one is not.
    among_all: bool,
}

/// The document of all, and those of each API by the last part of their path.
struct Documents {
    all: Bytes,
    each: BTreeMap<String, Bytes>,
}

/// Made when somebody asks for them first: most gateways are started for something else.
static DOCUMENTS: LazyLock<Documents> = LazyLock::new(|| {
    let (all, each) = documents();
    let each = each.into_iter().map(|(name, text)| (name, Bytes::from(text))).collect();
    Documents { all: all.into(), each }
});

/// Where the documents are served.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route(ALL, get(all)).route(EACH, get(each))
}

async fn all() -> Response {
    json(StatusCode::OK, DOCUMENTS.all.clone())
}

async fn each(
    Path(name): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Failure> {
    match DOCUMENTS.each.get(&name) {
        Some(text) => Ok(json(StatusCode::OK, text.clone())),
        None => Err(ErrorInfo::unknown_path(uri.path(), &[ALL]).into()),
    }
}

/// The document of all, and those of each API by the last part of their path.
#[must_use]
pub fn documents() -> (String, BTreeMap<String, String>) {
    let described = described();
    let each = described.iter().map(|api| {
        let title = format!("Greenwave: {}", api.name);
        (format!("{}.json", api.name), written(&document(&title, api.description, &[api])))
    });
    let each = each.collect();
    let among_all: Vec<&Described> = described.iter().filter(|api| api.among_all).collect();
    (written(&document("Greenwave", ABOUT, &among_all)), each)
}

const ABOUT: &str = "\
Quality on Demand that anyone can run: an application asks that the network treat the traffic of \
one device better for a while.

Every answer has an `x-correlator`, `Cache-Control: no-store` and `X-Greenwave-Mode: sandbox`. \
An answer that is no success has a body `{status, code, message}`; programs go by the code. A \
path that there is not is answered with 404, a method with 405. A request whose head is larger \
than 32 KiB or has more than 100 headers is answered with 431, what is no HTTP with 400, both \
without a body.";

fn described() -> Vec<Described> {
    let mut all = vec![v0::described(Times::Iso), v0::described(Times::Epoch)];
    all.extend(Release::ALL.map(sessions::described));
    all.extend(Release::ALL.map(assignments::described));
    all.extend(Release::ALL.map(profiles::described));
    all.push(tokens::described());
    all.push(probes::described());
    all
}

fn document(title: &str, description: &str, apis: &[&Described]) -> OpenApi {
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0"));
    let mut info = Info::new(title, env!("CARGO_PKG_VERSION"));
    info.description = Some(description.to_owned());
    info.license = Some(license.build());
    let tags = apis
        .iter()
        .map(|api| TagBuilder::new().name(api.name).description(Some(api.description)).build());
    OpenApiBuilder::new()
        .info(info)
        .tags(Some(tags))
        .paths(paths(apis))
        .components(Some(components::of(apis)))
        .build()
}

fn paths(apis: &[&Described]) -> PathsBuilder {
    let mut items: Vec<(&str, PathItem)> = Vec::new();
    for api in apis {
        for operation in &api.operations {
            let path = &*operation.path;
            let item = PathItem::new(operation.method.clone(), operation.written(api.name));
            match items.iter_mut().find(|(other, _)| *other == path) {
                Some((_, known)) => known.merge_operations(item),
                None => items.push((path, item)),
            }
        }
    }
    items.into_iter().fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item))
}

fn written(document: &OpenApi) -> String {
    // Texts, numbers and lists can always be written.
    serde_json::to_string(document).unwrap_or_default()
}
