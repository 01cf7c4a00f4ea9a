//! One operation: what it is told, what it answers.

use greenwave_wire::ErrorInfo;
use greenwave_wire::schema::error_of;
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder, ResponsesBuilder, Schema,
    SecurityRequirement,
};

use super::components::{BEARER, OAUTH2, RAPID_API_KEY, header, shared_response};
use super::errors;
use crate::auth::Scope;

const JSON: &str = "application/json";

/// An operation, before it is written.
pub(super) struct Operation {
    pub(super) method: HttpMethod,
    pub(super) path: String,
    id: String,
    summary: &'static str,
    description: String,
    security: Security,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: Vec<Answer>,
    errors: Vec<ErrorInfo>,
    events: Option<(&'static str, Ref)>,
}

/// What is sent with it.
struct Body {
    media_type: &'static str,
    schema: RefOr<Schema>,
    examples: Vec<Example>,
}

/// Who may call it.
enum Security {
    Nobody,
    Key,
    Scope(Scope),
}

/// An example with what it shows.
pub(super) struct Example {
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) value: Value,
}

/// An answer that is not one of our errors.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    /// What is in it, with an example; the media type if it is no JSON.
    pub(super) body: Option<(RefOr<Schema>, Value)>,
    pub(super) media_type: &'static str,
    pub(super) headers: &'static [&'static str],
}

impl Answer {
    pub(super) fn new(status: u16, description: &'static str) -> Self {
        Self { status, description, body: None, media_type: JSON, headers: &[] }
    }

    pub(super) fn body(self, schema: impl Into<RefOr<Schema>>, example: Value) -> Self {
        Self { body: Some((schema.into(), example)), ..self }
    }

    pub(super) fn media_type(self, media_type: &'static str) -> Self {
        Self { media_type, ..self }
    }

    pub(super) fn headers(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }
}

impl Operation {
    /// One that anybody may call.
    pub(super) fn new(method: HttpMethod, path: impl Into<String>, summary: &'static str) -> Self {
        Self {
            method,
            path: path.into(),
            id: String::new(),
            summary,
            description: String::new(),
            security: Security::Nobody,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            errors: errors::of_everything(),
            events: None,
        }
    }

    pub(super) fn id(self, api: &str, id: &str) -> Self {
        Self { id: format!("{api}.{id}"), ..self }
    }

    pub(super) fn description(self, description: impl Into<String>) -> Self {
        Self { description: description.into(), ..self }
    }

    /// One for applications, without scopes.
    pub(super) fn with_key(mut self) -> Self {
        self.errors.extend(errors::of_applications());
        Self { security: Security::Key, ..self }
    }

    /// One for applications whose tokens have this scope.
    pub(super) fn with_scope(mut self, scope: Scope) -> Self {
        self.errors.extend(errors::of_applications());
        self.errors.push(ErrorInfo::missing_scope(scope.as_str()));
        Self { security: Security::Scope(scope), ..self }
    }

    pub(super) fn parameter(mut self, parameter: ParameterBuilder) -> Self {
        self.parameters.push(parameter.build());
        self
    }

    /// One that reads a body of this schema. Each of the examples is answered with a success.
    pub(super) fn reads(
        mut self,
        schema: impl Into<RefOr<Schema>>,
        examples: impl IntoIterator<Item = Example>,
    ) -> Self {
        self.errors.extend(errors::of_bodies());
        self.sends(JSON, schema, examples)
    }

    /// One that reads a form.
    pub(super) fn reads_form(
        self,
        schema: impl Into<RefOr<Schema>>,
        examples: impl IntoIterator<Item = Example>,
    ) -> Self {
        self.sends("application/x-www-form-urlencoded", schema, examples)
    }

    fn sends(
        self,
        media_type: &'static str,
        schema: impl Into<RefOr<Schema>>,
        examples: impl IntoIterator<Item = Example>,
    ) -> Self {
        let (schema, examples) = (schema.into(), examples.into_iter().collect());
        Self { body: Some(Body { media_type, schema, examples }), ..self }
    }

    /// One that can be asked again with an idempotency key.
    pub(super) fn once(mut self) -> Self {
        self.errors.extend(errors::of_keys());
        let says = "A name for this request, with which it can be made again and is carried out \
                    once: visible ASCII characters, bare or in quotation marks. Best a UUID.";
        self.parameter(text_parameter("Idempotency-Key", says, "^[!-~]{1,255}$"))
    }

    pub(super) fn answers(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    pub(super) fn refuses(mut self, errors: impl IntoIterator<Item = ErrorInfo>) -> Self {
        self.errors.extend(errors);
        self
    }

    /// One after which events are sent to a URL in its body.
    pub(super) fn tells(self, url: &'static str, event: Ref) -> Self {
        Self { events: Some((url, event)), ..self }
    }

    /// As it stands in a document.
    pub(super) fn written(&self, tag: &str) -> OperationBuilder {
        let mut operation = OperationBuilder::new()
            .tag(tag)
            .operation_id(Some(self.id.clone()))
            .summary(Some(self.summary))
            .responses(self.responses())
            .securities(Some(self.security()));
        if !self.description.is_empty() {
            operation = operation.description(Some(self.description.clone()));
        }
        if !self.parameters.is_empty() {
            operation = operation.parameters(Some(self.parameters.clone()));
        }
        if let Some(body) = &self.body {
            let content = ContentBuilder::new()
                .schema(Some(body.schema.clone()))
                .examples_from_iter(body.examples.iter().map(example))
                .build();
            let body = RequestBodyBuilder::new().content(body.media_type, content);
            operation = operation.request_body(Some(body.required(Some(Required::True)).build()));
        }
        match &self.events {
            Some((url, event)) => operation.callback("events", callback(url, event)),
            None => operation,
        }
    }

    fn security(&self) -> Vec<SecurityRequirement> {
        let [bearer, key] =
            [BEARER, RAPID_API_KEY].map(|name| SecurityRequirement::new(name, [""; 0]));
        match self.security {
            Security::Nobody => Vec::new(),
            Security::Key => vec![bearer, key],
            Security::Scope(scope) => {
                vec![SecurityRequirement::new(OAUTH2, [scope.as_str()]), bearer, key]
            }
        }
    }

    fn is_limited(&self) -> bool {
        !matches!(self.security, Security::Nobody)
    }

    fn responses(&self) -> ResponsesBuilder {
        let mut responses = ResponsesBuilder::new();
        for answer in &self.answers {
            responses =
                responses.response(answer.status.to_string(), answer.written(self.is_limited()));
        }
        let mut statuses: Vec<u16> = self.errors.iter().map(|error| error.status).collect();
        statuses.sort_unstable();
        statuses.dedup();
        for status in statuses {
            let mut errors: Vec<&ErrorInfo> =
                self.errors.iter().filter(|error| error.status == status).collect();
            errors.dedup();
            responses = match shared_response(&errors) {
                Some(shared) => responses.response(status.to_string(), shared),
                None => responses.response(status.to_string(), error_response(&errors)),
            };
        }
        responses
    }
}

impl Answer {
    /// Those who are limited see how much is left.
    fn written(&self, is_limited: bool) -> Response {
        let mut response = ResponseBuilder::new().description(self.description);
        let limits: &[&str] = if is_limited { &["RateLimit", "RateLimit-Policy"] } else { &[] };
        for name in [&["x-correlator"], self.headers, limits].concat() {
            response = response.header_ref(name, header(name));
        }
        if let Some((schema, value)) = &self.body {
            let example = Example { name: "example", summary: "", value: value.clone() };
            let content = ContentBuilder::new()
                .schema(Some(schema.clone()))
                .examples_from_iter([self::example(&example)]);
            response = response.content(self.media_type, content.build());
        }
        response.build()
    }
}

/// Errors of one status, each with its example.
pub(super) fn error_response(errors: &[&ErrorInfo]) -> Response {
    let owned: Vec<ErrorInfo> = errors.iter().map(|error| (*error).clone()).collect();
    let examples = owned.iter().enumerate().map(|(at, error)| {
        let value = serde_json::from_slice(&error.to_json()).unwrap_or_default();
        let example = ExampleBuilder::new().summary(error.code).value(Some(value));
        (format!("{}-{}", error.code, at + 1), example)
    });
    let content =
        ContentBuilder::new().schema(Some(error_of(&owned))).examples_from_iter(examples).build();
    let status = owned.first().map_or(500, |error| error.status);
    let mut response = ResponseBuilder::new()
        .description(errors::description(status))
        .header_ref("x-correlator", header("x-correlator"));
    for name in errors::headers(status) {
        response = response.header_ref(*name, header(name));
    }
    response.content(JSON, content).build()
}

fn example(example: &Example) -> (&'static str, ExampleBuilder) {
    let value = Some(example.value.clone());
    (example.name, ExampleBuilder::new().summary(example.summary).value(value))
}

/// What is sent to the receiver of events.
fn callback(url: &str, event: &Ref) -> std::collections::BTreeMap<String, RefOr<PathItem>> {
    let content = ContentBuilder::new().schema(Some(event.clone())).build();
    let body = RequestBodyBuilder::new().content("application/cloudevents+json", content);
    let taken = ResponseBuilder::new().description("Any of these: the event has arrived.");
    let gone = ResponseBuilder::new().description("It is not wanted any more.");
    let says = "Sent again, later and later for 17 hours, unless it is answered with one of these.";
    let operation = OperationBuilder::new()
        .summary(Some("A status has changed"))
        .description(Some(says))
        .request_body(Some(body.required(Some(Required::True)).build()))
        .responses(ResponsesBuilder::new().response("2XX", taken).response("410", gone));
    let item = PathItem::new(HttpMethod::Post, operation);
    [(url.to_owned(), RefOr::T(item))].into_iter().collect()
}

/// A header of a request that may be there.
pub(super) fn text_parameter(name: &str, description: &str, pattern: &str) -> ParameterBuilder {
    use utoipa::openapi::schema::Type;
    let schema = utoipa::openapi::ObjectBuilder::new().schema_type(Type::String);
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema.pattern(Some(pattern))))
}
