//! Where events go, and what their receiver is shown.

use greenwave_core::rules::{CredentialRule, SinkRule};
use utoipa::openapi::schema::SchemaFormat;
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema};

use super::keyword::{Members, Optional, Presence, Required, formatted, object, text, words};
use super::{Named, Schemas};
use crate::sink::{LONGEST_TOKEN, LONGEST_URL};

impl Schemas {
    pub(super) fn of_sinks(&self) -> Named {
        let credential = self.named("SinkCredential", self.credential());
        match self.is_v0() {
            true => Vec::new(),
            false => vec![credential],
        }
    }

    fn credential(&self) -> RefOr<Schema> {
        let token = self.asked(self.access_token());
        match self.rules.sink_credential {
            CredentialRule::TokenAlone => token.into(),
            CredentialRule::TokenOrPrivateKey => {
                let by_key = "A token that the gateway is to get for itself. It has to be arranged \
                              with whoever runs the gateway, else it is refused.";
                let by_key = object(by_key).member(
                    "credentialType",
                    Required,
                    words("What it is.", &["PRIVATE_KEY_JWT"]),
                );
                OneOfBuilder::new().item(token).item(self.asked(by_key)).into()
            }
        }
    }

    fn access_token(&self) -> ObjectBuilder {
        // Nokia's clients may leave out what the others have to say.
        let presence: Presence = if self.is_nokias() { Optional } else { Required };
        let expires = "When it expires; nothing is sent after that.";
        object("A token that the receiver of events wants to be shown.")
            .member("credentialType", Required, words("What it is.", &["ACCESSTOKEN"]))
            .member("accessToken", Required, token("The token. It is never shown again."))
            .member("accessTokenExpiresUtc", presence, formatted(expires, "date-time"))
            .member("accessTokenType", presence, words("How it is sent.", &["bearer"]))
    }

    /// The URL of a request.
    pub(super) fn sink(&self) -> ObjectBuilder {
        sink(self.rules.sink).format(Some(SchemaFormat::Custom("uri".to_owned())))
    }
}

/// The URL of an answer: what was made by another version of the API is shown as it was asked for
/// there, and what is no URI to RFC 3986 may still be a URL to everybody else.
pub(super) fn sink_response() -> ObjectBuilder {
    sink(SinkRule::Any)
}

fn sink(rule: SinkRule) -> ObjectBuilder {
    let scheme = match rule {
        SinkRule::Any => "[Hh][Tt][Tt][Pp][Ss]?",
        SinkRule::Https => "https",
    };
    // Whoever needs a password has a credential for it.
    let url = text("Where events go; a URL without a user and password.");
    url.max_length(Some(LONGEST_URL))
        .pattern(Some(format!(r"^{scheme}://[^/?#@\\\x00-\x20\x7f]+(?:[/?#][^\x00-\x20\x7f]*)?$")))
}

pub(super) fn token(description: &str) -> ObjectBuilder {
    text(description)
        .min_length(Some(1))
        .max_length(Some(LONGEST_TOKEN))
        .pattern(Some("^[!-~][ -~]*$"))
}
