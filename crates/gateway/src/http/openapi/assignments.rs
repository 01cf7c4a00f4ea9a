//! CAMARA's QoS Provisioning.

use greenwave_core::{Refusal, RuleSet, RuleSetId};
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::{Api, Release};
use greenwave_wire::schema::Schemas;
use serde_json::Value;
use utoipa::openapi::path::HttpMethod;

use super::operation::{Answer, Operation};
use super::sessions::{correlator, path_id};
use super::{Described, errors, example};
use crate::auth::Scope;

const ABOUT_R32: &str = "\
CAMARA QoS Provisioning 0.3 (release r3.2): a quality for all that a device does, until it is \
taken away. Members that are not known are read over.";

const ABOUT_R41: &str = "\
CAMARA QoS Provisioning 0.4.0-rc.1 (release r4.1). What differs from 0.3: a receiver of events \
can be shown a token by PRIVATE_KEY_JWT where that is arranged, and members that are not known \
are refused.";

pub(super) fn described(release: Release) -> Described {
    let (name, description) = match release {
        Release::R32 => ("qos-provisioning-v0.3", ABOUT_R32),
        Release::R41 => ("qos-provisioning-v0.4rc1", ABOUT_R41),
    };
    let book = Book::new(name, release);
    let schemas = book.schemas.all();
    Described { name, description, operations: book.operations(), schemas, among_all: true }
}

struct Book {
    name: &'static str,
    path: &'static str,
    rules: &'static RuleSet,
    schemas: Schemas,
    one: Value,
    being_revoked: Value,
}

impl Book {
    fn new(name: &'static str, release: Release) -> Self {
        let rules = release.rules(Api::QosProvisioning);
        let [_, long] = example::assignment_bodies();
        let shown = example::shown_assignment(&long.value, rules.id);
        let (one, being_revoked) = shown.unwrap_or_default();
        let (path, schemas) = (release.base_path(Api::QosProvisioning), Schemas::new(name, rules));
        Self { name, path, rules, schemas, one, being_revoked }
    }

    fn operations(&self) -> Vec<Operation> {
        vec![self.create(), self.get(), self.revoke(), self.retrieve()]
    }

    fn at(&self, method: HttpMethod, path: &str, summary: &'static str, id: &str) -> Operation {
        Operation::new(method, format!("{}{path}", self.path), summary)
            .id(self.name, id)
            .parameter(correlator())
    }

    fn of_one(&self, method: HttpMethod, summary: &'static str, id: &str) -> Operation {
        self.at(method, "/qos-assignments/{assignmentId}", summary, id)
            .parameter(path_id("assignmentId", "The id of the assignment."))
            .refuses(errors::of_ids(self.rules))
            .refuses(errors::of_camara(Some("assignmentId")))
    }

    fn shows(&self, status: u16, description: &'static str) -> Answer {
        Answer::new(status, description).body(self.schemas.at("AssignmentInfo"), self.one.clone())
    }

    fn create(&self) -> Operation {
        let private_key = (self.rules.id == RuleSetId::ProvisioningR41)
            .then(ErrorInfo::private_key_jwt_not_configured);
        let summary = "Give a device a quality";
        self.at(HttpMethod::Post, "/qos-assignments", summary, "createQosAssignment")
            .description("A device has one assignment at most, and none beside live sessions.")
            .with_scope(Scope::AssignmentsCreate)
            .reads(self.schemas.at("CreateAssignment"), example::assignment_bodies())
            .once()
            .answers(
                self.shows(201, "The assignment; the network has been asked, or has granted it.")
                    .headers(&["Location", "Idempotent-Replayed"]),
            )
            .refuses(errors::of_camara(None))
            .refuses(errors::of_devices(self.rules))
            .refuses(errors::of_tokens_devices())
            .refuses(errors::of_creation(self.rules))
            .refuses([ErrorInfo::of_refusal(&Refusal::Assigned, self.rules)])
            .refuses(errors::of_sinks())
            .refuses(private_key)
            .tells("{$request.body#/sink}", self.schemas.at("CloudEvent"))
    }

    fn get(&self) -> Operation {
        self.of_one(HttpMethod::Get, "Look at an assignment", "getQosAssignmentById")
            .with_scope(Scope::AssignmentsRead)
            .answers(self.shows(200, "The assignment; for six minutes also one that is over."))
    }

    fn revoke(&self) -> Operation {
        let under_way = "It will be over as soon as the network has let go.";
        let schema = self.schemas.at("AssignmentInfo");
        self.of_one(HttpMethod::Delete, "Take a quality away", "revokeQosAssignment")
            .with_scope(Scope::AssignmentsDelete)
            .answers(Answer::new(202, under_way).body(schema, self.being_revoked.clone()))
            .answers(Answer::new(204, "It is over."))
    }

    fn retrieve(&self) -> Operation {
        let summary = "Look at the assignment of a device";
        self.at(HttpMethod::Post, "/retrieve-qos-assignment", summary, "getQosAssignmentByDevice")
            .with_scope(Scope::AssignmentsReadByDevice)
            .reads(self.schemas.at("RetrieveAssignmentByDevice"), [example::device(false)])
            .answers(self.shows(200, "The one that is in force, or else the latest."))
            .refuses([ErrorInfo::no_assignment(), ErrorInfo::foreign(self.rules.subject)])
            .refuses(errors::of_camara(None))
            .refuses(errors::of_devices(self.rules))
            .refuses(errors::of_tokens_devices())
    }
}
