//! Numbers and what has a unit.

use std::time::Duration;

use greenwave_core::profile::{BitRate, LARGEST_PERIOD, RateUnit, TimeUnit};

use crate::ErrorInfo;
use crate::camara::fields::Fields;
use crate::camara::profile::is_none_of;

/// A member that is a whole number from 1 to `most`.
pub(super) fn read_number<T>(
    fields: &mut Fields,
    member: &str,
    make: fn(u8) -> Option<T>,
    most: u8,
) -> Result<Option<T>, ErrorInfo> {
    let Some(number) = fields.whole(member)? else { return Ok(None) };
    let made = u8::try_from(number).ok().and_then(make);
    let wrong = || {
        let wrong = format!("{number} is not a whole number from 1 to {most}");
        ErrorInfo::out_of_range(&fields.name(member), wrong)
    };
    made.map(Some).ok_or_else(wrong)
}

/// A member that is a rate, of any size that there is.
pub(super) fn read_rate(
    fields: &mut Fields,
    member: &'static str,
) -> Result<Option<BitRate>, ErrorInfo> {
    let Some(rate) = fields.object(member)? else { return Ok(None) };
    let wrong = "a whole number from 0, and with its unit at most 1024 Tbps";
    let of = |value: u64, unit| BitRate::of(value, unit);
    read_quantity(rate, RateUnit::parse, RateUnit::names, of, wrong).map(Some)
}

/// A member that is a duration.
pub(super) fn read_duration(
    fields: &mut Fields,
    member: &'static str,
) -> Result<Option<Duration>, ErrorInfo> {
    let Some(duration) = fields.object(member)? else { return Ok(None) };
    let wrong = format!("a whole number from 1 to {LARGEST_PERIOD}");
    let of = |value: u64, unit: TimeUnit| unit.times(value);
    read_quantity(duration, TimeUnit::parse, TimeUnit::names, of, &wrong).map(Some)
}

fn read_quantity<T, U>(
    mut quantity: Fields,
    parse: fn(&str) -> Option<U>,
    units: fn() -> String,
    make: impl Fn(u64, U) -> Option<T>,
    wanted: &str,
) -> Result<T, ErrorInfo> {
    let value = quantity.whole("value")?;
    let value = quantity.required("value", value, wanted)?;
    let unit = quantity.text("unit")?;
    let unit = quantity.required("unit", unit, &format!("one of {}", units()))?;
    let Some(unit) = parse(&unit) else {
        let wrong = is_none_of(&units());
        return Err(ErrorInfo::invalid_argument(&quantity.name("unit"), wrong));
    };
    let made = u64::try_from(value).ok().and_then(|value| make(value, unit));
    let Some(made) = made else {
        let wrong = format!("{value} is not {wanted}");
        return Err(ErrorInfo::out_of_range(&quantity.name("value"), wrong));
    };
    quantity.done()?;
    Ok(made)
}
