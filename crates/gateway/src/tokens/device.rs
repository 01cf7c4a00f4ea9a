//! The device that a token is for, by its names.

use greenwave_core::Device;
use greenwave_core::device::{InvalidName, NetworkAccessIdentifier, PhoneNumber};
use greenwave_core::rules::PhoneNumberRule;

/// The device of these names, each a phone number with a `+` or a network access identifier.
/// `None` if there is no name.
pub(crate) fn named<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Option<Device>, InvalidName> {
    let (mut number, mut identifier) = (None, None);
    for name in names {
        if name.contains('@') {
            identifier = Some(NetworkAccessIdentifier::parse(name)?);
        } else {
            number = Some(PhoneNumber::parse(name, PhoneNumberRule::E164)?);
        }
    }
    Ok(Device::new(identifier, number, None, None).ok())
}
