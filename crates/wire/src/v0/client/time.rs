//! Times as answers have them: text (RFC 3339) or seconds since 1970.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A time of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnyTime(pub(super) Timestamp);

impl<'de> Deserialize<'de> for AnyTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyTimeVisitor)
    }
}

struct AnyTimeVisitor;

impl Visitor<'_> for AnyTimeVisitor {
    type Value = AnyTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as \"2026-11-22T16:27:45Z\", or seconds since 1970")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AnyTime, E> {
        text.parse().map(AnyTime).map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<AnyTime, E> {
        let time = Timestamp::from_second(seconds);
        time.map(AnyTime).map_err(|_| E::invalid_value(Unexpected::Signed(seconds), &self))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<AnyTime, E> {
        self.visit_i64(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}
