//! What every request goes through: a correlator, headers that every answer has, and a line in the
//! log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use greenwave_crashpoint::{Point, reached};
use greenwave_wire::ErrorInfo;
use http::header::{CACHE_CONTROL, CONNECTION, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version};
use tower::Service;

use super::Api;
use super::allowance::Allowance;
use super::answer::Failure;
use super::rest::Rest;
use crate::entropy;
use crate::secrets::write_hex;

pub(super) const CORRELATOR: HeaderName = HeaderName::from_static("x-correlator");
const MODE: HeaderName = HeaderName::from_static("x-greenwave-mode");

/// The longest correlator that is echoed (CAMARA Commonalities).
const LONGEST_CORRELATOR: usize = 256;

/// Which of the answers that something cannot be served now is written to the log: every …th.
const UNAVAILABLE_PER_LINE: u64 = 1_000;

/// After how many seconds, at most, a client is asked to try again.
const LONGEST_RETRY_AFTER: u16 = 5;

/// Has a request answered, and sees to the rest. `patterns` are the paths that there are.
pub(super) async fn observe(
    api: Arc<Api>,
    patterns: &'static [&'static str],
    mut request: Request<Body>,
    router: Router,
) -> Response {
    let began = Instant::now();
    let correlator = correlator(&api, request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let version = request.version();
    let allowance = api.applications.rates().are_set().then(Allowance::default);
    if let Some(allowance) = &allowance {
        request.extensions_mut().insert(allowance.clone());
    }
    let (request, rest) = Rest::of(request);
    let mut response = run(request, router).await;
    let status = response.status();
    let warning = is_worth_a_warning(&api, status);
    if warning || tracing::enabled!(tracing::Level::DEBUG) {
        let path = pattern(patterns, uri.path());
        let id = correlator.to_str().unwrap_or_default();
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let status = status.as_u16();
        if warning {
            tracing::warn!(%method, path, status, micros, correlator = id, "request");
        } else {
            tracing::debug!(%method, path, status, micros, correlator = id, "request");
        }
    }
    let headers = response.headers_mut();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, retry_after(&api));
    }
    if version <= Version::HTTP_11 && api.draining.load(Ordering::Relaxed) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(rest) = rest {
        rest.read(headers).await;
    }
    reached(Point::HttpBeforeAnswer);
    if let Some(allowance) = allowance {
        allowance.write(headers);
    }
    headers.insert(CORRELATOR, correlator);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(MODE, HeaderValue::from_static("sandbox"));
    response
}

/// A handler that panics is a bug here, and no reason for silence there.
async fn run(request: Request<Body>, mut router: Router) -> Response {
    let answer = AssertUnwindSafe(async move { router.call(request).await });
    match answer.catch_unwind().await {
        Ok(Ok(answer)) => answer,
        Err(_) => Failure::from(ErrorInfo::internal()).into_response(),
    }
}

/// The path as it is written in the routes: a real one may hold a phone number.
fn pattern(patterns: &'static [&'static str], path: &str) -> &'static str {
    let fits = |pattern: &str| {
        let mut parts = path.split('/');
        let fit = |wanted: &str| {
            parts.next().is_some_and(|part| part == wanted || wanted.starts_with('{'))
        };
        pattern.split('/').all(fit) && parts.next().is_none()
    };
    patterns.iter().find(|pattern| fits(pattern)).copied().unwrap_or("(none)")
}

/// What is broken is said each time. Of what cannot be served now, the first and every thousandth
/// is: there may be very many, and writing them down would make it worse.
fn is_worth_a_warning(api: &Api, status: StatusCode) -> bool {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let before = api.unavailable.fetch_add(1, Ordering::Relaxed);
        return before.is_multiple_of(UNAVAILABLE_PER_LINE);
    }
    status.is_server_error()
}

/// Some seconds, not the same for everybody: those who come together should not come back together.
fn retry_after(api: &Api) -> HeaderValue {
    let mut drawn = [0];
    api.entropy.fill(&mut drawn);
    HeaderValue::from(1 + u16::from(drawn[0]) % LONGEST_RETRY_AFTER)
}

/// The request's own correlator, if it is one, else a new one.
fn correlator(api: &Api, headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(&CORRELATOR).filter(|value| is_correlator(value.as_bytes()));
    given.cloned().unwrap_or_else(|| {
        let mut drawn = [0; 32];
        write_hex(&entropy::sixteen(&*api.entropy), &mut drawn);
        HeaderValue::from_bytes(&drawn).unwrap_or(HeaderValue::from_static("none"))
    })
}

pub(super) fn is_correlator(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_:;./<>{}".contains(byte);
    (1..=LONGEST_CORRELATOR).contains(&text.len()) && text.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_calls_paths_by_their_pattern() {
        let patterns = &["/", "/a/{id}", "/a/{id}/b"];
        for (path, called) in [
            ("/", "/"),
            ("/a/+36721601234567", "/a/{id}"),
            ("/a/x/b", "/a/{id}/b"),
            ("/a", "(none)"),
            ("/a/x/c", "(none)"),
            ("/a/x/b/", "(none)"),
            ("", "(none)"),
        ] {
            assert_eq!(pattern(patterns, path), called, "{path}");
        }
    }

    #[test]
    fn only_harmless_correlators_are_echoed() {
        assert!(is_correlator(b"a-B_9:;./<>{}"));
        assert!(!is_correlator(b""));
        assert!(!is_correlator(b"a b"));
        assert!(!is_correlator(b"a\"b"));
        assert!(!is_correlator(&[b'a'; 257]));
    }
}
