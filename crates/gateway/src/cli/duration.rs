//! Durations as people write them: `90`, `90s`, `5m`, `2h`, `1d`, `50ms`.

use std::time::Duration;

/// Reads a duration of whole seconds.
pub(super) fn parse_seconds(text: &str) -> Result<u64, String> {
    match parse(text) {
        Ok(duration) if duration.subsec_nanos() == 0 => Ok(duration.as_secs()),
        _ => Err(format!("{text:?} is not a duration such as 90s, 5m, 2h or 1d")),
    }
}

/// Reads a duration; a bare number is seconds.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration such as 50ms, 90s, 5m, 2h or 1d");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

/// Reads how long something is to be kept. Events are tried for most of a day, so it is that long
/// at least.
pub(super) fn parse_retention(text: &str) -> Result<Duration, String> {
    let duration = parse(text)?;
    if duration < Duration::from_secs(86_400) {
        return Err(format!("{text:?} is shorter than a day, 1d"));
    }
    Ok(duration)
}

/// Reads a duration in milliseconds.
pub(super) fn parse_milliseconds(text: &str) -> Result<u64, String> {
    u64::try_from(parse(text)?.as_millis()).map_err(|_| format!("{text:?} is too long"))
}

/// Writes a duration with its two largest units: `1h 5m`, `59s`.
pub(super) fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [("d", 86_400, 86_400), ("h", 3_600, 24), ("m", 60, 60), ("s", 1, 60)];
    let mut parts = Vec::new();
    for (index, (unit, size, wrap)) in units.into_iter().enumerate() {
        let count = if index == 0 { seconds / size } else { seconds / size % wrap };
        if count > 0 || (unit == "s" && parts.is_empty()) {
            parts.push(format!("{count}{unit}"));
        }
    }
    parts.truncate(2);
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(parse("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(parse_milliseconds("12s"), Ok(12_000));
        assert_eq!(parse_seconds("2h"), Ok(7_200));
        assert_eq!(parse_seconds("1d"), Ok(86_400));
        for bad in ["", "h", "1.5h", "-1s", "1w", "99999999999999999999", "9999999999999999d"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert!(parse_seconds("50ms").is_err());
        assert_eq!(parse_retention("1d"), Ok(Duration::from_secs(86_400)));
        assert!(parse_retention("86399s").is_err());
    }

    #[test]
    fn durations_are_shown() {
        let shown = |seconds| show(Duration::from_secs(seconds));
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(59), "59s");
        assert_eq!(shown(3_900), "1h 5m");
        assert_eq!(shown(86_400), "1d");
        assert_eq!(shown(90_061), "1d 1h");
    }
}
