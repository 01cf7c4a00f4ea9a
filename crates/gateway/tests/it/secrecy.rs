//! Nothing personal and no secret reaches the log, however much is logged.

use serde_json::json;

use crate::fixture::{RETRIEVE, SESSIONS, path};
use crate::program::Process;
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
    api.delete(&path(&id)).await.assert_ok();
    receiver.until(2).await;

    let key = process.key().to_owned();
    let (_, log) = process.terminate();
    assert!(log.contains("event not delivered"), "the log is not empty: {log}");
    assert!(log.contains("/qod/v0/sessions/{sessionId}"), "requests are logged: {log}");
    let secrets =
        ["canary", "36709876543", "233.252.0.77", "10.77.66.55", "2001:db8", "203.0.113.88", &key];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
