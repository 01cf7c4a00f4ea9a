//! How a fault of the simulated network is written down.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::ValueEnum;
use greenwave_core::device::{NetworkAccessIdentifier, PhoneNumber};
use greenwave_core::rules::PhoneNumberRule;
use greenwave_core::{Device, SessionId};
use greenwave_network::simulator::faults::{
    CallFault, Concern, Fault, GrantFault, Kind, LONGEST_DELAY, Listed, Operation, Probability,
};
use greenwave_wire::ErrorInfo;
use serde::{Deserialize, Serialize};

/// A fault as it is sent and shown. What is left out is not restricted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultForm {
    /// In which operation.
    pub operation: OperationName,
    /// What goes wrong.
    pub kind: KindName,
    /// By how much, for what is late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// For how long a busy network wants to be left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// How often it strikes before it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<NonZeroU32>,
    /// How likely it strikes where it could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Only this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Only sessions of this device: a name (local@domain) or a phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Only sessions in this cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
}

/// A fault that can still strike.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultInfo {
    /// Its number.
    pub id: u32,
    /// How often it has struck.
    pub struck: u32,
    /// The fault as it was added.
    #[serde(flatten)]
    pub fault: FaultForm,
}

/// What a network is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum OperationName {
    /// To honour a session
    Provision,
    /// To take back what was done for one, or belongs to none
    Release,
    /// To list what is there
    List,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum KindName {
    /// Nothing is done, and no answer comes
    NeverAnswers,
    /// It is done, and no answer comes
    LosesAnswer,
    /// It is done, and the answer comes after the delay
    AnswersLate,
    /// It is done only after the delay, and answered then
    ActsLate,
    /// Nothing is done, and the answer is an error
    Fails,
    /// It is done, and the answer is an error
    ActsThenFails,
    /// Nothing is done, and the network wants to be left alone for a while
    Busy,
    /// Provision only: the answer is a refusal
    Refuses,
    /// Provision only: it is accepted, and refused by an event
    RefusesLater,
    /// Provision only: it is accepted, and no event ever comes
    NeverConfirms,
    /// Provision only: the event that grants it comes twice
    ConfirmsTwice,
    /// Provision only: the event that grants it comes at once, the answer after the delay
    ConfirmsFirst,
}

impl FaultForm {
    /// The fault that is written down here.
    pub(super) fn read(&self) -> Result<Fault, ErrorInfo> {
        let fault = Fault {
            kind: self.read_kind()?,
            concern: self.read_concern()?,
            times: self.times,
            probability: self.probability.map_or(Ok(Probability::CERTAIN), |number| {
                Probability::new(number)
                    .map_err(|error| ErrorInfo::out_of_range("probability", error))
            })?,
        };
        if self.operation == OperationName::List && !fault.concern.is_everything() {
            let wrong = "a list is about no session in particular: leave out sessionId, device and \
                         cell";
            return Err(ErrorInfo::invalid_argument("operation", wrong));
        }
        Ok(fault)
    }

    fn read_kind(&self) -> Result<Kind, ErrorInfo> {
        let call = match self.kind {
            KindName::NeverAnswers => CallFault::NeverAnswers,
            KindName::LosesAnswer => CallFault::LosesAnswer,
            KindName::AnswersLate => CallFault::AnswersLate(self.read_delay()?),
            KindName::ActsLate => CallFault::ActsLate(self.read_delay()?),
            KindName::Fails => CallFault::Fails,
            KindName::ActsThenFails => CallFault::ActsThenFails,
            KindName::Busy => CallFault::Busy(milliseconds("retryAfterMs", self.retry_after_ms)?),
            KindName::Refuses => return self.grant(GrantFault::Refuses),
            KindName::RefusesLater => return self.grant(GrantFault::RefusesLater),
            KindName::NeverConfirms => return self.grant(GrantFault::NeverConfirms),
            KindName::ConfirmsTwice => return self.grant(GrantFault::ConfirmsTwice),
            KindName::ConfirmsFirst => {
                return self.grant(GrantFault::ConfirmsFirst(self.read_delay()?));
            }
        };
        self.has_nothing_idle()?;
        Ok(Kind::Call(self.operation.read(), call))
    }

    fn grant(&self, fault: GrantFault) -> Result<Kind, ErrorInfo> {
        if self.operation != OperationName::Provision {
            let wrong = "only provision can be refused or confirmed";
            return Err(ErrorInfo::invalid_argument("operation", wrong));
        }
        self.has_nothing_idle()?;
        Ok(Kind::Grant(fault))
    }

    fn read_delay(&self) -> Result<Duration, ErrorInfo> {
        milliseconds("delayMs", self.delay_ms)?.ok_or_else(|| {
            ErrorInfo::invalid_argument("delayMs", "is missing: how late, in milliseconds")
        })
    }

    /// Whoever gives a time that means nothing here has something else in mind.
    fn has_nothing_idle(&self) -> Result<(), ErrorInfo> {
        use KindName::{ActsLate, AnswersLate, Busy, ConfirmsFirst};
        if self.delay_ms.is_some() && !matches!(self.kind, AnswersLate | ActsLate | ConfirmsFirst) {
            let wrong = "is for answers-late, acts-late and confirms-first only: leave it out";
            return Err(ErrorInfo::invalid_argument("delayMs", wrong));
        }
        if self.retry_after_ms.is_some() && self.kind != Busy {
            let wrong = "is for busy only: leave it out";
            return Err(ErrorInfo::invalid_argument("retryAfterMs", wrong));
        }
        Ok(())
    }

    fn read_concern(&self) -> Result<Concern, ErrorInfo> {
        let session = self.session_id.as_deref().map(|text| {
            SessionId::parse(text)
                .ok_or_else(|| ErrorInfo::invalid_argument("sessionId", "is no session's id"))
        });
        let cell = self
            .cell
            .as_deref()
            .map(|text| text.parse().map_err(|error| ErrorInfo::invalid_argument("cell", error)));
        Ok(Concern {
            session: session.transpose()?,
            device: self.device.as_deref().map(read_device).transpose()?,
            cell: cell.transpose()?,
        })
    }
}

impl FaultInfo {
    /// What is shown of a fault.
    pub(super) fn of(listed: &Listed) -> Self {
        let Listed { id, fault, struck } = listed;
        let (kind, delay, retry_after) = kind_name(fault.kind);
        let in_ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let probability = fault.probability.number();
        let fault = FaultForm {
            operation: OperationName::of(fault.kind.operation()),
            kind,
            delay_ms: delay.map(in_ms),
            retry_after_ms: retry_after.map(in_ms),
            times: fault.times,
            probability: Some(probability).filter(|&number| number < 1.0),
            session_id: fault.concern.session.map(|id| id.to_string()),
            device: fault.concern.device.as_ref().map(device_text),
            cell: fault.concern.cell.map(|cell| cell.to_string()),
        };
        Self { id: id.0, struck: *struck, fault }
    }
}

impl OperationName {
    fn of(operation: Operation) -> Self {
        match operation {
            Operation::Provision => Self::Provision,
            Operation::Release => Self::Release,
            Operation::List => Self::List,
        }
    }

    fn read(self) -> Operation {
        match self {
            Self::Provision => Operation::Provision,
            Self::Release => Operation::Release,
            Self::List => Operation::List,
        }
    }
}

/// The name of a kind, its delay, and how long a busy network wants to be left alone.
fn kind_name(kind: Kind) -> (KindName, Option<Duration>, Option<Duration>) {
    let name = match kind {
        Kind::Call(_, CallFault::AnswersLate(delay)) => {
            return (KindName::AnswersLate, Some(delay), None);
        }
        Kind::Call(_, CallFault::ActsLate(delay)) => {
            return (KindName::ActsLate, Some(delay), None);
        }
        Kind::Grant(GrantFault::ConfirmsFirst(delay)) => {
            return (KindName::ConfirmsFirst, Some(delay), None);
        }
        Kind::Call(_, CallFault::Busy(retry_after)) => return (KindName::Busy, None, retry_after),
        Kind::Call(_, CallFault::NeverAnswers) => KindName::NeverAnswers,
        Kind::Call(_, CallFault::LosesAnswer) => KindName::LosesAnswer,
        Kind::Call(_, CallFault::Fails) => KindName::Fails,
        Kind::Call(_, CallFault::ActsThenFails) => KindName::ActsThenFails,
        Kind::Grant(GrantFault::Refuses) => KindName::Refuses,
        Kind::Grant(GrantFault::RefusesLater) => KindName::RefusesLater,
        Kind::Grant(GrantFault::NeverConfirms) => KindName::NeverConfirms,
        Kind::Grant(GrantFault::ConfirmsTwice) => KindName::ConfirmsTwice,
    };
    (name, None, None)
}

fn milliseconds(field: &str, number: Option<u64>) -> Result<Option<Duration>, ErrorInfo> {
    let time = number.map(Duration::from_millis);
    if time.is_some_and(|time| time.is_zero() || time > LONGEST_DELAY) {
        let wrong = format!("a whole number of milliseconds, 1 to {}", LONGEST_DELAY.as_millis());
        return Err(ErrorInfo::out_of_range(field, wrong));
    }
    Ok(time)
}

/// A device by its name or phone number.
pub(super) fn read_device(text: &str) -> Result<Device, ErrorInfo> {
    let (name, phone) = if text.contains('@') {
        (Some(NetworkAccessIdentifier::parse(text)), None)
    } else {
        (None, Some(PhoneNumber::parse(text, PhoneNumberRule::PlusOptional)))
    };
    let wrong = |error| ErrorInfo::invalid_argument("device", error);
    let name = name.transpose().map_err(wrong)?;
    let phone = phone.transpose().map_err(wrong)?;
    Device::new(name, phone, None, None)
        .map_err(|error| ErrorInfo::invalid_argument("device", error))
}

fn device_text(device: &Device) -> String {
    let name = device.network_access_identifier().map(NetworkAccessIdentifier::text);
    let text = name.or_else(|| device.phone_number().map(PhoneNumber::text));
    text.unwrap_or_default().to_owned()
}
