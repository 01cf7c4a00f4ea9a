//! A device as people name it.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

/// Reads a name (`local@domain`), a phone number, an IPv6 address, or an IPv4 address with its
/// public port (`203.0.113.7:5060`) or its private address (`203.0.113.7/10.0.0.4`).
pub(super) fn parse(text: &str) -> Result<Value, String> {
    if text.contains('@') {
        return Ok(json!({"networkAccessIdentifier": text}));
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok(json!({"ipv6Address": text}));
    }
    if text.parse::<Ipv4Addr>().is_ok() {
        return Err(format!(
            "a public IPv4 address alone names no device: add its port ({text}:5060), or its \
             private address ({text}/10.0.0.4)"
        ));
    }
    let address = match (text.split_once(':'), text.split_once('/')) {
        (Some((public, port)), None) => {
            let port: u16 = port.parse().map_err(|_| format!("{port:?} is not a port"))?;
            (public, json!({"publicAddress": public, "publicPort": port}))
        }
        (None, Some((public, private))) => {
            (public, json!({"publicAddress": public, "privateAddress": private}))
        }
        _ => return Ok(json!({"phoneNumber": text})),
    };
    let (public, address) = address;
    public.parse::<Ipv4Addr>().map_err(|_| format!("{public:?} is not an IPv4 address"))?;
    Ok(json!({"ipv4Address": address}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_recognised_by_the_look_of_its_name() {
        for (text, device) in [
            ("a@b.net", json!({"networkAccessIdentifier": "a@b.net"})),
            ("+36721601234567", json!({"phoneNumber": "+36721601234567"})),
            ("2001:db8::1", json!({"ipv6Address": "2001:db8::1"})),
            (
                "203.0.113.7:5060",
                json!({"ipv4Address": {"publicAddress": "203.0.113.7", "publicPort": 5060}}),
            ),
            (
                "203.0.113.7/10.0.0.4",
                json!({"ipv4Address":
                    {"publicAddress": "203.0.113.7", "privateAddress": "10.0.0.4"}}),
            ),
        ] {
            assert_eq!(parse(text), Ok(device));
        }
        for wrong in ["203.0.113.7", "203.0.113.7:x", "host:80", "host/10.0.0.4"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
