//! Which errors operations have in common, as the values that handlers answer with.

use std::num::NonZeroU32;

use greenwave_core::rules::ExtendRule;
use greenwave_core::{InvalidRequest, ProfileName, ProfileStatus, Refusal, RuleSet};
use greenwave_wire::ErrorInfo;

/// Whatever is asked for.
pub(super) fn of_everything() -> Vec<ErrorInfo> {
    vec![ErrorInfo::internal()]
}

/// Whatever applications ask for.
pub(super) fn of_applications() -> Vec<ErrorInfo> {
    let (often, many) = (NonZeroU32::MIN, NonZeroU32::MIN.saturating_add(9));
    vec![
        ErrorInfo::unauthenticated(),
        ErrorInfo::too_many_requests(many, often, 1),
        ErrorInfo::busy(),
        ErrorInfo::unavailable(),
    ]
}

/// Whatever is sent in a body.
pub(super) fn of_bodies() -> Vec<ErrorInfo> {
    vec![
        ErrorInfo::invalid_body("is empty: it has to be a JSON object"),
        ErrorInfo::request_timeout(),
        ErrorInfo::payload_too_large(64),
        ErrorInfo::unsupported_media_type(),
    ]
}

/// Of requests that have an idempotency key.
pub(super) fn of_keys() -> Vec<ErrorInfo> {
    let wrong = "has to be one key of 1 to 255 visible ASCII characters, such as a UUID, either as \
                 it is or in quotation marks";
    vec![
        ErrorInfo::invalid_argument("Idempotency-Key", wrong),
        ErrorInfo::idempotency_in_progress(),
        ErrorInfo::idempotency_key_reused(),
    ]
}

/// Of requests that name a device.
pub(super) fn of_devices(rules: &RuleSet) -> Vec<ErrorInfo> {
    let known = "the sandbox knows every name at testcsp.net";
    let mut errors = vec![
        ErrorInfo::unknown_device("device.networkAccessIdentifier", known, rules),
        ErrorInfo::unsupported_identifier(rules),
        ErrorInfo::not_served(rules),
    ];
    let no_port = rules.port(70_000).err();
    let field = "device.ipv4Address.publicPort";
    errors.extend(no_port.map(|wrong| ErrorInfo::out_of_range(field, wrong)));
    errors
}

/// Of those that a token may name it for.
pub(super) fn of_tokens_devices() -> Vec<ErrorInfo> {
    vec![ErrorInfo::missing_identifier(), ErrorInfo::unnecessary_identifier()]
}

/// Of requests for a quality.
pub(super) fn of_creation(rules: &RuleSet) -> Vec<ErrorInfo> {
    let known = ["QOS_L", "QOS_M"].map(Box::from).into();
    let unknown = InvalidRequest::UnknownProfile { given: "QOS_XXL".into(), known };
    let refused = [Refusal::Conflict, Refusal::TooManySessions { limit: 100 }, Refusal::DeviceBusy];
    let mut errors = vec![ErrorInfo::of_invalid(&unknown, rules)];
    errors.extend(ProfileName::parse("QOS_OLD").ok().map(|name| {
        let old = InvalidRequest::ProfileNotApplicable { name, status: ProfileStatus::Deprecated };
        ErrorInfo::of_invalid(&old, rules)
    }));
    errors.extend(refused.map(|refusal| ErrorInfo::of_refusal(&refusal, rules)));
    errors
}

/// Of durations.
pub(super) fn of_sessions(rules: &RuleSet) -> Vec<ErrorInfo> {
    let too_long = InvalidRequest::DurationOutOfRange { given_s: 90_000, min_s: 1, max_s: 86_400 };
    vec![ErrorInfo::of_invalid(&too_long, rules)]
}

/// Of sinks and their credentials.
pub(super) fn of_sinks() -> Vec<ErrorInfo> {
    vec![
        ErrorInfo::invalid_sink("sink"),
        ErrorInfo::invalid_credential("sinkCredential.credentialType"),
        ErrorInfo::invalid_token_type("sinkCredential.accessTokenType"),
    ]
}

/// Of extensions.
pub(super) fn of_extensions(rules: &RuleSet) -> Vec<ErrorInfo> {
    const FIELD: &str = "requestedAdditionalDuration";
    let most = match rules.extend {
        ExtendRule::Remaining { largest_step, .. } => largest_step.as_secs(),
        ExtendRule::Overall => i32::MAX.unsigned_abs().into(),
    };
    let none = InvalidRequest::DurationOutOfRange { given_s: 0, min_s: 1, max_s: most };
    vec![ErrorInfo::out_of_range(FIELD, none), ErrorInfo::of_refusal(&Refusal::NotActive, rules)]
}

/// Of what has an id.
pub(super) fn of_ids(rules: &RuleSet) -> Vec<ErrorInfo> {
    vec![
        ErrorInfo::of_refusal(&Refusal::Unknown, rules),
        ErrorInfo::of_refusal(&Refusal::Foreign, rules),
        ErrorInfo::too_many_misses(30),
    ]
}

/// A correlator, or an id, that is none: CAMARA's APIs are strict there.
pub(super) fn of_camara(id: Option<&str>) -> Vec<ErrorInfo> {
    let correlator = "at most 256 letters, digits and characters of -_:;./<>{}, such as a UUID";
    let mut errors = vec![ErrorInfo::invalid_argument("x-correlator", correlator)];
    let wrong = "a UUID, as it was given when it was created";
    errors.extend(id.map(|id| ErrorInfo::invalid_argument(id, wrong)));
    errors
}

/// Of pages of a list.
pub(super) fn of_pages() -> Vec<ErrorInfo> {
    vec![
        ErrorInfo::invalid_argument("page", "a whole number from 1"),
        ErrorInfo::out_of_range("perPage", "a whole number from 1 to 100"),
    ]
}

/// What an answer with this status says.
pub(super) fn description(status: u16) -> &'static str {
    match status {
        400 => "Something in the request is not as it has to be: the message names it.",
        401 => "Nobody has shown who asks, or not with anything valid.",
        403 => "The one who asks may not do this.",
        404 => "There is nothing of this name, or not any more.",
        405 => "The path has no such method.",
        408 => "The body did not arrive in time.",
        409 => "It does not go together with something else.",
        413 => "The body is too large.",
        415 => "The body is not said to be JSON.",
        422 => "The request can be read, and cannot be carried out.",
        429 => "That is too much, or too often.",
        503 => "Not at the moment.",
        _ => "Something is broken in the gateway.",
    }
}

/// The headers that an answer with this status has, or may have.
pub(super) fn headers(status: u16) -> &'static [&'static str] {
    match status {
        401 => &["WWW-Authenticate"],
        405 => &["Allow"],
        429 => &["Retry-After", "RateLimit", "RateLimit-Policy"],
        409 | 503 => &["Retry-After"],
        _ => &[],
    }
}
