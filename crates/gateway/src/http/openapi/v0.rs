//! `/qod/v0`, and its twin.

use greenwave_wire::ErrorInfo;
use greenwave_wire::schema::Schemas;
use greenwave_wire::v0::{self, MOST_PER_PAGE, Times};
use serde_json::Value;
use utoipa::openapi::path::{HttpMethod, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, Required};

use super::operation::{Answer, Operation, text_parameter};
use super::{Described, errors, example};
use crate::auth::Scope;
use crate::http::v0::Dialect;

const ABOUT: &str = "\
CAMARA Quality on Demand 0.10.1, as Nokia's SDKs speak it. `/qod/v0-epoch` is the same with \
times in whole seconds since 1970, as SDKs before 3.0 read them; so are the answers to a request \
with a header `x-fern-language`.

A member that is null is as good as absent, and so is an empty list of ports, an empty address, \
a webhook without a URL. Members that are not known are read over.";

const ABOUT_TWIN: &str = "\
The same as `/qod/v0`, with times in whole seconds since 1970, as SDKs before 3.0 read them.";

pub(super) fn described(times: Times) -> Described {
    let (name, description, dialect) = match times {
        Times::Iso => ("qod-v0", ABOUT, Dialect::V0),
        Times::Epoch => ("qod-v0-epoch", ABOUT_TWIN, Dialect::V0Epoch),
    };
    let described = Book::new(name, dialect, times);
    Described {
        name,
        description,
        operations: described.operations(),
        schemas: described.schemas.all(),
        among_all: times == Times::Iso,
    }
}

struct Book {
    name: &'static str,
    path: &'static str,
    schemas: Schemas,
    one: Value,
    list: Value,
}

impl Book {
    fn new(name: &'static str, dialect: Dialect, times: Times) -> Self {
        let schemas = Schemas::new(name, v0::rules()).with_times(times);
        let [_, long] = example::v0_bodies();
        let (one, list) = example::shown_v0(&long.value, times).unwrap_or_default();
        Self { name, path: dialect.path(), schemas, one, list }
    }

    fn operations(&self) -> Vec<Operation> {
        vec![self.create(), self.list(), self.get(), self.extend(), self.delete(), self.retrieve()]
    }

    fn at(&self, method: HttpMethod, path: &str, summary: &'static str, id: &str) -> Operation {
        let says = "Comes back; one that could do harm is replaced by a new one.";
        let correlator = text_parameter("x-correlator", says, "^[a-zA-Z0-9_:;./<>{}-]{0,256}$");
        Operation::new(method, format!("{}{path}", self.path), summary)
            .id(self.name, id)
            .parameter(correlator)
            .refuses([ErrorInfo::token_of_device()])
    }

    fn of_one(&self, method: HttpMethod, end: &str, summary: &'static str, id: &str) -> Operation {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let parameter = ParameterBuilder::new()
            .name("sessionId")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some("The id of the session. What is no id names none."))
            .schema(Some(text))
            .example(Some(example::id().into()));
        self.at(method, &format!("/sessions/{{sessionId}}{end}"), summary, id)
            .parameter(parameter)
            .refuses(errors::of_ids(v0::rules()))
    }

    fn shows(&self, status: u16, description: &'static str) -> Answer {
        Answer::new(status, description).body(self.schemas.at("SessionInfo"), self.one.clone())
    }

    fn create(&self) -> Operation {
        let rules = v0::rules();
        self.at(HttpMethod::Post, "/sessions", "Ask for a session", "createSession")
            .with_scope(Scope::SessionsCreate)
            .description(
                "Sessions of one application may overlap: a packet that belongs to several gets the \
                 narrower one's quality, of equal ones the later one's. An overlap with another \
                 application's session is refused.",
            )
            .reads(self.schemas.at("CreateSession"), example::v0_bodies())
            .once()
            .answers(
                self.shows(201, "The session; the network has been asked, or has granted it.")
                    .headers(&["Location", "Idempotent-Replayed"]),
            )
            .refuses(errors::of_devices(rules))
            .refuses(errors::of_creation(rules))
            .refuses(errors::of_sessions(rules))
            .tells("{$request.body#/webhook/notificationUrl}", self.schemas.at("CloudEvent"))
    }

    fn list(&self) -> Operation {
        let text = |pattern| ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern));
        let says = "Those of a device, if one is named; else all of the application's, by pages.";
        self.at(HttpMethod::Get, "/sessions", "List sessions", "listSessions")
            .with_scope(Scope::SessionsRead)
            .description(says)
            .parameter(query("networkAccessIdentifier", "Whose.", text("^[!-?A-~]+@[!-?A-~]+$")))
            .parameter(query("phoneNumber", "Whose.", text(r"^\+?[0-9]{5,15}$")))
            .parameter(page())
            .parameter(per_page())
            .answers(
                Answer::new(200, "The sessions; none is an empty list.")
                    .body(self.schemas.at("Sessions"), self.list.clone())
                    .headers(&["Link"]),
            )
            .refuses(errors::of_pages())
            .refuses([ErrorInfo::unsupported_identifier(v0::rules())])
    }

    fn get(&self) -> Operation {
        self.of_one(HttpMethod::Get, "", "Look at a session", "getSession")
            .with_scope(Scope::SessionsRead)
            .answers(self.shows(200, "The session."))
    }

    fn extend(&self) -> Operation {
        self.of_one(HttpMethod::Post, "/extend", "Let a session last longer", "extendSession")
            .with_scope(Scope::SessionsUpdate)
            .description("At most a day is left after it, and never less than before.")
            .reads(self.schemas.at("ExtendSessionDuration"), [example::extension()])
            .once()
            .answers(self.shows(200, "The session.").headers(&["Idempotent-Replayed"]))
            .refuses(errors::of_extensions(v0::rules()))
    }

    fn delete(&self) -> Operation {
        self.of_one(HttpMethod::Delete, "", "End a session", "deleteSession")
            .with_scope(Scope::SessionsDelete)
            .answers(Answer::new(204, "It is over."))
    }

    fn retrieve(&self) -> Operation {
        let summary = "List the sessions of a device";
        self.at(HttpMethod::Post, "/retrieve-sessions", summary, "retrieveSessions")
            .with_scope(Scope::SessionsRetrieveByDevice)
            .reads(self.schemas.at("RetrieveSessionsInput"), [example::device(true)])
            .answers(
                Answer::new(
                    200,
                    "The sessions; none is an empty list, also of a device that is not known.",
                )
                .body(self.schemas.at("Sessions"), self.list.clone()),
            )
            .refuses(errors::of_devices(v0::rules()))
    }
}

fn query(name: &str, description: &str, schema: ObjectBuilder) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
}

pub(super) fn page() -> ParameterBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    query("page", "Which page, from 1.", number)
}

pub(super) fn per_page() -> ParameterBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    let number = number.maximum(Some(MOST_PER_PAGE as f64)).default(Some(MOST_PER_PAGE.into()));
    query("perPage", "How many on a page.", number)
}
