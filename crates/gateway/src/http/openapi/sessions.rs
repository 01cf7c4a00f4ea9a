//! CAMARA's Quality-On-Demand.

use greenwave_core::{RuleSet, RuleSetId};
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::{Api, Release};
use greenwave_wire::schema::Schemas;
use serde_json::Value;
use utoipa::openapi::path::{HttpMethod, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AnyOfBuilder, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Schema};

use super::operation::{Answer, Operation, text_parameter};
use super::v0::{page, per_page};
use super::{Described, errors, example};
use crate::auth::Scope;

const ABOUT_R32: &str = "\
CAMARA Quality-On-Demand 1.1 (release r3.2). Members that are not known are read over.

Whoever shows an `X-RapidAPI-Key` speaks as Nokia's clients do: the duration may be missing, \
phone numbers have no plus, events may go to http URLs, members may be null, sessions of one \
application may overlap, and a session can be extended while it is requested, up to a day that \
is left. In the schemas, that is what begins with `quality-on-demand-v1.nokia`.";

const ABOUT_R41: &str = "\
CAMARA Quality-On-Demand 1.2.0-rc.3 (release r4.1). What differs from 1.1: a server can be a \
list of addresses, ports begin at 1, a receiver of events can be shown a token by \
PRIVATE_KEY_JWT where that is arranged, and members that are not known are refused.";

pub(super) fn described(release: Release) -> Described {
    let (name, description) = match release {
        Release::R32 => ("quality-on-demand-v1", ABOUT_R32),
        Release::R41 => ("quality-on-demand-v1rc3", ABOUT_R41),
    };
    let book = Book::new(name, release);
    let mut schemas = book.schemas.all();
    schemas.extend(book.nokias.iter().flat_map(Schemas::all));
    Described { name, description, operations: book.operations(), schemas, among_all: true }
}

struct Book {
    name: &'static str,
    path: &'static str,
    rules: &'static RuleSet,
    schemas: Schemas,
    /// What Nokia's clients say and are told on the same paths.
    nokias: Option<Schemas>,
    one: Value,
    list: Value,
}

impl Book {
    fn new(name: &'static str, release: Release) -> Self {
        let rules = release.rules(Api::QualityOnDemand);
        let nokias = (release == Release::R32)
            .then(|| Schemas::new(&format!("{name}.nokia"), RuleSetId::NokiaV1.rules()));
        let bodies = example::session_bodies(rules.id);
        let long = bodies.get(1).map(|long| &long.value);
        let shown = long.and_then(|long| example::shown_session(long, rules.id));
        let (one, list) = shown.unwrap_or_default();
        let (path, schemas) = (release.base_path(Api::QualityOnDemand), Schemas::new(name, rules));
        Self { name, path, rules, schemas, nokias, one, list }
    }

    fn operations(&self) -> Vec<Operation> {
        let mut all =
            vec![self.create(), self.get(), self.extend(), self.delete(), self.retrieve()];
        all.extend(self.nokias.as_ref().map(|nokias| self.list(nokias)));
        all
    }

    /// A schema, or that of Nokia's clients.
    fn schema(&self, name: &str) -> RefOr<Schema> {
        either(&self.schemas, self.nokias.as_ref(), name)
    }

    /// Whatever these errors are to both.
    fn both(&self, of: fn(&RuleSet) -> Vec<ErrorInfo>) -> Vec<ErrorInfo> {
        let mut errors = of(self.rules);
        if self.nokias.is_some() {
            let nokias = of(RuleSetId::NokiaV1.rules());
            errors.extend(nokias.into_iter().filter(|error| !of(self.rules).contains(error)));
        }
        errors
    }

    fn at(&self, method: HttpMethod, path: &str, summary: &'static str, id: &str) -> Operation {
        Operation::new(method, format!("{}{path}", self.path), summary)
            .id(self.name, id)
            .parameter(correlator())
    }

    fn of_one(&self, method: HttpMethod, end: &str, summary: &'static str, id: &str) -> Operation {
        self.at(method, &format!("/sessions/{{sessionId}}{end}"), summary, id)
            .parameter(path_id("sessionId", "The id of the session."))
            .refuses(self.both(errors::of_ids))
            .refuses(errors::of_camara(Some("sessionId")))
    }

    fn shows(&self, status: u16, description: &'static str) -> Answer {
        Answer::new(status, description).body(self.schema("SessionInfo"), self.one.clone())
    }

    fn create(&self) -> Operation {
        let private_key =
            (self.rules.id == RuleSetId::CamaraR41).then(ErrorInfo::private_key_jwt_not_configured);
        self.at(HttpMethod::Post, "/sessions", "Ask for a session", "createSession")
            .description(
                "An overlap with another session of the device is refused, whosever it is. How long a \
                 session may be, its profile says.",
            )
            .with_scope(Scope::SessionsCreate)
            .reads(self.schema("CreateSession"), example::session_bodies(self.rules.id))
            .once()
            .answers(
                self.shows(201, "The session; the network has been asked, or has granted it.")
                    .headers(&["Location", "Idempotent-Replayed"]),
            )
            .refuses(errors::of_camara(None))
            .refuses(self.both(errors::of_devices))
            .refuses(errors::of_tokens_devices())
            .refuses(self.both(errors::of_creation))
            .refuses(self.both(errors::of_sessions))
            .refuses(errors::of_sinks())
            .refuses(private_key)
            .tells("{$request.body#/sink}", self.schemas.at("CloudEvent"))
    }

    /// Of Nokia's clients alone.
    fn list(&self, nokias: &Schemas) -> Operation {
        self.at(HttpMethod::Get, "/sessions", "List all sessions", "listSessions")
            .description(
                "By pages. For those who show an `X-RapidAPI-Key`; CAMARA has no such call.",
            )
            .with_scope(Scope::SessionsRead)
            .parameter(page())
            .parameter(per_page())
            .answers(
                Answer::new(200, "The sessions; none is an empty list.")
                    .body(nokias.at("Sessions"), self.list.clone())
                    .headers(&["Link"]),
            )
            .refuses(errors::of_pages())
            .refuses(errors::of_camara(None))
            .refuses([ErrorInfo::method_not_allowed("GET")])
    }

    fn get(&self) -> Operation {
        self.of_one(HttpMethod::Get, "", "Look at a session", "getSession")
            .with_scope(Scope::SessionsRead)
            .answers(self.shows(200, "The session."))
    }

    fn extend(&self) -> Operation {
        let summary = "Let a session last longer";
        self.of_one(HttpMethod::Post, "/extend", summary, "extendQosSessionDuration")
            .description("The whole duration is at most the profile's.")
            .with_scope(Scope::SessionsUpdate)
            .reads(self.schema("ExtendSessionDuration"), [example::extension()])
            .once()
            .answers(self.shows(200, "The session.").headers(&["Idempotent-Replayed"]))
            .refuses(self.both(errors::of_extensions))
    }

    fn delete(&self) -> Operation {
        self.of_one(HttpMethod::Delete, "", "End a session", "deleteSession")
            .with_scope(Scope::SessionsDelete)
            .answers(Answer::new(204, "It is over."))
    }

    fn retrieve(&self) -> Operation {
        let summary = "List the sessions of a device";
        let path = "/retrieve-sessions";
        self.at(HttpMethod::Post, path, summary, "retrieveSessionsByDevice")
            .with_scope(Scope::SessionsRetrieveByDevice)
            .reads(self.schema("RetrieveSessionsInput"), [example::device(false)])
            .answers(
                Answer::new(200, "The sessions of the application; none is an empty list.")
                    .body(self.schema("Sessions"), self.list.clone()),
            )
            .refuses(errors::of_camara(None))
            .refuses(self.both(errors::of_devices))
            .refuses(errors::of_tokens_devices())
    }
}

/// A schema, or that of Nokia's clients where there are some.
pub(super) fn either(own: &Schemas, nokias: Option<&Schemas>, name: &str) -> RefOr<Schema> {
    match nokias {
        None => own.at(name).into(),
        Some(nokias) => AnyOfBuilder::new().item(own.at(name)).item(nokias.at(name)).into(),
    }
}

pub(super) fn correlator() -> ParameterBuilder {
    let says = "Comes back in the answer, so that what belongs together can be found.";
    text_parameter("x-correlator", says, "^[a-zA-Z0-9_:;./<>{}-]{0,256}$")
}

pub(super) fn path_id(name: &str, description: &str) -> ParameterBuilder {
    let uuid = SchemaFormat::Custom("uuid".to_owned());
    let uuid = ObjectBuilder::new().schema_type(Type::String).format(Some(uuid));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(uuid))
        .example(Some(example::id().into()))
}
