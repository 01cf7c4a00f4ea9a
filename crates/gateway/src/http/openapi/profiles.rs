//! CAMARA's QoS Profiles.

use greenwave_core::{Catalogue, RuleSet, RuleSetId};
use greenwave_wire::ErrorInfo;
use greenwave_wire::camara::{Api, Release, profile};
use greenwave_wire::schema::Schemas;
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, Required};

use super::operation::{Answer, Example, Operation};
use super::sessions::{correlator, either};
use super::{Described, errors};
use crate::auth::Scope;

const ABOUT_R32: &str = "\
CAMARA QoS Profiles 1.1 (release r3.2): what quality there is. Members that are not known are \
read over.";

const ABOUT_R41: &str = "\
CAMARA QoS Profiles 1.2.0-rc.3 (release r4.1). What differs from 1.1: members that are not known \
are refused.";

pub(super) fn described(release: Release) -> Described {
    let (name, description) = match release {
        Release::R32 => ("qos-profiles-v1", ABOUT_R32),
        Release::R41 => ("qos-profiles-v1rc3", ABOUT_R41),
    };
    let rules = release.rules(Api::QosProfiles);
    let schemas = Schemas::new(name, rules);
    let book = Book { name, path: release.base_path(Api::QosProfiles), rules, schemas };
    let operations = vec![book.retrieve(), book.get()];
    let mut schemas = book.schemas.of_profiles();
    schemas.extend(nokias(name, release).iter().flat_map(Schemas::of_profiles));
    Described { name, description, operations, schemas, among_all: true }
}

struct Book {
    name: &'static str,
    path: &'static str,
    rules: &'static RuleSet,
    schemas: Schemas,
}

fn nokias(name: &str, release: Release) -> Option<Schemas> {
    let nokias = || Schemas::new(&format!("{name}.nokia"), RuleSetId::NokiaV1.rules());
    (release == Release::R32).then(nokias)
}

impl Book {
    fn at(&self, method: HttpMethod, path: &str, summary: &'static str, id: &str) -> Operation {
        Operation::new(method, format!("{}{path}", self.path), summary)
            .id(self.name, id)
            .parameter(correlator())
            .with_scope(Scope::ProfilesRead)
            .refuses(errors::of_camara(None))
    }

    fn retrieve(&self) -> Operation {
        let all = Example { name: "all", summary: "All that there are", value: json!({}) };
        let active = json!({"status": "ACTIVE", "device": {"phoneNumber": "+36721601234567"}});
        let summary = "Those that a device can ask for";
        let active = Example { name: "ofDevice", summary, value: active };
        let release = match self.rules.id {
            RuleSetId::CamaraR41 => Release::R41,
            _ => Release::R32,
        };
        let nokias = nokias(self.name, release);
        let body = either(&self.schemas, nokias.as_ref(), "QosProfileDeviceRequest");
        let summary = "List profiles";
        self.at(HttpMethod::Post, "/retrieve-qos-profiles", summary, "retrieveQoSProfiles")
            .reads(body, [all, active])
            .answers(
                Answer::new(200, "The profiles; none is an empty list.")
                    .body(self.schemas.at("QosProfiles"), list()),
            )
            .refuses(errors::of_devices(self.rules))
            .refuses([ErrorInfo::unnecessary_identifier()])
    }

    fn get(&self) -> Operation {
        let name = ObjectBuilder::new().schema_type(Type::String);
        let name = name.min_length(Some(3)).max_length(Some(256));
        let parameter = ParameterBuilder::new()
            .name("name")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some("The name of the profile."))
            .schema(Some(name.pattern(Some("^[a-zA-Z0-9_.-]+$"))))
            .example(Some("QOS_L".into()));
        let wrong = "a profile's name is 3 to 256 letters, digits, '_', '.' or '-', such as QOS_L";
        self.at(HttpMethod::Get, "/qos-profiles/{name}", "Look at a profile", "getQosProfile")
            .parameter(parameter)
            .answers(Answer::new(200, "The profile.").body(self.schemas.at("QosProfile"), one()))
            .refuses([ErrorInfo::invalid_argument("name", wrong), ErrorInfo::unknown_profile()])
    }
}

fn one() -> Value {
    let catalogue = Catalogue::nokia();
    let written = catalogue.find("QOS_L").map(profile::write);
    written.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn list() -> Value {
    serde_json::from_slice(&profile::write_list(Catalogue::nokia().iter().take(2)))
        .unwrap_or_default()
}
