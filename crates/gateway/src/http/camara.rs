//! The handlers of CAMARA's APIs: a module for each, in it a file for each operation, each a
//! recipe. What differs between releases is in the rules that come with the request.

pub(super) mod assignments;
pub(super) mod profiles;
pub(super) mod sessions;

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::response::Response;
use greenwave_core::device::{NetworkAccessIdentifier, PhoneNumber};
use greenwave_core::{Device, RuleSet, RuleSetId, SessionId};
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::{self, Release};
use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::Api;
use super::answer::Failure;
use super::body::JsonBody;
use super::caller::{Caller, Credential};
use super::idempotency::Named;
use super::observe::{CORRELATOR, is_correlator};
use crate::auth::Scope;
use crate::engine::Asker;

/// One who may do what it asks for, and how it is spoken to.
pub(super) struct Asking {
    pub(super) caller: Caller,
    pub(super) rules: &'static RuleSet,
    parts: Parts,
    api: Arc<Api>,
}

impl Asking {
    /// Lets a request in, in the order in which refusals go: who it is, what it may, and only then
    /// what it says.
    pub(super) async fn of(
        api: &Arc<Api>,
        which: camara::Api,
        scope: Scope,
        request: Request,
    ) -> Result<(Self, Request), Failure> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, api).await?;
        caller.check(scope)?;
        check_correlator(&parts.headers)?;
        let rules = rules(which, parts.uri.path(), &caller);
        let request = Request::from_parts(parts.clone(), body);
        Ok((Self { caller, rules, parts, api: Arc::clone(api) }, request))
    }

    /// As the engine knows it.
    pub(super) fn asker(&self) -> Asker<'_> {
        Asker { application: self.caller.application, device: self.caller.device.as_ref() }
    }

    /// What an engine's error is called here. Look-ups of what is not the caller's are counted.
    pub(super) fn failure(&self, error: &crate::engine::EngineError) -> Failure {
        self.api.misses.failure(self.caller.application, error, self.rules)
    }

    /// What tells the request from another one with the same name.
    pub(super) fn fingerprinted<'a>(&'a self, verb: &'a [u8], body: &'a [u8]) -> Asked<'a> {
        let device = self.caller.device.as_ref();
        let nai = device.and_then(Device::network_access_identifier);
        let phone = device.and_then(Device::phone_number);
        Asked {
            verb,
            rules: [self.rules.id.code()],
            of_token: [
                nai.map_or("", NetworkAccessIdentifier::text).as_bytes(),
                phone.map_or("", PhoneNumber::text).as_bytes(),
            ],
            body,
        }
    }

    /// The name of the request, if it has one by which it may be made again.
    pub(super) async fn named(&mut self, api: &Arc<Api>) -> Result<Named, Failure> {
        Named::from_request_parts(&mut self.parts, api).await
    }
}

/// What a request asks for, of which its fingerprint is made.
pub(super) struct Asked<'a> {
    verb: &'a [u8],
    rules: [u8; 1],
    /// The device that the token names: the same words are another request from another one.
    of_token: [&'a [u8]; 2],
    body: &'a [u8],
}

impl Asked<'_> {
    pub(super) fn parts(&self) -> [&[u8]; 5] {
        let [nai, phone] = self.of_token;
        [self.verb, &self.rules, nai, phone, self.body]
    }
}

/// The body of a request that has been let in.
pub(super) async fn body(api: &Arc<Api>, request: Request) -> Result<bytes::Bytes, Failure> {
    let JsonBody(body) = JsonBody::from_request(request, api).await?;
    Ok(body)
}

/// Which rules are meant. On the path that both have, Nokia's clients are known by their header.
fn rules(which: camara::Api, path: &str, caller: &Caller) -> &'static RuleSet {
    let of = |release: &Release| path.strip_prefix(release.base_path(which));
    let is = |release: &Release| of(release).is_some_and(|rest| rest.starts_with('/'));
    let release = Release::ALL.into_iter().find(is).unwrap_or(Release::R32);
    let nokia = caller.credential == Credential::RapidApiKey;
    if nokia && release == Release::R32 && which != camara::Api::QosProvisioning {
        return RuleSetId::NokiaV1.rules();
    }
    release.rules(which)
}

/// One that was given has to be one; an empty one is none.
fn check_correlator(headers: &HeaderMap) -> Result<(), Failure> {
    let given = headers.get(&CORRELATOR).map(HeaderValue::as_bytes).unwrap_or_default();
    if given.is_empty() || is_correlator(given) {
        return Ok(());
    }
    let wrong = "at most 256 letters, digits and characters of -_:;./<>{}, such as a UUID";
    Err(ErrorInfo::invalid_argument("x-correlator", wrong).into())
}

/// The id in the path, if it is one. Whether it has to be is for those to say who have been let in.
pub(super) struct PathId(Option<SessionId>);

impl FromRequestParts<Arc<Api>> for PathId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<Api>,
    ) -> Result<Self, Self::Rejection> {
        let id = Path::<String>::from_request_parts(parts, api).await.ok();
        Ok(Self(id.and_then(|Path(id)| SessionId::parse(&id))))
    }
}

impl PathId {
    /// The id of what is called so in the definitions.
    pub(super) fn get(self, name: &str) -> Result<SessionId, Failure> {
        let wrong = "a UUID, as it was given when it was created";
        self.0.ok_or_else(|| ErrorInfo::invalid_argument(name, wrong).into())
    }
}

/// Says where what was made can be read.
fn locate(response: &mut Response, rules: &RuleSet, collection: &str, id: SessionId) {
    let location = format!("{}/{collection}/{id}", camara::base_path(rules.id));
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
}
