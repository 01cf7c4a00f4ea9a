//! Each dialect with its schemas, as one document that they can be looked up in.

use greenwave_core::{RuleSetId, Subject};
use greenwave_wire::camara::{Api, Release};
use greenwave_wire::schema::Schemas;
use greenwave_wire::v0::Times;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

pub(crate) struct Dialect {
    pub(crate) rules: RuleSetId,
    pub(crate) times: Times,
    schemas: Schemas,
    document: Value,
}

impl Dialect {
    pub(crate) fn new(rules: RuleSetId, times: Times) -> Self {
        let schemas = Schemas::new("x", rules.rules()).with_times(times);
        let profiles = if rules == RuleSetId::NokiaV0 { Vec::new() } else { schemas.of_profiles() };
        let named: Map<String, Value> = schemas
            .all()
            .into_iter()
            .chain(profiles)
            .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap()))
            .collect();
        let document = json!({"components": {"schemas": named}});
        Self { rules, times, schemas, document }
    }

    pub(crate) fn all() -> Vec<Self> {
        let iso = RuleSetId::ALL.map(|rules| Self::new(rules, Times::Iso));
        let mut all: Vec<Self> = iso.into();
        all.push(Self::new(RuleSetId::NokiaV0, Times::Epoch));
        all
    }

    pub(crate) fn is_nokias(&self) -> bool {
        matches!(self.rules, RuleSetId::NokiaV0 | RuleSetId::NokiaV1)
    }

    /// A schema by its short name.
    pub(crate) fn schema(&self, name: &str) -> &Value {
        &self.document["components"]["schemas"][&self.schemas.name(name)]
    }

    /// What a reference stands for.
    pub(crate) fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(at) => self.document.pointer(at.strip_prefix('#').unwrap()).unwrap(),
            None => schema,
        }
    }

    pub(crate) fn validator(&self, name: &str) -> Validator {
        let mut whole = self.document.clone();
        whole["$ref"] = json!(format!("#/components/schemas/{}", self.schemas.name(name)));
        jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap()
    }

    /// The members of a value that its schema knows nothing of.
    pub(crate) fn left_over(&self, schema: &Value, value: &Value, path: &str) -> Vec<String> {
        let schema = self.resolve(schema);
        let forms = ["oneOf", "anyOf"].iter().find_map(|word| schema[word].as_array());
        match value {
            Value::Array(items) => {
                items.iter().flat_map(|item| self.left_over(&schema["items"], item, path)).collect()
            }
            Value::Object(members) if schema.get("properties").is_none() => {
                let forms = forms.unwrap_or_else(|| panic!("{path}: any members may be here"));
                let of = |form| self.left_over(form, value, path);
                assert!(!members.is_empty());
                forms.iter().map(of).min_by_key(Vec::len).unwrap()
            }
            Value::Object(members) => {
                let of = |(name, value): (&String, &Value)| match schema["properties"].get(name) {
                    Some(schema) => self.left_over(schema, value, &format!("{path}.{name}")),
                    None => vec![format!("{path}.{name}")],
                };
                members.iter().flat_map(of).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The schemas of requests.
    pub(crate) fn requests(&self) -> &'static [&'static str] {
        match (self.rules, self.rules.subject()) {
            (RuleSetId::NokiaV0, _) => {
                &["CreateSession", "ExtendSessionDuration", "RetrieveSessionsInput"]
            }
            (_, Subject::Session) => &[
                "CreateSession",
                "ExtendSessionDuration",
                "RetrieveSessionsInput",
                "QosProfileDeviceRequest",
            ],
            (_, Subject::Assignment) => &["CreateAssignment", "RetrieveAssignmentByDevice"],
        }
    }
}

#[test]
fn the_schemas_are_those_of_json() {
    for dialect in Dialect::all() {
        for schema in dialect.document["components"]["schemas"].as_object().unwrap().values() {
            assert!(jsonschema::draft202012::meta::is_valid(schema), "{schema}");
        }
    }
    assert_eq!(Release::ALL.len(), 2, "a release that is new has its rules among RuleSetId::ALL");
    assert_eq!(Release::R41.rules(Api::QosProvisioning).id, RuleSetId::ProvisioningR41);
}
