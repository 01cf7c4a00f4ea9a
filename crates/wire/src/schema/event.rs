//! The events that receivers are sent.

use greenwave_core::{RuleSetId, Subject};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder};

use super::Schemas;
use super::keyword::{Members, Optional, Required, formatted, object, text, words};
use super::session::{id, reason, told_status};
use crate::camara;

impl Schemas {
    pub(super) fn event(&self) -> ObjectBuilder {
        let event = object("A CloudEvent 1.0: a status has changed.")
            .member(
                "id",
                Required,
                text("The same each time that this event is sent.").min_length(Some(1)),
            )
            .member("source", Required, formatted("What has changed.", "uri-reference"))
            .member("specversion", Required, words("Of CloudEvents.", &["1.0"]))
            .member("type", Required, words("What has happened.", &[self.event_type()]))
            .member("datacontenttype", Required, words("Of data.", &["application/json"]))
            .member("time", Required, formatted("When it happened.", "date-time"))
            .member("data", Required, self.data());
        match self.is_v0() {
            true => event.member("event", Required, earlier_event()),
            false => event,
        }
    }

    fn event_type(&self) -> &'static str {
        match (self.is_v0(), self.rules.subject) {
            (true, _) => crate::v0::EVENT_TYPE,
            (false, subject) => camara::event_type(subject),
        }
    }

    fn data(&self) -> ObjectBuilder {
        let data = object("What it has become.");
        let data =
            match self.rules.subject {
                Subject::Session => data.member("sessionId", Required, id("session")).member(
                    "qosStatus",
                    Required,
                    told_status(),
                ),
                Subject::Assignment => data
                    .member("assignmentId", Required, id("assignment"))
                    .member("status", Required, told_status()),
            };
        let data = match self.rules.id {
            RuleSetId::ProvisioningR32 => data.member("qosStatus", Required, told_status()),
            _ => data,
        };
        data.member("statusInfo", Optional, reason())
    }
}

/// What receivers of earlier versions read. Their models have to have a reason.
fn earlier_event() -> ObjectBuilder {
    let or_none = OneOfBuilder::new().item(reason()).item(words("None.", &[""]));
    let detail = object("What it has become.")
        .member("sessionId", Required, id("session"))
        .member("qosStatus", Required, told_status())
        .member("statusInfo", Required, or_none);
    object("The same for receivers of earlier versions.")
        .member("eventType", Required, words("What has happened.", &["QOS_STATUS_CHANGED"]))
        .member("eventTime", Required, formatted("When it happened.", "date-time"))
        .member("eventDetail", Required, detail)
}
