//! Which device a request means.

mod sandbox;

use greenwave_core::{Device, DeviceNames, RuleSet};
use greenwave_network::Answer;

pub use sandbox::SandboxDirectory;

/// Knows the devices of a network.
pub trait Directory: Send + Sync {
    /// What the identifiers of a request are called here.
    fn look_up<'a>(
        &'a self,
        device: &'a Device,
        rules: &'static RuleSet,
    ) -> Answer<'a, Result<Found, DirectoryError>>;
}

/// What a directory says of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The identifiers, by which the ledger finds the device.
    pub names: DeviceNames,
    /// Whether the deciding identifier is one that the directory knows. One that it does not know
    /// may still have come along with one that it does.
    pub known: Result<(), UnknownDevice>,
    /// What its subscription gives it.
    pub service: Service,
}

/// What a device can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Quality on demand.
    Offered,
    /// It may ask, but there is no profile for it.
    WithoutProfiles,
    /// Its kind of subscription has no part in it.
    NotOffered,
}

/// An identifier that means nothing here. The texts are for whoever gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDevice {
    /// The member of the request that decides, such as `device.phoneNumber`.
    pub field: &'static str,
    /// What is known here.
    pub known: &'static str,
}

/// Why a directory cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// None of the identifiers is one that these rules go by.
    #[error("none of the identifiers can say which device is meant")]
    Unsupported,
}
