//! What operations share: headers, answers, and how one shows who one is.

use greenwave_wire::ErrorInfo;
use greenwave_wire::schema::error_schema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes,
    SecurityScheme,
};
use utoipa::openapi::{Components, ComponentsBuilder, ObjectBuilder, Ref};

use super::operation::error_response;
use super::{Described, errors};
use crate::auth::Scope;
use crate::http::oauth;

pub(super) const BEARER: &str = "bearer";
pub(super) const OAUTH2: &str = "oauth2";
pub(super) const RAPID_API_KEY: &str = "rapidApiKey";

/// The headers of answers, and what is said of each.
const HEADERS: [(&str, &str, &str); 10] = [
    (
        "x-correlator",
        "The request's own, or a new one: the gateway's log calls the request so.",
        "^[a-zA-Z0-9_:;./<>{}-]{1,256}$",
    ),
    ("Location", "Where what was made can be read.", "^/"),
    ("Retry-After", "After how many seconds to ask again.", "^[0-9]{1,9}$"),
    ("WWW-Authenticate", "How to show who one is.", "^(Bearer|Basic)"),
    (
        "Idempotent-Replayed",
        "The answer is that of an earlier request with the same key.",
        "^true$",
    ),
    ("Link", "Where the next page is (RFC 8288), if there is one.", "rel=\"next\"$"),
    ("Allow", "The methods that there are.", "^[A-Z,]+$"),
    ("RateLimit", "What is left, if there is a limit.", "^\"default\";r=[0-9]+;t=[0-9]+$"),
    ("RateLimit-Policy", "The limit, if there is one.", "^\"default\";q=[0-9]+;w=[0-9]+$"),
    ("Content-Security-Policy", "What the page may do.", "^default-src"),
];

pub(super) fn of(apis: &[&Described]) -> Components {
    let scopes: Scopes =
        Scope::ALL.map(|scope| (scope.as_str().to_owned(), String::new())).into_iter().collect();
    let oauth2 =
        OAuth2::new([Flow::ClientCredentials(ClientCredentials::new(oauth::TOKEN, scopes))]);
    let bearer = "An application key; its owner may do everything. To /quality-on-demand/v1 and \
                  /qos-profiles/v1, whoever shows it speaks as CAMARA defines it.";
    let key = "The same key, as Nokia's SDKs send it. To /quality-on-demand/v1 and \
               /qos-profiles/v1, whoever shows it speaks as Nokia's clients do. If both are there, \
               the bearer token decides.";
    let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(bearer));
    let header_key = ApiKeyValue::with_description("X-RapidAPI-Key", key);
    let (error, schema) = error_schema();
    let mut components = ComponentsBuilder::new()
        .security_scheme(OAUTH2, SecurityScheme::OAuth2(oauth2))
        .security_scheme(BEARER, SecurityScheme::Http(http.build()))
        .security_scheme(RAPID_API_KEY, SecurityScheme::ApiKey(ApiKey::Header(header_key)))
        .schema(error, schema);
    for (name, description, pattern) in HEADERS {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
        let header = HeaderBuilder::new().schema(Some(text)).description(Some(description));
        components = components.header(name, header.build());
    }
    for (name, shared) in shared() {
        let shared: Vec<&ErrorInfo> = shared.iter().collect();
        components = components.response(name, error_response(&shared));
    }
    for (name, schema) in apis.iter().flat_map(|api| &api.schemas) {
        components = components.schema(name, schema.clone());
    }
    components.build()
}

/// Where a header is in the document.
pub(super) fn header(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

/// Where these errors are in the document, if they are among those of many operations.
pub(super) fn shared_response(errors: &[&ErrorInfo]) -> Option<Ref> {
    let same = |shared: &Vec<ErrorInfo>| shared.iter().eq(errors.iter().copied());
    let found = shared().into_iter().find(|(_, shared)| same(shared));
    found.map(|(name, _)| Ref::from_response_name(name))
}

fn shared() -> [(&'static str, Vec<ErrorInfo>); 7] {
    let bodies = errors::of_bodies();
    let of = |status: u16, errors: &[ErrorInfo]| {
        errors.iter().filter(|error| error.status == status).cloned().collect()
    };
    [
        ("Unauthenticated", of(401, &errors::of_applications())),
        ("Timeout", of(408, &bodies)),
        ("PayloadTooLarge", of(413, &bodies)),
        ("UnsupportedMediaType", of(415, &bodies)),
        ("Internal", of(500, &errors::of_everything())),
        ("TooManyRequests", of(429, &errors::of_applications())),
        ("Unavailable", of(503, &errors::of_applications())),
    ]
}
