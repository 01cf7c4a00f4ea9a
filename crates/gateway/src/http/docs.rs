//! The page for people who want to know what the gateway offers, and to try it. It reads the
//! OpenAPI document, and is all in the program: nothing is fetched from elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, Path};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use greenwave_wire::ErrorInfo;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderName, HeaderValue};

use super::Api;
use super::answer::Failure;

/// The page.
pub(super) const PAGE: &str = "/docs";
/// What it consists of.
pub(super) const PARTS: &str = "/docs/{part}";

/// The page runs what the gateway serves and nothing else, and talks to the gateway and nobody
/// else: a reader types a key into it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Each part with its media type.
const TEXTS: [(&str, &str, &str); 6] = [
    ("style.css", "text/css; charset=utf-8", include_str!("docs/style.css")),
    ("icon.svg", "image/svg+xml", include_str!("docs/icon.svg")),
    ("app.js", SCRIPT, include_str!("docs/app.js")),
    ("element.js", SCRIPT, include_str!("docs/element.js")),
    ("schema.js", SCRIPT, include_str!("docs/schema.js")),
    ("try.js", SCRIPT, include_str!("docs/try.js")),
];

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route(PAGE, get(page)).route(PARTS, get(part))
}

async fn page() -> Response {
    answer("text/html; charset=utf-8", include_str!("docs/index.html"))
}

async fn part(
    Path(name): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Failure> {
    let found = TEXTS.iter().find(|(part, ..)| *part == name);
    let found = found.map(|(_, media_type, text)| answer(media_type, text));
    found.ok_or_else(|| ErrorInfo::unknown_path(uri.path(), &[PAGE]).into())
}

fn answer(media_type: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 3] = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, text).into_response()
}
