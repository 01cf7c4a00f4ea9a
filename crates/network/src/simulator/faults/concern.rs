//! Which calls a fault is about.

use greenwave_core::{Device, Order, SessionId};

use crate::simulator::CellName;

/// What a call has to be about for a fault to strike: all that is named here. Nothing named is
/// every call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concern {
    /// This session.
    pub session: Option<SessionId>,
    /// A session of this device, which its request named by the same name or phone number.
    pub device: Option<Device>,
    /// A session in this cell.
    pub cell: Option<CellName>,
}

/// What a call is about, as far as the network can tell.
#[derive(Clone, Copy, Debug)]
pub(in crate::simulator) struct Target<'a> {
    session: Option<SessionId>,
    device: Option<&'a Device>,
    cell: Option<CellName>,
}

impl Concern {
    /// Whether nothing in particular is named.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn is_about(&self, target: &Target<'_>) -> bool {
        let device = |wanted: &Device| target.device.is_some_and(|given| same(wanted, given));
        self.session.is_none_or(|session| target.session == Some(session))
            && self.device.as_ref().is_none_or(device)
            && self.cell.is_none_or(|cell| target.cell == Some(cell))
    }
}

impl<'a> Target<'a> {
    /// No session in particular.
    pub(in crate::simulator) const ANY: Self = Self { session: None, device: None, cell: None };

    /// The session of an order.
    pub(in crate::simulator) fn of(order: &'a Order) -> Self {
        Self {
            session: Some(order.session),
            device: Some(&order.asked.device),
            cell: Some(CellName::of(order)),
        }
    }

    /// A session of which only a rule is left.
    pub(in crate::simulator) fn rule(session: SessionId, cell: Option<CellName>) -> Self {
        Self { session: Some(session), device: None, cell }
    }
}

/// Whether both have a name or a phone number in common.
fn same(one: &Device, other: &Device) -> bool {
    let name = |device: &Device| {
        let name = device.network_access_identifier()?;
        Some((name.local().to_owned(), name.domain()))
    };
    let phone = |device: &Device| Some(device.phone_number()?.digits().to_owned());
    (name(one).is_some() && name(one) == name(other))
        || (phone(one).is_some() && phone(one) == phone(other))
}

#[cfg(test)]
mod tests {
    use greenwave_core::DeviceKey;
    use greenwave_core::device::{NetworkAccessIdentifier, PhoneNumber};
    use greenwave_core::rules::PhoneNumberRule;

    use super::*;

    fn device(name: Option<&str>, phone: Option<&str>) -> Device {
        let name = name.map(|text| NetworkAccessIdentifier::parse(text).unwrap());
        let phone =
            phone.map(|text| PhoneNumber::parse(text, PhoneNumberRule::PlusOptional).unwrap());
        Device::new(name, phone, None, None).unwrap()
    }

    fn session(number: u8) -> SessionId {
        SessionId::new([number; 16], DeviceKey([1; 16]).bucket())
    }

    #[test]
    fn a_device_is_the_same_by_name_or_by_number() {
        let both = device(Some("a@testcsp.net"), Some("+3670123456"));
        assert!(same(&device(Some("a@TestCSP.net"), None), &both));
        assert!(same(&device(None, Some("3670123456")), &both));
        assert!(!same(&device(Some("b@testcsp.net"), None), &both));
        assert!(!same(&device(None, Some("3670123457")), &both));
        assert!(!same(&device(None, Some("3670123456")), &device(Some("a@testcsp.net"), None)));
    }

    #[test]
    fn all_that_is_named_has_to_be_so() {
        let given = device(Some("a@testcsp.net"), None);
        let target = Target {
            session: Some(session(1)),
            device: Some(&given),
            cell: Some(CellName::Stadium),
        };
        let concern = Concern {
            session: Some(session(1)),
            device: Some(given.clone()),
            cell: Some(CellName::Stadium),
        };
        assert!(Concern::default().is_about(&target) && concern.is_about(&target));
        assert!(Concern::default().is_about(&Target::ANY) && !concern.is_about(&Target::ANY));
        for other in [
            Concern { session: Some(session(2)), ..concern.clone() },
            Concern { device: Some(device(Some("b@testcsp.net"), None)), ..concern.clone() },
            Concern { cell: Some(CellName::City(1)), ..concern.clone() },
        ] {
            assert!(!other.is_about(&target), "{other:?}");
        }
    }
}
