//! Where events go, and what their receiver wants to be shown: `sink` and `sinkCredential`.

use greenwave_core::Sink;
use greenwave_core::rules::{CredentialRule, SinkRule, TokenDetails};
use jiff::Timestamp;
use secrecy::SecretString;

use super::fields::Fields;
use crate::ErrorInfo;
use crate::sink::{self, SinkCredential};

/// Both members, if they are there. A credential without a sink has nobody to be shown to.
pub(super) fn read_sink(
    body: &mut Fields,
) -> Result<(Option<Sink>, Option<SinkCredential>), ErrorInfo> {
    let url = body.text("sink")?;
    let credential = body.object("sinkCredential")?;
    let sink = match &url {
        Some(url) => Some(read_url(body, url)?),
        None => None,
    };
    let credential = credential.map(read_credential).transpose()?;
    if sink.is_none() && credential.is_some() {
        let wrong = "is missing, and without it sinkCredential has nobody to be shown to";
        return Err(ErrorInfo::invalid_argument(&body.name("sink"), wrong));
    }
    Ok((sink, credential))
}

fn read_url(body: &Fields, url: &str) -> Result<Sink, ErrorInfo> {
    let name = body.name("sink");
    let sink = sink::read_url(&name, url);
    match body.rules().sink {
        SinkRule::Any => sink,
        SinkRule::Https if url.starts_with("https://") => sink,
        SinkRule::Https => Err(ErrorInfo::invalid_sink(&name)),
    }
}

fn read_credential(mut credential: Fields) -> Result<SinkCredential, ErrorInfo> {
    const TYPE: &str = "credentialType";
    let kind = credential.text(TYPE)?;
    let kind = credential.required(TYPE, kind, "ACCESSTOKEN")?;
    let (rule, name) = (credential.rules().sink_credential, credential.name(TYPE));
    match (&*kind, rule) {
        ("ACCESSTOKEN", _) => read_access_token(credential),
        ("PRIVATE_KEY_JWT", CredentialRule::TokenOrPrivateKey) => {
            credential.done()?;
            Err(ErrorInfo::private_key_jwt_not_configured())
        }
        ("PLAIN" | "REFRESHTOKEN", CredentialRule::TokenAlone) => {
            Err(ErrorInfo::invalid_credential(&name))
        }
        (_, CredentialRule::TokenAlone) => Err(ErrorInfo::invalid_argument(&name, "ACCESSTOKEN")),
        (_, CredentialRule::TokenOrPrivateKey) => {
            Err(ErrorInfo::invalid_argument(&name, "ACCESSTOKEN or PRIVATE_KEY_JWT"))
        }
    }
}

fn read_access_token(mut credential: Fields) -> Result<SinkCredential, ErrorInfo> {
    const TOKEN: &str = "accessToken";
    const EXPIRES: &str = "accessTokenExpiresUtc";
    const KIND: &str = "accessTokenType";
    let optional = credential.rules().token_details == TokenDetails::Optional;
    let token = credential.text(TOKEN)?;
    let token = credential.required(TOKEN, token, "the token to show to the receiver")?;
    let expires = credential.text(EXPIRES)?;
    let expires_at = match expires {
        Some(text) => Some(read_time(&credential.name(EXPIRES), &text)?),
        // Nokia's clients may leave it out.
        None if optional => None,
        None => credential.required(EXPIRES, None, "the time at which the token expires")?,
    };
    let kind = credential.text(KIND)?;
    let kind = if optional { kind.or_else(|| Some("bearer".to_owned())) } else { kind };
    let kind = credential.required(KIND, kind, "bearer")?;
    if kind != "bearer" {
        return Err(ErrorInfo::invalid_token_type(&credential.name(KIND)));
    }
    let name = credential.name(TOKEN);
    credential.done()?;
    let token: Option<SecretString> = sink::read_token(&name, &token)?;
    let empty = || ErrorInfo::invalid_argument(&name, "is empty, and has to be a token");
    Ok(SinkCredential { token: token.ok_or_else(empty)?, expires_at })
}

/// RFC 3339, with a zone.
fn read_time(name: &str, text: &str) -> Result<Timestamp, ErrorInfo> {
    let time = text.parse::<Timestamp>().ok().filter(|_| text.contains(['T', 't']));
    time.ok_or_else(|| {
        let wrong = "a time as in RFC 3339, with a zone, such as 2026-11-22T16:27:45Z";
        ErrorInfo::invalid_argument(name, wrong)
    })
}
