//! Where a profile can be had (CAMARA schema `Availability`).

/// A country, and the networks in it, in which a profile can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    /// The country.
    pub code: CountryCode,
    /// The networks in it; none for the operator's own.
    pub networks: Vec<Plmn>,
}

/// A country's two letters (ISO 3166-1 alpha-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

/// A mobile network's number: MCC and MNC, 5 or 6 digits (TS 23.003, 12.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plmn(Box<str>);

impl CountryCode {
    /// Reads two capital letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // They are letters of ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Plmn {
    /// Reads 5 or 6 digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fine = (5..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fine.then(|| Self(text.into()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_and_networks() {
        assert_eq!(CountryCode::parse("HU").unwrap().as_str(), "HU");
        for bad in ["", "H", "hu", "HUN", "H1", "ÄÖ"] {
            assert_eq!(CountryCode::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Plmn::parse("21630").unwrap().as_str(), "21630");
        assert!(Plmn::parse("310410").is_some());
        for bad in ["", "2163", "3104100", "21 63", "２１６３０"] {
            assert_eq!(Plmn::parse(bad), None, "{bad:?}");
        }
    }
}
