//! Where events go, as a request says it.

use greenwave_core::{Pii, Sink};
use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use crate::ErrorInfo;

pub(crate) const LONGEST_URL: usize = 2_048;
pub(crate) const LONGEST_TOKEN: usize = 4_096;

/// What the receiver of events wants to be shown.
#[derive(Debug)]
pub struct SinkCredential {
    /// The token, without the word `Bearer`.
    pub token: SecretString,
    /// From when on the receiver would not take it, if it said so: nothing is sent then any more.
    pub expires_at: Option<Timestamp>,
}

/// Takes a URL that events can be sent to. Whether they may be is decided when one is sent, for
/// each address that the host then has.
pub(crate) fn read_url(field: &str, text: &str) -> Result<Sink, ErrorInfo> {
    let wrong = |wrong: &str| Err(ErrorInfo::invalid_argument(field, wrong));
    if text.len() > LONGEST_URL {
        return wrong("a URL is at most 2048 characters long");
    }
    // The parser would pass over them.
    if text.bytes().any(|byte| matches!(byte, 0..=b' ' | 0x7f)) {
        return wrong("a URL has no spaces and no control characters");
    }
    let Ok(url) = Url::parse(text) else {
        return wrong("an absolute URL such as https://example.com/events");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return wrong("an http or https URL such as https://example.com/events");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("a URL without a user name and password: send a token in its own member");
    }
    Ok(Sink { url: Pii::new(text.into()), credential: None })
}

/// Takes the token that is to be shown to the receiver as `Bearer`, without that word: some
/// clients send it along, and the receiver is to see it once.
pub(crate) fn read_token(field: &str, text: &str) -> Result<Option<SecretString>, ErrorInfo> {
    let mut token = text.trim();
    while let Some(rest) = strip_bearer(token) {
        token = rest.trim_start();
    }
    if token.is_empty() {
        return Ok(None);
    }
    if token.len() > LONGEST_TOKEN || !token.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        let wrong = "a token is at most 4096 printable ASCII characters";
        return Err(ErrorInfo::invalid_argument(field, wrong));
    }
    Ok(Some(SecretString::from(token)))
}

fn strip_bearer(token: &str) -> Option<&str> {
    let (word, rest) = token.split_at_checked("bearer".len())?;
    let is_word = rest.is_empty() || rest.starts_with(' ');
    (word.eq_ignore_ascii_case("bearer") && is_word).then_some(rest)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn urls() {
        for good in ["https://example.com/e?a=b#c", "http://127.0.0.1:8000", "https://[::1]/"] {
            assert_eq!(read_url("sink", good).unwrap().url.expose().as_ref(), good);
        }
        for bad in [
            "",
            "example.com",
            "/events",
            "ftp://example.com/",
            "https://a:b@example.com/",
            "http:",
            "https://example.com/ ",
            "https://example.com/a\nb",
        ] {
            let error = read_url("sink", bad).unwrap_err();
            assert!(error.message.starts_with("sink: "), "{}", error.message);
        }
        assert!(read_url("sink", &format!("https://example.com/{}", "a".repeat(2_048))).is_err());
    }

    #[test]
    fn a_token_is_kept_without_the_word_bearer() {
        let token =
            |text| read_token("token", text).unwrap().map(|token| token.expose_secret().to_owned());
        for text in ["my-token", "Bearer my-token", "bearer  my-token", "Bearer Bearer my-token"] {
            assert_eq!(token(text).as_deref(), Some("my-token"), "{text:?}");
        }
        assert_eq!(token("bearerish").as_deref(), Some("bearerish"));
        for none in ["", " ", "Bearer", "Bearer "] {
            assert_eq!(token(none), None, "{none:?}");
        }
        assert!(read_token("token", "my\ntoken").is_err());
        assert!(read_token("token", "tökén").is_err());
        assert!(read_token("token", &"x".repeat(4_097)).is_err());
    }
}
