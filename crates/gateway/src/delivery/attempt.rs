//! What came of one try to tell a receiver.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

/// What came of one try. The notes are for people. They hold nothing of the URL and no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver has it.
    Delivered(String),
    /// It may be tried again.
    Failed {
        /// Why.
        note: String,
        /// How long the receiver wants to be left alone, if it says so.
        retry_after: Option<Duration>,
    },
    /// It would never work.
    Hopeless(String),
}

impl Attempt {
    pub(super) fn failed(note: impl Into<String>) -> Self {
        Self::Failed { note: note.into(), retry_after: None }
    }

    /// What a receiver's answer means. It is not followed anywhere else: a redirect is a failure.
    pub(super) fn of_answer(status: StatusCode, headers: &HeaderMap) -> Self {
        let note = format!("the receiver answered {}", status.as_u16());
        match status {
            status if status.is_success() => Self::Delivered(note),
            StatusCode::GONE => Self::Hopeless(note),
            _ => Self::Failed { note, retry_after: retry_after(headers) },
        }
    }
}

/// `Retry-After` in seconds. Its other form, a date, depends on clocks that need not agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry_after: Option<&str>) -> Attempt {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(http::header::RETRY_AFTER, value.parse().unwrap());
        }
        Attempt::of_answer(StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn only_success_is_success() {
        for status in [200, 202, 204] {
            assert!(matches!(answer(status, None), Attempt::Delivered(_)));
        }
        for status in [301, 302, 307, 400, 404, 429, 500, 503] {
            assert!(matches!(answer(status, None), Attempt::Failed { retry_after: None, .. }));
        }
        assert!(matches!(answer(410, None), Attempt::Hopeless(_)));
    }

    #[test]
    fn a_receiver_may_ask_for_patience() {
        let patience = |text| match answer(503, Some(text)) {
            Attempt::Failed { retry_after, .. } => retry_after,
            other => panic!("{other:?}"),
        };
        assert_eq!(patience("120"), Some(Duration::from_secs(120)));
        assert_eq!(patience("soon"), None);
        assert_eq!(patience("-1"), None);
    }
}
