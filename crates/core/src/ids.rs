//! Names for sessions, devices, applications and events.

use std::fmt;

use uuid::Uuid;

/// What a client calls a session: a random UUID (version 4) that also carries the device's
/// [`Bucket`], so that whoever holds an id knows where its device is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Uuid);

impl SessionId {
    /// Makes an id from 16 random bytes and the bucket of its device.
    ///
    /// 110 bits stay random: the id cannot be guessed, and it tells neither time nor order.
    #[must_use]
    pub fn new(mut random: [u8; 16], bucket: Bucket) -> Self {
        let [high, low] = bucket.0.to_be_bytes();
        random[0] = (high << 4) | (low >> 4);
        random[1] = (low << 4) | (random[1] & 0x0f);
        Self(uuid::Builder::from_random_bytes(random).into_uuid())
    }

    /// Reads the form that clients are given; `None` for anything else, other UUID forms included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != uuid::fmt::Hyphenated::LENGTH {
            return None;
        }
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The 16 bytes that a table keeps.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id kept as these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Room for [`SessionId::write`].
    #[must_use]
    pub fn room() -> [u8; uuid::fmt::Hyphenated::LENGTH] {
        [0; uuid::fmt::Hyphenated::LENGTH]
    }

    /// Writes the form that clients are given, the same as `{}` does, where somebody has made room.
    pub fn write<'a>(&self, room: &'a mut [u8; uuid::fmt::Hyphenated::LENGTH]) -> &'a str {
        self.0.hyphenated().encode_lower(room)
    }

    /// The bucket of the device that this session is for.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        let bytes = self.as_bytes();
        Bucket::from_first_bits([bytes[0], bytes[1]])
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// One of 4,096 parts into which devices fall, for the day on which one ledger is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u16);

impl Bucket {
    /// How many there are.
    pub const COUNT: u16 = 4_096;

    /// Its place among all of them, from 0.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }

    fn from_first_bits(bytes: [u8; 2]) -> Self {
        Self(u16::from_be_bytes(bytes) >> 4)
    }
}

/// Buckets that lie next to each other, at least one: a part of all devices and their sessions, for
/// whoever goes through them a part at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Buckets {
    first: Bucket,
    last: Bucket,
}

impl Buckets {
    /// All of them.
    pub const ALL: Self = Self { first: Bucket(0), last: Bucket(Bucket::COUNT - 1) };

    /// Splits all of them into `count` parts of the same size, or as nearly so as can be, in the
    /// order of the buckets. There are 1 to [`Bucket::COUNT`] parts; any other `count` counts as
    /// the nearest of these.
    pub fn parts(count: u16) -> impl ExactSizeIterator<Item = Self> + Send {
        let count = count.clamp(1, Bucket::COUNT);
        let begin = move |part: u16| {
            // A part's number is at most the count, so this is at most the number of buckets.
            (u32::from(part) * u32::from(Bucket::COUNT) / u32::from(count)) as u16
        };
        (0..count)
            .map(move |part| Self { first: Bucket(begin(part)), last: Bucket(begin(part + 1) - 1) })
    }

    /// The first of them.
    #[must_use]
    pub fn first(self) -> Bucket {
        self.first
    }

    /// The last of them, which may be the first too.
    #[must_use]
    pub fn last(self) -> Bucket {
        self.last
    }

    /// Whether a bucket is one of them.
    #[must_use]
    pub fn contains(self, bucket: Bucket) -> bool {
        self.first <= bucket && bucket <= self.last
    }

    /// Whether a session's bucket is one of them.
    #[must_use]
    pub fn contains_session(self, session: SessionId) -> bool {
        self.contains(session.bucket())
    }
}

/// A device, as the ledger knows it: the keyed hash of the identifier it is named by.
///
/// The hash is made outside (the key is a secret of the installation), so a ledger that is stolen
/// or copied does not tell phone numbers by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceKey(pub [u8; 16]);

impl DeviceKey {
    /// The part of all devices that this one falls into.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        Bucket::from_first_bits([self.0[0], self.0[1]])
    }
}

/// One identifier of a device (a name, a number, an address), as a keyed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentifierKey(pub [u8; 16]);

impl IdentifierKey {
    /// The device that an identifier names as long as it is nobody's alias.
    #[must_use]
    pub fn own_device(self) -> DeviceKey {
        DeviceKey(self.0)
    }
}

/// An application: the tenant that owns keys, sessions and sinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationId(pub u32);

/// What names an event to its receiver: its session and its place among the session's events.
///
/// It is derived, not drawn: a status change that is decided again has the same event id, so a
/// receiver can always tell a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The session whose status changed.
    pub session: SessionId,
    /// 1 for the session's first event, 2 for the next.
    pub ordinal: u8,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.session, self.ordinal)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_a_v4_uuid_that_gives_its_bucket_back(random: [u8; 16], device: [u8; 16]) {
            let bucket = DeviceKey(device).bucket();
            let id = SessionId::new(random, bucket);
            prop_assert_eq!(id.bucket(), bucket);
            let uuid = Uuid::parse_str(&id.to_string()).unwrap();
            prop_assert_eq!(uuid.get_version_num(), 4);
            prop_assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
            prop_assert_eq!(SessionId::parse(&id.to_string()), Some(id));
            prop_assert_eq!(SessionId::from_bytes(*id.as_bytes()), id);
        }
    }

    proptest! {
        #[test]
        fn the_parts_are_even_and_hold_every_bucket_once(count in 1..=Bucket::COUNT) {
            let mut next = 0;
            let fair = Bucket::COUNT / count;
            for part in Buckets::parts(count) {
                prop_assert_eq!(part.first().number(), next);
                let (first, last) = (part.first().number(), part.last().number());
                prop_assert!((fair..=fair + 1).contains(&(last + 1 - first)), "{:?}", part);
                prop_assert!(part.contains(part.first()) && part.contains(part.last()));
                next = last + 1;
            }
            prop_assert_eq!(next, Bucket::COUNT);
            prop_assert_eq!(Buckets::parts(count).len(), usize::from(count));
        }

        #[test]
        fn a_session_is_in_the_part_that_has_its_bucket(random: [u8; 16], count: u16) {
            let session = SessionId::from_bytes(random);
            let parts: Vec<_> =
                Buckets::parts(count).filter(|part| part.contains_session(session)).collect();
            prop_assert_eq!(parts.len(), 1);
            prop_assert!(parts[0].contains(session.bucket()));
            prop_assert!(Buckets::ALL.contains_session(session));
        }
    }

    #[test]
    fn no_part_is_empty_however_many_are_asked_for() {
        assert_eq!(Buckets::parts(0).collect::<Vec<_>>(), [Buckets::ALL]);
        assert_eq!(Buckets::parts(1).collect::<Vec<_>>(), [Buckets::ALL]);
        assert_eq!(Buckets::parts(u16::MAX).len(), usize::from(Bucket::COUNT));
    }

    #[test]
    fn other_forms_of_uuid_are_no_ids() {
        let id = SessionId::new([7; 16], DeviceKey([9; 16]).bucket()).to_string();
        assert_eq!(SessionId::parse(&id.replace('-', "")), None);
        assert_eq!(SessionId::parse(&format!("{{{id}}}")), None);
        assert_eq!(SessionId::parse("not-a-uuid"), None);
    }
}
