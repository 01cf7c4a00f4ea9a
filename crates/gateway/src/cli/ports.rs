//! Ports as people write them: `80,443,5000-5010`.

use serde_json::{Value, json};

/// Reads ports and ranges into the form of the API.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let wrong = || format!("{text:?} is not a list of ports such as 80,443,5000-5010");
    let port = |text: &str| text.trim().parse::<u16>().map_err(|_| wrong());
    let (mut ranges, mut ports) = (Vec::new(), Vec::new());
    for part in text.split(',') {
        match part.split_once('-') {
            Some((from, to)) => {
                let (from, to) = (port(from)?, port(to)?);
                if from > to {
                    return Err(format!("{part:?} runs backwards: {to}-{from} would be right"));
                }
                ranges.push(json!({"from": from, "to": to}));
            }
            None => ports.push(port(part)?),
        }
    }
    Ok(match (ranges.is_empty(), ports.is_empty()) {
        (true, _) => json!({"ports": ports}),
        (false, true) => json!({"ranges": ranges}),
        (false, false) => json!({"ranges": ranges, "ports": ports}),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read() {
        assert_eq!(parse("80"), Ok(json!({"ports": [80]})));
        assert_eq!(parse("80-443"), Ok(json!({"ranges": [{"from": 80, "to": 443}]})));
        assert_eq!(
            parse("80, 5000-5010,443"),
            Ok(json!({"ranges": [{"from": 5000, "to": 5010}], "ports": [80, 443]}))
        );
        for bad in ["", "http", "80,", "65536", "-1", "80-", "90-80"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
