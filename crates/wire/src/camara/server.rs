//! The schema `ApplicationServer`.

use greenwave_core::rules::ServerRule;
use greenwave_core::server::{InvalidServer, ServerAddress};
use greenwave_core::{ApplicationServer, RuleSet};

use super::fields::{Fields, item_text};
use crate::ErrorInfo;
use crate::members::Members;
use crate::server::first_of_each;

/// The member `applicationServer`, which has to be there.
pub(super) fn read_server(body: &mut Fields) -> Result<ApplicationServer, ErrorInfo> {
    let server = body.object("applicationServer")?;
    let mut server = body.required("applicationServer", server, wanted(body.rules()))?;
    if body.rules().server == ServerRule::OneOfEachOrList
        && let Some(addresses) = read_list(&mut server)?
    {
        server.done()?;
        return Ok(addresses);
    }
    let wrong = |member: &str, wrong| ErrorInfo::invalid_argument(member, wrong);
    let v4 = server.text("ipv4Address")?.map(|text| ServerAddress::parse_v4(&text)).transpose();
    let v4 = v4.map_err(|error| wrong(&server.name("ipv4Address"), error))?;
    let v6 = server.text("ipv6Address")?.map(|text| ServerAddress::parse_v6(&text)).transpose();
    let v6 = v6.map_err(|error| wrong(&server.name("ipv6Address"), error))?;
    let (path, rules) = (server.path().to_owned(), server.rules());
    server.done()?;
    ApplicationServer::new(v4, v6).map_err(|error| match error {
        InvalidServer::Empty => {
            ErrorInfo::invalid_argument(&path, format!("names no address: give {}", wanted(rules)))
        }
        error => wrong(&path, error),
    })
}

fn wanted(rules: &RuleSet) -> &'static str {
    match rules.server {
        ServerRule::OneOfEach => "an object with ipv4Address or ipv6Address",
        ServerRule::OneOfEachOrList => {
            "an object with ipv4Address or ipv6Address, or with ipAddresses"
        }
    }
}

/// Single addresses, which stand for themselves or not at all.
fn read_list(server: &mut Fields) -> Result<Option<ApplicationServer>, ErrorInfo> {
    const MEMBER: &str = "ipAddresses";
    let Some(items) = server.list(MEMBER)? else { return Ok(None) };
    for other in ["ipv4Address", "ipv6Address"] {
        if server.any(other).is_some() {
            let wrong = "cannot be given together with ipAddresses: give one or the other";
            return Err(ErrorInfo::invalid_argument(&server.name(other), wrong));
        }
    }
    let address = |(at, item)| {
        let path = server.name(&format!("{MEMBER}[{at}]"));
        let text = item_text(&path, item)?;
        ServerAddress::parse(&text).map_err(|wrong| ErrorInfo::invalid_argument(&path, wrong))
    };
    let addresses = items.into_iter().enumerate().map(address).collect::<Result<_, _>>()?;
    let list = ApplicationServer::at_any_of(addresses);
    list.map(Some).map_err(|wrong| ErrorInfo::invalid_argument(&server.name(MEMBER), wrong))
}

/// Writes the server as it was sent, if these rules have a word for it.
pub(super) fn write_server(text: &mut Vec<u8>, server: &ApplicationServer, rules: &RuleSet) {
    let mut members = Members::open(text);
    let list = server.addresses();
    if rules.server == ServerRule::OneOfEachOrList && !list.is_empty() {
        let texts: Vec<&str> = list.iter().map(ServerAddress::text).collect();
        members.value("ipAddresses", texts);
    } else {
        let (ipv4_address, ipv6_address) = first_of_each(server);
        members.text_if_any("ipv4Address", ipv4_address);
        members.text_if_any("ipv6Address", ipv6_address);
    }
    members.close();
}

#[cfg(test)]
mod tests {
    use greenwave_core::RuleSetId;

    use super::*;

    #[test]
    fn what_is_unknown_is_refused_beside_a_list_too() {
        let read = |body: &str| {
            let body = Fields::of_body(body.as_bytes(), RuleSetId::CamaraR41.rules());
            read_server(&mut body.unwrap())
        };
        assert!(read(r#"{"applicationServer":{"ipAddresses":["203.0.113.5"]}}"#).is_ok());
        let wrong = r#"{"applicationServer":{"ipAddresses":["203.0.113.5"],"x":1}}"#;
        let error = read(wrong).unwrap_err();
        assert!(error.message.starts_with("applicationServer.x: "), "{}", error.message);
    }
}
