//! Which device a request means by the identifiers that it gives.

use crate::ids::{DeviceKey, IdentifierKey};

/// What a request calls its device, in the order in which it counts.
///
/// Identifiers that come together name one device. Which one is said by those that decide: the
/// first of them that is known, else the very first, which then names a device of its own. The
/// rest become its aliases, unless they are known already: an identifier never changes its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceNames {
    /// The keys of the deciding identifier. There is more than one where one identifier can be
    /// given in several ways, as a public IPv4 address can with a private address or a port.
    pub deciding: Vec<IdentifierKey>,
    /// The keys of the others.
    pub others: Vec<IdentifierKey>,
}

/// What is known of identifiers, by whoever keeps it.
pub trait KnownIdentifiers {
    /// The device that this identifier has become an alias of.
    fn alias_of(&self, identifier: IdentifierKey) -> Option<DeviceKey>;

    /// Whether a session is kept for this device.
    fn has_sessions(&self, device: DeviceKey) -> bool;
}

/// The device that names mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedDevice {
    /// The device.
    pub device: DeviceKey,
    /// Whether one of the deciding identifiers was seen before.
    pub known: bool,
}

impl DeviceNames {
    /// The device that is meant; `None` without a deciding identifier.
    ///
    /// An identifier is known if it is an alias, or if it names a device of its own that has
    /// sessions.
    #[must_use]
    pub fn device(&self, known: &impl KnownIdentifiers) -> Option<NamedDevice> {
        let known_device = |&key: &IdentifierKey| {
            let own = || Some(key.own_device()).filter(|&device| known.has_sessions(device));
            known.alias_of(key).or_else(own)
        };
        let first = self.deciding.first()?;
        Some(match self.deciding.iter().find_map(known_device) {
            Some(device) => NamedDevice { device, known: true },
            None => NamedDevice { device: first.own_device(), known: false },
        })
    }

    /// The identifiers that become aliases of `device`, which they were given for.
    #[must_use]
    pub fn new_aliases(
        &self,
        device: DeviceKey,
        known: &impl KnownIdentifiers,
    ) -> Vec<IdentifierKey> {
        let new = |&key: &IdentifierKey| {
            key.own_device() != device
                && known.alias_of(key).is_none()
                && !known.has_sessions(key.own_device())
        };
        self.deciding.iter().chain(&self.others).copied().filter(new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aliases as learned, and the devices that have sessions.
    #[derive(Default)]
    struct Known {
        aliases: Vec<(IdentifierKey, DeviceKey)>,
        with_sessions: Vec<DeviceKey>,
    }

    impl KnownIdentifiers for Known {
        fn alias_of(&self, identifier: IdentifierKey) -> Option<DeviceKey> {
            self.aliases.iter().find(|(key, _)| *key == identifier).map(|&(_, device)| device)
        }

        fn has_sessions(&self, device: DeviceKey) -> bool {
            self.with_sessions.contains(&device)
        }
    }

    impl Known {
        /// A session is made for a device of these names.
        fn create(&mut self, deciding: &[u8], others: &[u8]) -> DeviceKey {
            let names = names(deciding, others);
            let device = names.device(self).unwrap().device;
            let new = names.new_aliases(device, self);
            self.aliases.extend(new.into_iter().map(|key| (key, device)));
            self.with_sessions.push(device);
            device
        }

        fn look_up(&self, deciding: &[u8]) -> DeviceKey {
            names(deciding, &[]).device(self).unwrap().device
        }
    }

    fn names(deciding: &[u8], others: &[u8]) -> DeviceNames {
        let keys = |bytes: &[u8]| bytes.iter().map(|&byte| IdentifierKey([byte; 16])).collect();
        DeviceNames { deciding: keys(deciding), others: keys(others) }
    }

    #[test]
    fn identifiers_first_seen_together_name_one_device() {
        let mut known = Known::default();
        let device = known.create(&[1], &[2, 3]);
        assert_eq!(known.look_up(&[1]), device);
        assert_eq!(known.look_up(&[2]), device);
        assert_eq!(known.look_up(&[3]), device);
    }

    #[test]
    fn what_was_never_seen_is_not_known() {
        let mut known = Known::default();
        known.create(&[1], &[2]);
        for (name, seen) in [(1, true), (2, true), (3, false)] {
            assert_eq!(names(&[name], &[]).device(&known).unwrap().known, seen);
        }
        assert_eq!(names(&[], &[1]).device(&known), None);
    }

    #[test]
    fn only_what_is_new_becomes_an_alias() {
        let mut known = Known::default();
        let device = known.create(&[1], &[2]);
        known.create(&[3], &[]);
        let new = |others: &[u8]| names(&[1], others).new_aliases(device, &known);
        assert_eq!(new(&[1, 2, 3, 4]), [IdentifierKey([4; 16])]);
    }

    #[test]
    fn two_names_stay_two_devices_whatever_comes_with_them() {
        let mut known = Known::default();
        let (first, second) = (known.create(&[1], &[9]), known.create(&[2], &[9]));
        assert_ne!(first, second);
        assert_eq!(known.look_up(&[9]), first, "an identifier never changes its device");
        assert_eq!(known.create(&[1], &[2]), first);
        assert_eq!(known.look_up(&[2]), second);
    }

    #[test]
    fn an_identifier_that_was_a_device_of_its_own_stays_one_while_that_has_sessions() {
        let mut known = Known::default();
        let alone = known.create(&[5], &[]);
        let named = known.create(&[1], &[5]);
        assert_ne!(alone, named);
        assert_eq!(known.look_up(&[5]), alone);
    }

    #[test]
    fn an_address_given_in_two_ways_is_known_by_either() {
        let mut known = Known::default();
        let by_port = known.create(&[7], &[]);
        assert_eq!(known.create(&[6, 7], &[]), by_port);
        assert_eq!(known.look_up(&[6]), by_port);
    }
}
