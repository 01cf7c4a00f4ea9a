//! Which client asks for a token: it has signed an assertion, or, for convenience in the sandbox,
//! shows an application key as its secret.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use greenwave_core::ApplicationId;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::Refusal;
use super::form::Form;
use crate::http::Api;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client, if it has proved who it is in exactly one way.
pub(super) fn authenticate(
    api: &Api,
    headers: &HeaderMap,
    form: &Form,
) -> Result<ApplicationId, Refusal> {
    let named = form.get("client_id");
    let (basic, post) = (headers.get(AUTHORIZATION), form.get("client_secret"));
    let client = match (form.get("client_assertion"), basic, post) {
        (Some(assertion), None, None) => by_assertion(api, form, assertion)?,
        (None, Some(header), None) => {
            let (id, secret) = header.to_str().ok().and_then(read_basic).ok_or_else(|| {
                Refusal::invalid_client("Authorization has to be Basic, with client_id and secret")
            })?;
            by_secret(api, &id, &secret)?
        }
        (None, None, Some(secret)) => {
            let id = named.ok_or_else(|| Refusal::invalid_request("client_id is missing"))?;
            by_secret(api, id, secret)?
        }
        (None, None, None) => {
            let wrong = "the client does not prove who it is: send client_assertion, signed with \
                         its key, or its application key as client_secret";
            return Err(Refusal::invalid_client(wrong));
        }
        _ => return Err(Refusal::invalid_request("the client proves who it is in two ways")),
    };
    if named.is_some_and(|id| api.applications.with_id(id) != Some(client)) {
        return Err(Refusal::invalid_client("client_id is another client's"));
    }
    Ok(client)
}

fn by_assertion(api: &Api, form: &Form, assertion: &str) -> Result<ApplicationId, Refusal> {
    if form.get("client_assertion_type") != Some(JWT_BEARER) {
        let wrong = format!("client_assertion_type has to be {JWT_BEARER}");
        return Err(Refusal::invalid_request(wrong));
    }
    let client = api.assertions.check(assertion);
    client.map_err(|wrong| Refusal::invalid_client(format!("the assertion is not taken: {wrong}")))
}

fn by_secret(api: &Api, id: &str, secret: &str) -> Result<ApplicationId, Refusal> {
    let client = api.keys.authenticate(secret).filter(|client| client.0.to_string() == id);
    client.ok_or_else(|| {
        let wrong = "client_id is the id of an application (greenwave apps list), and the secret \
                     one of its keys";
        Refusal::invalid_client(wrong)
    })
}

/// Id and secret, each encoded as in a form (RFC 6749, section 2.3.1).
fn read_basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned())
}
