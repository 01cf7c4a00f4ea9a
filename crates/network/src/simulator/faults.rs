//! What can be made to go wrong in the simulated network, as data.
//!
//! A [`Fault`] says what goes wrong in which calls, and how often. The simulator looks into its
//! table at each call; of several faults that would strike, the one that was added first does. A
//! fault that has struck as often as it was to is gone from the table, so whatever is listed can
//! still happen. Faults are not kept: a network that is started again has none.

mod concern;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::PoisonError;
use std::time::Duration;

use super::Simulator;

pub use concern::Concern;
pub(super) use concern::Target;

/// How many faults there may be at a time.
pub const MOST_FAULTS: usize = 1_000;

/// The longest that a fault can make anything wait. What is longer counts as this.
pub const LONGEST_DELAY: Duration = Duration::from_secs(86_400);

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What happens instead of what should.
    pub kind: Kind,
    /// In which calls. A list is about no session in particular: it is only struck by what concerns
    /// all.
    pub concern: Concern,
    /// How often it strikes before it is gone; `None` for as long as it is not removed.
    pub times: Option<NonZeroU32>,
    /// How likely it strikes where it could.
    pub probability: Probability,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// With a call.
    Call(Operation, CallFault),
    /// With what becomes of a session that is to be provisioned.
    Grant(GrantFault),
}

/// What a network is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To honour a session.
    Provision,
    /// To take back what was done for one, or what belongs to none.
    Release,
    /// To list what is there.
    List,
}

/// What goes wrong with a call.
///
/// A network that acts in such a call has done so when it answers: a rule is installed at once, and
/// no event tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// Nothing is done, and no answer comes.
    NeverAnswers,
    /// It is done, and no answer comes.
    LosesAnswer,
    /// It is done, and the answer comes after this time.
    AnswersLate(Duration),
    /// It is done only after this time, whether or not anybody still waits, and answered then.
    ActsLate(Duration),
    /// Nothing is done, and the answer is an error.
    Fails,
    /// It is done, and the answer is an error all the same.
    ActsThenFails,
    /// Nothing is done; the network wants to be left alone, for this long if it says so.
    Busy(Option<Duration>),
}

/// What goes wrong with a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantFault {
    /// The answer is a refusal.
    Refuses,
    /// The answer is that an event will come, and the event is a refusal.
    RefusesLater,
    /// The answer is that an event will come, and none does. The network goes on believing that it
    /// has said all there is to say until the session is released.
    NeverConfirms,
    /// The event comes twice.
    ConfirmsTwice,
    /// The rule is there and the event is sent at once; the answer that an event will come is given
    /// after this time.
    ConfirmsFirst(Duration),
}

impl Kind {
    /// The operation in which it goes wrong.
    #[must_use]
    pub fn operation(self) -> Operation {
        match self {
            Self::Call(operation, _) => operation,
            Self::Grant(_) => Operation::Provision,
        }
    }
}

impl Fault {
    /// A fault that strikes at every call until it is removed.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let concern = Concern::default();
        Self { kind, concern, times: None, probability: Probability::CERTAIN }
    }

    /// A fault that strikes once.
    #[must_use]
    pub fn once(kind: Kind) -> Self {
        Self { times: Some(NonZeroU32::MIN), ..Self::new(kind) }
    }
}

/// More than 0, and 1 at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probability(f64);

/// A number is no probability with which anything could ever happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a probability is more than 0, and 1 at most")]
pub struct InvalidProbability;

impl Probability {
    /// It always happens.
    pub const CERTAIN: Self = Self(1.0);

    /// The probability of this number.
    pub fn new(number: f64) -> Result<Self, InvalidProbability> {
        if number > 0.0 && number <= 1.0 { Ok(Self(number)) } else { Err(InvalidProbability) }
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> f64 {
        self.0
    }
}

/// What a fault is called. It is never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub u32);

/// A fault in the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// What it is called.
    pub id: FaultId,
    /// The fault as it was added.
    pub fault: Fault,
    /// How often it has struck.
    pub struck: u32,
}

/// There are [`MOST_FAULTS`] already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {MOST_FAULTS} faults already: remove some first")]
pub struct TooManyFaults;

/// The faults of a simulated network, for whoever wants something to go wrong.
pub struct Faults<'a>(pub(super) &'a Simulator);

impl Faults<'_> {
    /// Adds a fault. It may strike from now on.
    pub fn add(&self, fault: Fault) -> Result<Listed, TooManyFaults> {
        self.with(|table| table.add(fault))
    }

    /// All that can still happen, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        self.with(|table| table.entries.values().cloned().collect())
    }

    /// Removes a fault; `false` if there is none of this id, or none any more. What it has made
    /// late stays late.
    pub fn remove(&self, id: FaultId) -> bool {
        self.with(|table| table.entries.remove(&id).is_some())
    }

    /// Removes all faults and tells how many that were.
    pub fn clear(&self) -> usize {
        self.with(|table| std::mem::take(&mut table.entries).len())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        change(&mut self.0.inner.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The faults that can still happen.
#[derive(Debug)]
pub(super) struct Table {
    entries: BTreeMap<FaultId, Listed>,
    last: u32,
    random: fastrand::Rng,
}

impl Table {
    pub(super) fn new(seed: u64) -> Self {
        Self { entries: BTreeMap::new(), last: 0, random: fastrand::Rng::with_seed(seed) }
    }

    fn add(&mut self, fault: Fault) -> Result<Listed, TooManyFaults> {
        if self.entries.len() >= MOST_FAULTS {
            return Err(TooManyFaults);
        }
        self.last += 1;
        let listed = Listed { id: FaultId(self.last), fault, struck: 0 };
        self.entries.insert(listed.id, listed.clone());
        Ok(listed)
    }

    /// What goes wrong with this call, if anything.
    pub(super) fn strike(&mut self, operation: Operation, target: &Target<'_>) -> Option<Kind> {
        let Self { entries, random, .. } = self;
        let listed = entries.values_mut().find(|listed| {
            let fault = &listed.fault;
            fault.kind.operation() == operation
                && fault.concern.is_about(target)
                && (fault.probability == Probability::CERTAIN || random.f64() < fault.probability.0)
        })?;
        listed.struck = listed.struck.saturating_add(1);
        let (id, kind) = (listed.id, listed.fault.kind);
        if listed.fault.times.is_some_and(|times| listed.struck >= times.get()) {
            entries.remove(&id);
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILS: Kind = Kind::Call(Operation::Release, CallFault::Fails);
    const REFUSES: Kind = Kind::Grant(GrantFault::Refuses);

    fn table() -> Table {
        Table::new(7)
    }

    fn strikes(table: &mut Table, calls: usize) -> usize {
        let target = Target::ANY;
        (0..calls).filter(|_| table.strike(Operation::Provision, &target).is_some()).count()
    }

    #[test]
    fn a_fault_strikes_its_operation_only() {
        let mut table = table();
        table.add(Fault::new(FAILS)).unwrap();
        assert_eq!(table.strike(Operation::Provision, &Target::ANY), None);
        assert_eq!(table.strike(Operation::List, &Target::ANY), None);
        assert_eq!(table.strike(Operation::Release, &Target::ANY), Some(FAILS));
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_says_and_is_gone() {
        let mut table = table();
        let fault = Fault { times: NonZeroU32::new(3), ..Fault::new(REFUSES) };
        table.add(fault).unwrap();
        assert_eq!(strikes(&mut table, 2), 2);
        assert_eq!(table.entries.values().next().unwrap().struck, 2);
        assert_eq!(strikes(&mut table, 5), 1);
        assert!(table.entries.is_empty());
    }

    #[test]
    fn the_first_that_was_added_strikes_first() {
        let mut table = table();
        let silent = Kind::Call(Operation::Provision, CallFault::NeverAnswers);
        table.add(Fault::once(silent)).unwrap();
        table.add(Fault::once(REFUSES)).unwrap();
        assert_eq!(table.strike(Operation::Provision, &Target::ANY), Some(silent));
        assert_eq!(table.strike(Operation::Provision, &Target::ANY), Some(REFUSES));
        assert_eq!(table.strike(Operation::Provision, &Target::ANY), None);
    }

    #[test]
    fn a_probability_strikes_about_as_often_as_it_says_and_the_same_with_the_same_seed() {
        let probability = Probability::new(0.3).unwrap();
        let count = |seed| {
            let mut table = Table::new(seed);
            table.add(Fault { probability, ..Fault::new(REFUSES) }).unwrap();
            strikes(&mut table, 10_000)
        };
        assert!((2_800..3_200).contains(&count(7)), "{}", count(7));
        assert_eq!(count(7), count(7));
        assert_ne!(count(7), count(8));
    }

    #[test]
    fn a_probability_is_one_that_something_could_happen_with() {
        for bad in [0.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Probability::new(bad), Err(InvalidProbability));
        }
        assert_eq!(Probability::new(1.0), Ok(Probability::CERTAIN));
    }

    #[test]
    fn a_thousand_faults_are_enough_and_none_is_mistaken_for_a_former_one() {
        let mut table = table();
        for _ in 0..MOST_FAULTS {
            table.add(Fault::once(REFUSES)).unwrap();
        }
        assert_eq!(table.add(Fault::once(REFUSES)), Err(TooManyFaults));
        assert_eq!(strikes(&mut table, 1), 1);
        let next = table.add(Fault::once(REFUSES)).unwrap();
        assert_eq!(next.id, FaultId(1_001));
    }
}
