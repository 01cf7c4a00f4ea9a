//! Texts of addresses, as regular expressions that every engine knows.

use std::fmt::Write;

const QUAD: &str = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const GROUP: &str = "[0-9A-Fa-f]{1,4}";

/// An IPv4 address or network.
pub(super) fn v4_or_network() -> String {
    format!("^{}(?:/(?:3[0-2]|[12]?[0-9]))?$", v4())
}

/// An IPv6 address or network.
pub(super) fn v6_or_network() -> String {
    format!("^(?:{})(?:/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))?$", v6())
}

fn v4() -> String {
    format!(r"(?:{QUAD}\.){{3}}{QUAD}")
}

/// RFC 4291, section 2.2: eight groups, of which `::` can stand for one and more, and the last two
/// can be written as an IPv4 address.
fn v6() -> String {
    let v4 = v4();
    let mut forms = format!("(?:{GROUP}:){{7}}{GROUP}|(?:{GROUP}:){{6}}{v4}");
    // As many groups stand before the `::`, and at most so many behind it.
    for before in 0..=7 {
        let head = match before {
            0 => ":".to_owned(),
            _ => format!("(?:{GROUP}:){{{before}}}"),
        };
        // Writing to a string cannot fail.
        let _ = match 7 - before {
            0 => write!(forms, "|{head}:"),
            most => write!(forms, "|{head}(?::|(?::{GROUP}){{1,{most}}})"),
        };
        if before <= 5 {
            let _ = write!(forms, "|{head}:(?:{GROUP}:){{0,{}}}{v4}", 5 - before);
        }
    }
    forms
}
