//! CAMARA's APIs, in both releases. Tests are named after the scenarios of CAMARA's own test
//! definitions where there is one: `create_session_c01_03_…` is createSession_C01.03.

mod assignments;
mod create_session;
mod events;
mod every_operation;
mod restart;
mod sessions;

use greenwave_wire::camara::{Api, Release};
use http::Method;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::client::{Answer, TestClient};
use crate::fixture::Fixture;

/// The device of most tests, and another one.
pub(crate) const PHONE: &str = "+36721601234567";
pub(crate) const OTHER_PHONE: &str = "+99999991008";

/// A gateway, and a client of one release of its APIs.
pub(crate) struct Camara {
    pub(crate) f: Fixture,
    pub(crate) release: Release,
    /// With a token for everything.
    pub(crate) api: TestClient,
}

impl Camara {
    pub(crate) async fn new(release: Release) -> Self {
        Self::of(Fixture::new().await, release).await
    }

    /// A gateway whose network does not grant anything before the clock is moved.
    pub(crate) async fn slow(release: Release) -> Self {
        Self::of(Fixture::slow().await, release).await
    }

    /// A gateway that trusts the authority of a receiver.
    pub(crate) async fn trusting(release: Release, authority: CertificateDer<'static>) -> Self {
        Self::of(Fixture::trusting(authority).await, release).await
    }

    async fn of(f: Fixture, release: Release) -> Self {
        let token = issue(&f, json!({"application": "client-a"})).await;
        let api = bearer(&f, &token);
        Self { f, release, api }
    }

    /// A client whose token is as this form says.
    pub(crate) async fn with_token(&self, form: Value) -> TestClient {
        bearer(&self.f, &issue(&self.f, form).await)
    }

    /// Another application.
    pub(crate) async fn stranger(&self) -> TestClient {
        self.with_token(json!({"application": "client-b"})).await
    }

    /// The same application, for one device.
    pub(crate) async fn of_device(&self, device: &str) -> TestClient {
        self.with_token(json!({"application": "client-a", "device": device})).await
    }

    pub(crate) fn sessions(&self) -> String {
        format!("{}/sessions", self.release.base_path(Api::QualityOnDemand))
    }

    pub(crate) fn session(&self, id: &str) -> String {
        format!("{}/{id}", self.sessions())
    }

    pub(crate) fn retrieve_sessions(&self) -> String {
        format!("{}/retrieve-sessions", self.release.base_path(Api::QualityOnDemand))
    }

    pub(crate) fn assignments(&self) -> String {
        format!("{}/qos-assignments", self.release.base_path(Api::QosProvisioning))
    }

    pub(crate) fn assignment(&self, id: &str) -> String {
        format!("{}/{id}", self.assignments())
    }

    pub(crate) fn retrieve_assignment(&self) -> String {
        format!("{}/retrieve-qos-assignment", self.release.base_path(Api::QosProvisioning))
    }

    /// A session that is available.
    pub(crate) async fn live(&self, body: Value) -> String {
        let created = self.api.post(&self.sessions(), body).await;
        assert_eq!(created.status, 201, "{created:?}");
        let id = created.id();
        self.api.get_until(&self.session(&id), |seen| seen.is_status("AVAILABLE")).await;
        id
    }

    /// An assignment that is available.
    pub(crate) async fn assigned(&self, body: Value) -> String {
        let created = self.api.post(&self.assignments(), body).await;
        assert_eq!(created.status, 201, "{created:?}");
        let id = created.json["assignmentId"].as_str().unwrap().to_owned();
        let available = |seen: &Answer| seen.json["status"] == "AVAILABLE";
        self.api.get_until(&self.assignment(&id), available).await;
        id
    }

    /// Has the network end a session.
    pub(crate) async fn end(&self, id: &str) {
        let path = format!("/greenwave/v1/sandbox/network/sessions/{id}/end");
        self.f.admin.post(&path, "{}").await.assert_ok();
    }

    /// Has the network's next call of this operation go wrong.
    pub(crate) async fn fault(&self, operation: &str, kind: &str) {
        let fault = json!({"operation": operation, "kind": kind, "times": 1});
        self.f.admin.post("/greenwave/v1/sandbox/faults", fault).await.assert_ok();
    }
}

fn bearer(f: &Fixture, token: &str) -> TestClient {
    TestClient::new(&f.api.root).header("Authorization", &format!("Bearer {token}"))
}

async fn issue(f: &Fixture, form: Value) -> String {
    let issued = f.admin.post("/greenwave/v1/sandbox/tokens", form).await;
    issued.assert_ok().json["access_token"].as_str().unwrap().to_owned()
}

/// A request for a session, with everything that is required and a device.
pub(crate) fn request() -> Value {
    json!({
        "device": {"phoneNumber": PHONE},
        "applicationServer": {"ipv4Address": "198.51.100.10"},
        "qosProfile": "QOS_L",
        "duration": 3600,
    })
}

/// A request for an assignment.
pub(crate) fn assignment_request() -> Value {
    json!({"device": {"phoneNumber": PHONE}, "qosProfile": "QOS_L"})
}

/// The same with another member, or without it.
pub(crate) fn with(mut body: Value, member: &str, value: Value) -> Value {
    if value.is_null() {
        body.as_object_mut().unwrap().remove(member);
    } else {
        body[member] = value;
    }
    body
}

/// Every operation, each on an id that is one and on a good body.
pub(crate) fn operations(
    release: Release,
    id: &str,
) -> Vec<(Method, String, String, &'static str)> {
    let qod = release.base_path(Api::QualityOnDemand);
    let profiles = release.base_path(Api::QosProfiles);
    let provisioning = release.base_path(Api::QosProvisioning);
    let device = json!({"device": {"phoneNumber": PHONE}}).to_string();
    let none = String::new;
    let extension = json!({"requestedAdditionalDuration": 60}).to_string();
    vec![
        (Method::POST, format!("{qod}/sessions"), request().to_string(), "sessions:create"),
        (Method::GET, format!("{qod}/sessions/{id}"), none(), "sessions:read"),
        (Method::DELETE, format!("{qod}/sessions/{id}"), none(), "sessions:delete"),
        (Method::POST, format!("{qod}/sessions/{id}/extend"), extension, "sessions:update"),
        (
            Method::POST,
            format!("{qod}/retrieve-sessions"),
            device.clone(),
            "sessions:retrieve-by-device",
        ),
        (Method::GET, format!("{profiles}/qos-profiles/QOS_L"), none(), "qos-profiles:read"),
        (
            Method::POST,
            format!("{profiles}/retrieve-qos-profiles"),
            device.clone(),
            "qos-profiles:read",
        ),
        (
            Method::POST,
            format!("{provisioning}/qos-assignments"),
            assignment_request().to_string(),
            "qos-assignments:create",
        ),
        (
            Method::GET,
            format!("{provisioning}/qos-assignments/{id}"),
            none(),
            "qos-assignments:read",
        ),
        (
            Method::DELETE,
            format!("{provisioning}/qos-assignments/{id}"),
            none(),
            "qos-assignments:delete",
        ),
        (
            Method::POST,
            format!("{provisioning}/retrieve-qos-assignment"),
            device,
            "qos-assignments:read-by-device",
        ),
    ]
}
