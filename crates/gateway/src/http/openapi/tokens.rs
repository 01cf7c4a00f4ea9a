//! The sandbox's issuer of tokens.

use greenwave_wire::ErrorInfo;
use serde_json::json;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::schema::{AnyOfBuilder, Type};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref};

use super::operation::{Answer, Example, Operation};
use super::{Described, errors};
use crate::auth::Scope;
use crate::http::oauth;
use crate::tokens::LIFE_S;

const NAME: &str = "tokens";
const ABOUT: &str = "\
The sandbox's own issuer of access tokens (OAuth 2.0, client credentials). An application proves \
who it is with an assertion that it has signed, or, for convenience, with one of its keys as the \
secret. Tokens for one device are made by the operator.";

const ERROR: &str = "tokens.Error";

pub(super) fn described() -> Described {
    let operations = vec![token(), client_credentials(), jwks(), discovery()];
    let schemas = vec![(ERROR.to_owned(), error().into())];
    Described { name: NAME, description: ABOUT, schemas, operations, among_all: true }
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

/// An object of texts that all have to be there.
fn texts(description: &str, names: &[&str]) -> ObjectBuilder {
    let object = ObjectBuilder::new().schema_type(Type::Object).description(Some(description));
    names.iter().fold(object, |object, name| object.property(*name, text("")).required(*name))
}

fn error() -> ObjectBuilder {
    let codes = ["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"];
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("Why there is no token (RFC 6749, section 5.2)."))
        .property("error", text("A code for programs.").enum_values(Some(codes)))
        .required("error")
        .property("error_description", text("A text for people."))
        .required("error_description")
}

fn form() -> ObjectBuilder {
    let scopes = "What the token is to be good for, separated by spaces; one may say what for, as \
                  dpv:Name.";
    let members = [
        ("scope", scopes),
        ("client_id", "The id of the application."),
        ("client_secret", "One of its keys."),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", "A JWT that it has signed (RFC 7523)."),
    ];
    let grant = text("The one that there is.").enum_values(Some(["client_credentials"]));
    let form = ObjectBuilder::new().schema_type(Type::Object).property("grant_type", grant);
    members
        .into_iter()
        .fold(form, |form, (name, says)| form.property(name, text(says)))
        .required("grant_type")
        .required("scope")
}

fn token() -> Operation {
    let granted = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("access_token", text("The token."))
        .property("token_type", text("How to show it.").enum_values(Some(["Bearer"])))
        .property("expires_in", ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)))
        .property("scope", text("What it is good for."))
        .required("access_token")
        .required("token_type")
        .required("expires_in")
        .required("scope");
    let scope = Scope::SessionsCreate.as_str();
    let example = json!({"access_token": "eyJhbGciOiJFUzI1NiIs…", "token_type": "Bearer",
        "expires_in": LIFE_S, "scope": scope});
    let asked = json!({"grant_type": "client_credentials", "client_id": "1",
        "client_secret": "gw_test_…", "scope": scope});
    let asked = Example { name: "byKey", summary: "With a key as the secret", value: asked };
    let unread = ErrorInfo::invalid_body("did not arrive whole: send it again");
    let either = AnyOfBuilder::new().item(at()).item(Ref::from_schema_name("ErrorInfo"));
    let refused = json!({"error": "invalid_scope", "error_description": "there is no scope x"});
    let stranger = json!({"error": "invalid_client", "error_description": "the client does not prove who it is"});
    let errors =
        errors::of_bodies().into_iter().chain([ErrorInfo::busy(), ErrorInfo::unavailable()]);
    let errors = errors.filter(|error| ![unread.status, 415].contains(&error.status));
    Operation::new(HttpMethod::Post, oauth::TOKEN, "Get an access token")
        .id(NAME, "token")
        .reads_form(form(), [asked])
        .answers(Answer::new(200, "The token.").body(granted, example))
        .answers(Answer::new(400, "The request is not as it has to be.").body(either, refused))
        .answers(
            Answer::new(401, "The client has not proved who it is.")
                .body(at(), stranger)
                .headers(&["WWW-Authenticate"]),
        )
        .refuses(errors)
}

fn at() -> Ref {
    Ref::from_schema_name(ERROR)
}

fn client_credentials() -> Operation {
    let schema = texts("What to ask for a token with.", &["client_id", "client_secret"]);
    let example = json!({"client_id": "1", "client_secret": "gw_test_…"});
    let path = oauth::CLIENT_CREDENTIALS;
    Operation::new(HttpMethod::Get, path, "Id and secret of the application whose key it is")
        .id(NAME, "clientCredentials")
        .description("What Nokia's SDKs ask for first.")
        .with_key()
        .answers(Answer::new(200, "Id and secret.").body(schema, example))
}

fn jwks() -> Operation {
    let keys = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::Object));
    let schema =
        ObjectBuilder::new().schema_type(Type::Object).property("keys", keys).required("keys");
    let example = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "…", "x": "…", "y": "…"}]});
    Operation::new(HttpMethod::Get, oauth::JWKS, "The keys that tokens are signed with")
        .id(NAME, "jwks")
        .answers(Answer::new(200, "A JSON Web Key Set (RFC 7517).").body(schema, example))
}

fn discovery() -> Operation {
    let schema = texts("The document (RFC 8414).", &["issuer", "token_endpoint", "jwks_uri"]);
    let root = "http://127.0.0.1:9091";
    let example = json!({"issuer": root, "token_endpoint": format!("{root}{}", oauth::TOKEN),
        "jwks_uri": format!("{root}{}", oauth::JWKS)});
    Operation::new(HttpMethod::Get, oauth::DISCOVERY, "What the issuer can do")
        .id(NAME, "discovery")
        .answers(Answer::new(200, "The discovery document.").body(schema, example))
}
