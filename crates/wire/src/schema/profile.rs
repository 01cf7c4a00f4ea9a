//! QoS profiles: what is asked for, and what is shown.

use greenwave_core::ProfileStatus;
use greenwave_core::profile::{
    BitRate, L4sQueueType, LARGEST_PERIOD, RateUnit, ServiceClass, TimeUnit,
};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder};

use super::keyword::{Members, Optional, Required, object, text, whole, words};
use super::session::profile_name;
use super::{Named, Schemas};

impl Schemas {
    /// Those of CAMARA's QoS Profiles, which is ruled as its sessions are.
    #[must_use]
    pub fn of_profiles(&self) -> Named {
        let retrieve = object("What the profiles that are wanted have; without anything, all are.")
            .member("device", Optional, self.at("Device"))
            .member("name", Optional, profile_name())
            .member("status", Optional, status());
        let mut all = vec![
            self.named("QosProfile", self.profile()),
            self.named("QosProfiles", ArrayBuilder::new().items(self.at("QosProfile"))),
            self.named("QosProfileDeviceRequest", self.asked(retrieve)),
            self.named("Rate", rate()),
            self.named("Duration", period()),
        ];
        all.extend(self.of_devices());
        all
    }

    fn profile(&self) -> ObjectBuilder {
        let (rate, period) = (|| self.at("Rate"), || self.at("Duration"));
        let loss = "The share of packets that may be lost, as a power of ten: 3 is one of 1,000.";
        let countries = ArrayBuilder::new().items(country()).min_items(Some(1));
        object("A QoS profile. Rates are rounded down where they have no whole number.")
            .member("name", Required, profile_name())
            .member("description", Optional, text("A sentence for people."))
            .member("status", Required, status())
            .member("countryAvailability", Optional, countries)
            .member("targetMinUpstreamRate", Optional, rate())
            .member("maxUpstreamRate", Optional, rate())
            .member("maxUpstreamBurstRate", Optional, rate())
            .member("targetMinDownstreamRate", Optional, rate())
            .member("maxDownstreamRate", Optional, rate())
            .member("maxDownstreamBurstRate", Optional, rate())
            .member("minDuration", Optional, period())
            .member("maxDuration", Optional, period())
            .member("priority", Optional, whole("The lower the sooner.", 1, Some(100)))
            .member("packetDelayBudget", Optional, period())
            .member("jitter", Optional, period())
            .member("packetErrorLossRate", Optional, whole(loss, 1, Some(10)))
            .member("l4sQueueType", Optional, l4s())
            .member("serviceClass", Optional, service_class())
    }
}

fn status() -> ObjectBuilder {
    let names: Vec<&str> = ProfileStatus::ALL.iter().map(|status| status.name()).collect();
    words("Whether it can be asked for: ACTIVE can.", &names)
}

fn l4s() -> ObjectBuilder {
    let names: Vec<&str> = L4sQueueType::ALL.iter().map(|kind| kind.name()).collect();
    words("Which queue there is for L4S (RFC 9330).", &names)
}

fn service_class() -> ObjectBuilder {
    let names: Vec<&str> = ServiceClass::ALL.iter().map(|class| class.name()).collect();
    words("What kind of application it is made for (RFC 4594).", &names)
}

fn rate() -> ObjectBuilder {
    let units: Vec<&str> = RateUnit::ALL.iter().map(|unit| unit.name()).collect();
    let most = i64::try_from(BitRate::LARGEST_VALUE).ok();
    object("A rate.").member("value", Required, whole("How many of the unit.", 0, most)).member(
        "unit",
        Required,
        words("Of what.", &units),
    )
}

fn period() -> ObjectBuilder {
    let units: Vec<&str> = TimeUnit::ALL.iter().map(|unit| unit.name()).collect();
    object("A duration.")
        .member("value", Required, whole("How many of the unit.", 1, Some(LARGEST_PERIOD.into())))
        .member("unit", Required, words("Of what.", &units))
}

fn country() -> ObjectBuilder {
    let network = text("MCC and MNC of a network.").pattern(Some("^[0-9]{5,6}$"));
    let country = text("ISO 3166-1 alpha-2.").pattern(Some("^[A-Z]{2}$"));
    object("A country in which it can be had.").member("countryName", Required, country).member(
        "networks",
        Optional,
        ArrayBuilder::new().items(network).min_items(Some(1)),
    )
}
