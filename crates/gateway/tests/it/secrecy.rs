//! Nothing personal and no secret reaches the log, however much is logged.

use std::path::Path;

use serde_json::json;

use crate::client::TestClient;
use crate::fixture::{RETRIEVE, SESSIONS, path};
use crate::program::{Process, greenwave};
use crate::receiver::Receiver;

#[tokio::test]
async fn the_log_tells_nothing_personal_and_no_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let process = Process::up_with(directory.path(), &["--log", "trace"]);
    let (api, receiver) = (process.api(), Receiver::start().await);
    receiver.answer(500, &[]);
    let device = json!({
        "networkAccessIdentifier": "canary-name@testcsp.net",
        "phoneNumber": "+36709876543",
        "ipv4Address": {"publicAddress": "233.252.0.77", "privateAddress": "10.77.66.55"},
        "ipv6Address": "2001:db8:77:66::55",
    });
    let body = json!({
        "device": device,
        "applicationServer": {"ipv4Address": "203.0.113.88"},
        "qosProfile": "QOS_L",
        "webhook": {
            "notificationUrl": format!("{}/canary-path?token=canary-query", receiver.url()),
            "notificationAuthToken": "canary-token",
        },
    });
    let id = api.post(SESSIONS, body).await.id();
    receiver.until(1).await;
    let query = "networkAccessIdentifier=canary-name@testcsp.net";
    api.get(&format!("{SESSIONS}?{query}")).await.assert_ok();
    api.get(&format!("{SESSIONS}?phoneNumber=+36709876543")).await.assert_ok();
    api.get("/nowhere/+36709876543").await;
    api.post(RETRIEVE, json!({"device": device})).await.assert_ok();
    api.post(SESSIONS, json!({"device": {"phoneNumber": "+1555canary"}})).await;
    api.header("Authorization", "Bearer gw_test_canary-key").get(&path(&id)).await;
    let token = use_a_token(directory.path(), &api.root).await;
    let broken = format!("Bearer {token}canary");
    api.header("Authorization", &broken).get(&path(&id)).await.assert_error(401, "UNAUTHENTICATED");
    api.delete(&path(&id)).await.assert_ok();
    receiver.until(2).await;

    let signature = token.rsplit('.').next().unwrap();
    let key = process.key().to_owned();
    let (_, log) = process.terminate();
    assert!(log.contains("event not delivered"), "the log is not empty: {log}");
    assert!(log.contains("/qod/v0/sessions/{sessionId}"), "requests are logged: {log}");
    let secrets = [
        "canary",
        "36709876543",
        "233.252.0.77",
        "10.77.66.55",
        "2001:db8",
        "203.0.113.88",
        &key,
        &token[..40],
        signature,
    ];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

/// A token for a device, used, after one was asked for with a secret that is none.
async fn use_a_token(directory: &Path, root: &str) -> String {
    let device = ["--device", "+36709876543", "--data"];
    let mut command = greenwave();
    let output = command.args(["sandbox", "token"]).args(device).arg(directory).output().unwrap();
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let client = TestClient::new(root).header("Authorization", &format!("Bearer {token}"));
    let retrieve = "/quality-on-demand/v1/retrieve-sessions";
    client.post(retrieve, json!({})).await.assert_ok();
    let form = "grant_type=client_credentials&client_id=1&client_secret=canary&scope=canary";
    let asking = TestClient::new(root).header("content-type", "application/x-www-form-urlencoded");
    let refused = asking.send(http::Method::POST, "/oauth2/v1/token", form).await;
    assert_eq!(refused.status, 401);
    token
}
