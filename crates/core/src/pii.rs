//! Personal data that must not reach a log.

use std::fmt;

/// A phone number, a name or an address of a device, or something that holds one.
///
/// It can be compared and stored, but neither `{:?}` nor `{}` shows it: reading it takes
/// [`Pii::expose`], which is easy to find in a review.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Marks `value` as personal.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for a response, a driver or a table, and never for a log.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_value() {
        assert_eq!(format!("{:?}", Pii::new("+36721601234567")), "[personal]");
    }
}
