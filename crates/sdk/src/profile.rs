//! The profiles that can be asked for (CAMARA QoS Profiles).

use serde_json::Value;

use crate::request::Response;

/// Of the API beside `/qod/v0`.
pub(crate) const PATH: &str = "/qos-profiles/v1/retrieve-qos-profiles";

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QosProfile {
    name: String,
    json: Value,
}

impl QosProfile {
    /// What a session is asked for with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `ACTIVE`, `INACTIVE` or `DEPRECATED`.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.json["status"].as_str()
    }

    /// A text for people.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.json["description"].as_str()
    }

    /// Everything that the gateway tells, in the members that CAMARA gives it.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.json.to_string()
    }
}

pub(crate) fn read(response: &Response) -> Result<Vec<QosProfile>, String> {
    let list: Vec<Value> =
        serde_json::from_slice(&response.body).map_err(|error| error.to_string())?;
    let profile = |json: Value| {
        let name = json["name"].as_str().ok_or("a profile has no name")?.to_owned();
        Ok(QosProfile { name, json })
    };
    list.into_iter().map(profile).collect()
}
