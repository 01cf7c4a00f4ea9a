//! The query of `GET /sessions`.

use greenwave_core::Device;

use super::device::{read_nai, read_phone};
use crate::ErrorInfo;

/// The most sessions that one page has.
pub const MOST_PER_PAGE: usize = 100;

/// The sessions that a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Those of a device.
    OfDevice(Box<Device>),
    /// A page of all of the application's.
    All {
        /// From 1.
        page: usize,
        /// 1 to [`MOST_PER_PAGE`].
        per_page: usize,
    },
}

/// Reads the part of the URL behind the `?`.
///
/// Early clients put a phone number into the URL as it is, so that its `+` is read as a space.
pub fn read_listing(query: &str) -> Result<Listing, ErrorInfo> {
    let (mut nai, mut phone) = (None, None);
    let (mut page, mut per_page) = (1, MOST_PER_PAGE);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "networkAccessIdentifier" => nai = Some(read_nai(&name, &value)?),
            "phoneNumber" => {
                let number = match value.strip_prefix(' ') {
                    Some(digits) => format!("+{digits}"),
                    None => value.into_owned(),
                };
                phone = Some(read_phone(&name, &number)?);
            }
            "page" => page = read_number(&name, &value, usize::MAX)?,
            "perPage" => per_page = read_number(&name, &value, MOST_PER_PAGE)?,
            _ => {}
        }
    }
    Ok(match Device::new(nai, phone, None, None) {
        Ok(device) => Listing::OfDevice(Box::new(device)),
        Err(_) => Listing::All { page, per_page },
    })
}

/// Reads which page is wanted, from 1, and how many a page is to hold.
pub fn read_page(query: &str) -> Result<(usize, usize), ErrorInfo> {
    match read_listing(query)? {
        Listing::All { page, per_page } => Ok((page, per_page)),
        Listing::OfDevice(_) => {
            let wrong = "sessions of one device are had by POST to retrieve-sessions";
            Err(ErrorInfo::invalid_argument("the query", wrong))
        }
    }
}

fn read_number(name: &str, text: &str, most: usize) -> Result<usize, ErrorInfo> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| match most {
        usize::MAX => ErrorInfo::invalid_argument(name, "a whole number from 1"),
        most => ErrorInfo::out_of_range(name, format!("a whole number from 1 to {most}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(query: &str) -> Option<String> {
        match read_listing(query).unwrap() {
            Listing::OfDevice(device) => device.phone_number().map(|phone| phone.text().to_owned()),
            Listing::All { .. } => None,
        }
    }

    #[test]
    fn a_plus_may_come_as_it_is() {
        assert_eq!(phone("phoneNumber=+36721601234567").as_deref(), Some("+36721601234567"));
        assert_eq!(phone("phoneNumber=%2B36721601234567").as_deref(), Some("+36721601234567"));
        assert_eq!(phone("phoneNumber=36721601234567").as_deref(), Some("36721601234567"));
        assert!(read_listing("phoneNumber=36 721").is_err());
    }

    #[test]
    fn an_at_sign_may_come_as_it_is() {
        let listing = read_listing("networkAccessIdentifier=device@testcsp.net").unwrap();
        let Listing::OfDevice(device) = listing else { panic!("not of a device") };
        assert_eq!(device.network_access_identifier().unwrap().text(), "device@testcsp.net");
        assert!(read_listing("networkAccessIdentifier=").is_err());
    }

    #[test]
    fn without_a_device_it_is_all_of_them_in_pages() {
        let all = |page, per_page| Listing::All { page, per_page };
        assert_eq!(read_listing("").unwrap(), all(1, 100));
        assert_eq!(read_listing("page=3&perPage=20&unknown=x").unwrap(), all(3, 20));
        for bad in ["page=0", "page=x", "perPage=0", "perPage=101", "perPage=-1"] {
            assert!(read_listing(bad).is_err(), "{bad}");
        }
    }
}
