//! Assignments: what is asked for, and what is shown.

use utoipa::openapi::ObjectBuilder;

use super::keyword::{Members, Optional, Required, formatted, object};
use super::session::{id, profile_name, reason, status};
use super::sink::sink_response;
use super::{Named, Schemas};

impl Schemas {
    pub(super) fn of_assignments(&self) -> Named {
        let retrieve = self.retrieve("Whose assignment is wanted.");
        vec![
            self.named("CreateAssignment", self.create_assignment()),
            self.named("AssignmentInfo", self.assignment_info()),
            self.named("RetrieveAssignmentByDevice", retrieve),
            self.named("CloudEvent", self.event()),
        ]
    }

    fn create_assignment(&self) -> ObjectBuilder {
        let body = object("Which quality all traffic of a device is to have.")
            .member("device", Optional, self.at("Device"))
            .member("qosProfile", Required, profile_name());
        self.asked(self.with_sink(body))
    }

    fn assignment_info(&self) -> ObjectBuilder {
        let since = formatted("When it became available.", "date-time");
        object("An assignment of quality to a device.")
            .member("assignmentId", Required, id("assignment"))
            .member("device", Optional, self.at("DeviceResponse"))
            .member("qosProfile", Required, profile_name())
            .member("sink", Optional, sink_response())
            .member("startedAt", Optional, since)
            .member("status", Required, status())
            .member("statusInfo", Optional, reason())
    }
}
