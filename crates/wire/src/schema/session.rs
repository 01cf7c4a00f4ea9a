//! Sessions: what is asked for, and what is shown.

use greenwave_core::RuleSetId;
use greenwave_core::rules::ExtendRule;
use serde_json::json;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder};

use super::keyword::{
    Members, Optional, Presence, Required, formatted, needs, object, text, whole, words,
};
use super::sink::{sink_response, token};
use super::{Named, Schemas};
use crate::v0::Times;

const STATUS: [&str; 3] = ["REQUESTED", "AVAILABLE", "UNAVAILABLE"];
const REASON: [&str; 3] = ["DURATION_EXPIRED", "NETWORK_TERMINATED", "DELETE_REQUESTED"];

const TOKEN: &str = "notificationAuthToken";

impl Schemas {
    pub(super) fn of_sessions(&self) -> Named {
        let list = ArrayBuilder::new().items(self.at("SessionInfo"));
        let mut all = vec![
            self.named("CreateSession", self.create_session()),
            self.named("SessionInfo", self.session_info()),
            self.named("Sessions", list),
            self.named("ExtendSessionDuration", self.extend()),
            self.named("RetrieveSessionsInput", self.retrieve("Whose sessions are wanted.")),
            self.named("CloudEvent", self.event()),
        ];
        all.extend(self.of_flows());
        if self.is_v0() {
            let shown = "What the receiver is shown as a bearer token. It is never shown again.";
            let asked = webhook(self.sink()).member(TOKEN, Optional, token(shown));
            all.push(self.named("Webhook", asked));
            all.push(self.named("WebhookResponse", webhook(sink_response())));
        }
        all
    }

    fn create_session(&self) -> ObjectBuilder {
        // Elsewhere a token may say it.
        let device: Presence = if self.is_v0() { Required } else { Optional };
        let body = object("What is to have which quality, and for how long.")
            .member("device", device, self.at("Device"))
            .member("applicationServer", Required, self.at("ApplicationServer"))
            .member("devicePorts", Optional, self.at("PortsSpec"))
            .member("applicationServerPorts", Optional, self.at("PortsSpec"))
            .member("qosProfile", Required, profile_name());
        let body = self.with_duration(body);
        if self.is_v0() {
            let flat = "As in webhook, where early clients have it.";
            return body
                .member("webhook", Optional, self.at("Webhook"))
                .member("notificationUrl", Optional, self.sink().description(Some(flat)))
                .member(TOKEN, Optional, token(flat));
        }
        self.asked(self.with_sink(body))
    }

    /// Without an end of its own, a duration is as long as the profile lets it be.
    fn with_duration(&self, body: ObjectBuilder) -> ObjectBuilder {
        let rule = self.rules.duration;
        let most = rule.maximum.map_or(i64::from(i32::MAX), |most| most.as_secs().cast_signed());
        let seconds = whole("Seconds, from the moment at which it is available.", 1, Some(most));
        match rule.default {
            None => body.member("duration", Required, seconds),
            Some(default) => {
                let default = Some(json!(default.as_secs()));
                body.member("duration", Optional, seconds.default(default))
            }
        }
    }

    /// A credential without a sink has nobody to be shown to.
    pub(super) fn with_sink(&self, body: ObjectBuilder) -> ObjectBuilder {
        body.member("sink", Optional, self.sink())
            .member("sinkCredential", Optional, self.at("SinkCredential"))
            .extensions(Some(needs("sinkCredential", "sink")))
    }

    fn session_info(&self) -> ObjectBuilder {
        let (device, times) = match self.is_v0() {
            true => (Required, Required),
            false => (Optional, Optional),
        };
        let info = object("A session.")
            .member("sessionId", Required, id("session"))
            .member("device", device, self.at("DeviceResponse"))
            .member("applicationServer", Required, self.at("ApplicationServer"))
            .member("devicePorts", Optional, self.at("PortsSpecResponse"))
            .member("applicationServerPorts", Optional, self.at("PortsSpecResponse"))
            .member("qosProfile", Required, profile_name());
        let info = match self.is_v0() {
            true => info.member("webhook", Optional, self.at("WebhookResponse")),
            false => info.member("sink", Optional, sink_response()),
        };
        let lasts = "Seconds that it lasts, extensions included; once it is over, that it lasted.";
        info.member("duration", Required, whole(lasts, 0, None))
            .member("startedAt", times, self.time("When it became available."))
            .member("expiresAt", times, self.time("When it ends, or has ended."))
            .member("qosStatus", Required, status())
            .member("statusInfo", Optional, reason())
    }

    /// In early versions they are numbers.
    fn time(&self, description: &str) -> ObjectBuilder {
        match self.times {
            Times::Iso => formatted(description, "date-time"),
            Times::Epoch => whole(&format!("{description} Seconds since 1970."), 0, None),
        }
    }

    fn extend(&self) -> ObjectBuilder {
        let most = match self.rules.extend {
            ExtendRule::Remaining { largest_step, .. } => largest_step.as_secs().cast_signed(),
            ExtendRule::Overall => i32::MAX.into(),
        };
        let by = whole("Seconds that are added to the duration.", 1, Some(most));
        self.asked(object("By how much a session is to last longer.").member(
            "requestedAdditionalDuration",
            Required,
            by,
        ))
    }

    pub(super) fn retrieve(&self, description: &str) -> ObjectBuilder {
        let presence: Presence = if self.is_v0() { Required } else { Optional };
        self.asked(object(description).member("device", presence, self.at("Device")))
    }

    pub(super) fn is_v0(&self) -> bool {
        self.rules.id == RuleSetId::NokiaV0
    }
}

/// What is shown of it is the URL alone.
fn webhook(url: ObjectBuilder) -> ObjectBuilder {
    object("Where events go.").member("notificationUrl", Required, url)
}

pub(super) fn id(what: &str) -> ObjectBuilder {
    formatted(&format!("The id of the {what}."), "uuid")
}

pub(super) fn profile_name() -> ObjectBuilder {
    let name = text("The name of a QoS profile.").min_length(Some(3)).max_length(Some(256));
    name.pattern(Some("^[a-zA-Z0-9_.-]+$"))
}

pub(super) fn status() -> ObjectBuilder {
    let says = "REQUESTED until the network has answered, AVAILABLE while it honours it, \
                UNAVAILABLE when it does not, or not any more.";
    words(says, &STATUS)
}

/// Of an event: nobody is told that the network has been asked.
pub(super) fn told_status() -> ObjectBuilder {
    words("What it has become.", &STATUS[1..])
}

pub(super) fn reason() -> ObjectBuilder {
    words("Why it is over, or will be.", &REASON)
}
