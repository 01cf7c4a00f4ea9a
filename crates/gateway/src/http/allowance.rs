//! What a caller has left of its rate limit, on its way into the headers of the answer
//! (draft-ietf-httpapi-ratelimit-headers).

use std::sync::{Arc, OnceLock};

use greenwave_wire::ErrorInfo;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::answer::Failure;
use crate::rates::{Left, Meter};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Where it is left until there is an answer. A request has one if anybody is limited at all.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowance(Arc<OnceLock<Left>>);

impl Allowance {
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Some(Left { limit, requests, reset_s }) = self.0.get() else { return };
        let policy = format!(r#""default";q={};w={}"#, limit.requests, limit.per_s);
        let left = format!(r#""default";r={requests};t={reset_s}"#);
        for (name, value) in [(POLICY, policy), (LIMIT, left)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// What counts the requests of a caller, if it is limited.
pub(super) struct Counter(Option<(Arc<Meter>, Option<Allowance>)>);

impl Counter {
    pub(super) fn new(meter: Option<Arc<Meter>>, parts: &Parts) -> Self {
        Self(meter.map(|meter| (meter, parts.extensions.get::<Allowance>().cloned())))
    }

    /// Counts this request, or refuses it.
    pub(super) fn count(&self) -> Result<(), Failure> {
        let Some((meter, allowance)) = &self.0 else { return Ok(()) };
        let counted = meter.count();
        let (Ok(left) | Err(left)) = counted;
        if let Some(Allowance(place)) = allowance {
            // A request is counted once.
            let _ = place.set(left);
        }
        counted.map(drop).map_err(|left| {
            ErrorInfo::too_many_requests(left.limit.requests, left.limit.per_s, left.reset_s).into()
        })
    }
}
