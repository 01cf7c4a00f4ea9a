//! What a suite of CAMARA's test definitions needs of a sandbox: tokens of every kind, devices and
//! profiles in every state, and calls that make things happen.

use serde_json::{Map, Value, json};

use super::super::client::ApiClient;
use super::super::output::Failure;
use crate::auth::Scope;
use crate::http::TokenForm;
use crate::sandbox::SandboxFile;

const CLIENT_A: &str = "conformance-a";
const CLIENT_B: &str = "conformance-b";
const LIMITED: &str = "conformance-limited";

/// How many requests the limited client may make before it is refused.
const LIMIT: u32 = 3;

/// As long as a token may live: a suite may be run again the same day.
const LIFE_S: i64 = 86_400;

/// The device of most scenarios. It has two names, of which an answer may only tell one.
const PHONE_OK: &str = "+36721601234567";

/// Has the sandbox make what is needed, and tells of it in the form of the suite.
pub(super) async fn make(api: &ApiClient, sandbox: &SandboxFile) -> Result<Value, Failure> {
    limit(api).await?;
    let profiles = profiles(api).await?;
    Ok(json!({
        "api_root": sandbox.api_root,
        "tokens": tokens(api).await?,
        "devices": devices(),
        "profiles": profiles,
        "application_server": {"ipv4": "198.51.100.10", "ipv6": "2001:db8:a::10"},
        "sink": {"scheme": "https"},
        "hooks": hooks(sandbox, &api.authorization()),
    }))
}

/// The same for a person at a shell: variables, to be evaluated there.
pub(super) fn to_shell(fixtures: &Value, sandbox: &SandboxFile) -> String {
    let tokens = &fixtures["tokens"];
    let variables = [
        ("ROOT", &fixtures["api_root"]),
        ("KEY", &json!(sandbox.application_key)),
        ("CLIENT_A", &tokens["client_a"]),
        ("CLIENT_B", &tokens["client_b"]),
        ("THREE_LEGGED", &tokens["three_legged"]),
        ("EXPIRED", &tokens["expired"]),
        ("GARBAGE", &tokens["garbage"]),
        ("SESSIONS_ONLY", &tokens["without_scope"][Scope::ProfilesRead.as_str()]),
        ("LIMITED", &tokens["rate_limited"]["token"]),
        ("PROFILE_INACTIVE", &fixtures["profiles"]["inactive"]),
        ("PROFILE_DEPRECATED", &fixtures["profiles"]["deprecated"]),
        ("PROFILE_RESTRICTED", &fixtures["profiles"]["restricted"][0]),
    ];
    // None of them has a quotation mark in it.
    let line =
        |(name, value): (&str, &Value)| format!("{name}='{}'", value.as_str().unwrap_or_default());
    variables.map(line).join("\n")
}

async fn limit(api: &ApiClient) -> Result<(), Failure> {
    // The application is made with its first token.
    let issued = issue(api, LIMITED, None, None, LIFE_S).await?;
    let id = issued["client_id"].as_str().unwrap_or_default();
    let path = format!("/greenwave/v1/applications/{id}/rate-limit");
    api.put(&path, &json!({"requests": LIMIT, "perS": 3_600})).await?;
    Ok(())
}

async fn tokens(api: &ApiClient) -> Result<Value, Failure> {
    let mut without_scope = Map::new();
    for missing in Scope::ALL {
        let others = Scope::ALL.into_iter().filter(|&scope| scope != missing);
        let token = token(api, CLIENT_A, None, Some(others.collect()), LIFE_S).await?;
        without_scope.insert(missing.as_str().to_owned(), token);
    }
    Ok(json!({
        "client_a": token(api, CLIENT_A, None, None, LIFE_S).await?,
        "client_b": token(api, CLIENT_B, None, None, LIFE_S).await?,
        "three_legged": token(api, CLIENT_A, Some(PHONE_OK), None, LIFE_S).await?,
        "expired": token(api, CLIENT_A, None, None, -3_600).await?,
        "garbage": "not.a.token",
        "without_scope": without_scope,
        "rate_limited": {
            "token": token(api, LIMITED, None, None, LIFE_S).await?,
            "limit": LIMIT,
        },
    }))
}

async fn token(
    api: &ApiClient,
    application: &str,
    device: Option<&str>,
    scopes: Option<Vec<Scope>>,
    life_s: i64,
) -> Result<Value, Failure> {
    let issued = issue(api, application, device, scopes, life_s).await?;
    Ok(issued["access_token"].clone())
}

async fn issue(
    api: &ApiClient,
    application: &str,
    device: Option<&str>,
    scopes: Option<Vec<Scope>>,
    life_s: i64,
) -> Result<Value, Failure> {
    let names = |scopes: Vec<Scope>| scopes.into_iter().map(|scope| scope.as_str().to_owned());
    let form = TokenForm {
        application: application.to_owned(),
        device: device.map(str::to_owned),
        scopes: scopes.map(|scopes| names(scopes).collect()),
        expires_in_s: Some(life_s),
    };
    let body = serde_json::to_value(form).map_err(Failure::new)?;
    Ok(api.post("/greenwave/v1/sandbox/tokens", &body).await?.body)
}

/// The numbers are those of `docs/sandbox.md`.
fn devices() -> Value {
    json!({
        "ok": {
            "phoneNumber": PHONE_OK,
            "ipv4Address": {"publicAddress": "233.252.0.2", "publicPort": 80},
        },
        "free": {"phoneNumber": "+99999991099"},
        "service_not_applicable": {"phoneNumber": "+99999994220"},
        "unknown": {"phoneNumber": "+15550100404"},
        "unsupported_identifier": {"networkAccessIdentifier": "device@testcsp.net"},
        "without_profiles": {"phoneNumber": "+99999992000"},
        "restricted": restricted_device(),
    })
}

fn restricted_device() -> Value {
    json!({"phoneNumber": "+99999991042"})
}

async fn profiles(api: &ApiClient) -> Result<Value, Failure> {
    put(api, "CONFORMANCE_INACTIVE", "INACTIVE", None).await?;
    put(api, "CONFORMANCE_DEPRECATED", "DEPRECATED", None).await?;
    put(api, "CONFORMANCE_RESTRICTED", "ACTIVE", Some(json!([restricted_device()]))).await?;
    Ok(json!({
        "active": {"name": "QOS_L", "min_duration_s": 1, "max_duration_s": 86_400},
        "inactive": "CONFORMANCE_INACTIVE",
        "deprecated": "CONFORMANCE_DEPRECATED",
        "restricted": ["CONFORMANCE_RESTRICTED"],
        "unknown": "CONFORMANCE_UNKNOWN",
    }))
}

/// A profile like one that there is, but for what is said.
async fn put(
    api: &ApiClient,
    name: &str,
    status: &str,
    only_for: Option<Value>,
) -> Result<(), Failure> {
    let mut profile = api.get("/greenwave/v1/profiles/QOS_S").await?.body;
    profile["name"] = json!(name);
    profile["status"] = json!(status);
    profile["description"] = json!("For tests of the APIs");
    if let Some(only_for) = only_for {
        profile["onlyFor"] = only_for;
    }
    api.put(&format!("/greenwave/v1/profiles/{name}"), &profile).await?;
    Ok(())
}

fn hooks(sandbox: &SandboxFile, authorization: &str) -> Value {
    let call = |path: &str, body: Value| {
        json!({
            "method": "POST",
            "url": format!("{}/greenwave/v1/sandbox/{path}", sandbox.admin_url),
            "headers": {"Authorization": authorization, "Content-Type": "application/json"},
            "body": body,
        })
    };
    let fault = |operation: &str, kind: &str| {
        call("faults", json!({"operation": operation, "kind": kind, "times": 1}))
    };
    let mut revoke_async = fault("release", "answers-late");
    revoke_async["body"]["delayMs"] = json!(2_000);
    json!({
        "reset": call("reset", json!({})),
        "fail_next_session": fault("provision", "refuses"),
        "hold_next_session": fault("provision", "never-confirms"),
        "terminate_session": call("network/sessions/{sessionId}/end", json!({})),
        // A reset takes back what made the network slow.
        "revoke_sync": "always",
        "revoke_async": revoke_async,
    })
}
