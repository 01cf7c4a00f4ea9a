//! Where a profile can be had, and by whom.

use greenwave_core::Device;
use greenwave_core::profile::{Country, CountryCode, Plmn};
use serde_json::Value;

use crate::ErrorInfo;
use crate::camara::device;
use crate::camara::fields::{Fields, item_object, item_text};

/// The most devices that a profile can be restricted to.
const MOST_DEVICES: usize = 100;

/// The most countries, and the most networks of one.
const MOST_COUNTRIES: usize = 250;

pub(super) fn read_countries(fields: &mut Fields) -> Result<Vec<Country>, ErrorInfo> {
    read_list(fields, "countryAvailability", MOST_COUNTRIES, |fields, path, item| {
        read_country(item_object(path, item, fields.rules())?)
    })
    .map(Option::unwrap_or_default)
}

pub(super) fn read_only_for(fields: &mut Fields) -> Result<Option<Vec<Device>>, ErrorInfo> {
    read_list(fields, "onlyFor", MOST_DEVICES, |fields, path, item| {
        device::read(item_object(path, item, fields.rules())?)
    })
}

fn read_country(mut country: Fields) -> Result<Country, ErrorInfo> {
    let code = country.text("countryName")?;
    let code = country.required("countryName", code, "a country, such as HU")?;
    let code = CountryCode::parse(&code).ok_or_else(|| {
        let wrong = "is not two capital letters (ISO 3166-1), such as HU";
        ErrorInfo::invalid_argument(&country.name("countryName"), wrong)
    })?;
    let networks = read_list(&mut country, "networks", MOST_COUNTRIES, |_, path, item| {
        let text = item_text(&path, item)?;
        let wrong = "is not a network's MCC and MNC, 5 or 6 digits, such as 21630";
        Plmn::parse(&text).ok_or_else(|| ErrorInfo::invalid_argument(&path, wrong))
    })?;
    country.done()?;
    Ok(Country { code, networks: networks.unwrap_or_default() })
}

/// A member that is a list of 1 to `most` items.
fn read_list<T>(
    fields: &mut Fields,
    member: &str,
    most: usize,
    read: impl Fn(&Fields, String, Value) -> Result<T, ErrorInfo>,
) -> Result<Option<Vec<T>>, ErrorInfo> {
    let Some(items) = fields.list(member)? else { return Ok(None) };
    if items.len() > most {
        let wrong = format!("has {} items: {most} are possible", items.len());
        return Err(ErrorInfo::out_of_range(&fields.name(member), wrong));
    }
    let item = |(at, item)| read(fields, fields.name(&format!("{member}[{at}]")), item);
    items.into_iter().enumerate().map(item).collect::<Result<_, _>>().map(Some)
}
