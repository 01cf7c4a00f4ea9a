//! CAMARA's stable releases: Quality-On-Demand, QoS Profiles and QoS Provisioning.
//!
//! One module for each thing that goes over the wire, for all releases: what differs between them
//! is a value of core's `RuleSet` ([`Release::rules`]), or one of [`Release`] where it is only a
//! name.

mod assignment_info;
mod device;
mod event;
mod fields;
mod ports;
pub mod profile;
mod request;
mod server;
mod session_info;
mod sink;

pub use assignment_info::{Shown, assignment_info};
#[cfg(feature = "openapi")]
pub(crate) use event::event_type;
pub use event::{EVENT_CONTENT_TYPE, event};
pub use request::{Create, read_assignment, read_create, read_extend, read_retrieve};
pub use session_info::{session_info, session_list};

use greenwave_core::{RuleSet, RuleSetId};

/// A published state of the APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// r3.2 of September 2025: quality-on-demand 1.1, qos-profiles 1.1, qos-provisioning 0.3.
    R32,
    /// r4.1 of August 2026: their release candidates 1.2.0-rc.3 and 0.4.0-rc.1.
    R41,
}

/// One of the APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Quality for a flow of a device, for a while.
    QualityOnDemand,
    /// What quality there is.
    QosProfiles,
    /// Quality for all that a device does, until it is taken away.
    QosProvisioning,
}

impl Release {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::R32, Self::R41];

    /// Where an API is in this release.
    #[must_use]
    pub fn base_path(self, api: Api) -> &'static str {
        match (api, self) {
            (Api::QualityOnDemand, Self::R32) => "/quality-on-demand/v1",
            (Api::QualityOnDemand, Self::R41) => "/quality-on-demand/v1rc3",
            (Api::QosProfiles, Self::R32) => "/qos-profiles/v1",
            (Api::QosProfiles, Self::R41) => "/qos-profiles/v1rc3",
            (Api::QosProvisioning, Self::R32) => "/qos-provisioning/v0.3",
            (Api::QosProvisioning, Self::R41) => "/qos-provisioning/v0.4rc1",
        }
    }

    /// The rules of an API in this release.
    #[must_use]
    pub fn rules(self, api: Api) -> &'static RuleSet {
        let id = match (api, self) {
            (Api::QualityOnDemand | Api::QosProfiles, Self::R32) => RuleSetId::CamaraR32,
            (Api::QualityOnDemand | Api::QosProfiles, Self::R41) => RuleSetId::CamaraR41,
            (Api::QosProvisioning, Self::R32) => RuleSetId::ProvisioningR32,
            (Api::QosProvisioning, Self::R41) => RuleSetId::ProvisioningR41,
        };
        id.rules()
    }
}

/// Where the sessions of these rules are.
#[must_use]
pub fn base_path(rules: RuleSetId) -> &'static str {
    match rules {
        RuleSetId::NokiaV0 => "/qod/v0",
        RuleSetId::NokiaV1 | RuleSetId::CamaraR32 => Release::R32.base_path(Api::QualityOnDemand),
        RuleSetId::CamaraR41 => Release::R41.base_path(Api::QualityOnDemand),
        RuleSetId::ProvisioningR32 => Release::R32.base_path(Api::QosProvisioning),
        RuleSetId::ProvisioningR41 => Release::R41.base_path(Api::QosProvisioning),
    }
}
