//! Finding sessions again.

use serde_json::{Value, json};

use crate::fixture::{Fixture, RETRIEVE, SESSIONS, path, request, tutorial, with};

fn ids(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap();
    list.iter().map(|session| session["sessionId"].as_str().unwrap().to_owned()).collect()
}

/// The tutorial's device with everything that is known of it.
fn whole_device() -> Value {
    json!({
        "networkAccessIdentifier": "device@testcsp.net",
        "phoneNumber": "36721601234567",
        "ipv4Address":
            {"publicAddress": "233.252.0.2", "privateAddress": "192.0.2.25", "publicPort": 80},
        "ipv6Address": "2001:db8:1234:5678:9abc:def0:fedc:ba98",
    })
}

#[tokio::test]
async fn a_device_is_found_by_any_of_its_identifiers() {
    let f = Fixture::new().await;
    let id = f.create(with(tutorial(), "device", whole_device())).await;
    for device in [
        whole_device(),
        json!({"networkAccessIdentifier": "device@testcsp.net"}),
        json!({"networkAccessIdentifier": "device@TESTCSP.NET"}),
        json!({"phoneNumber": "36721601234567"}),
        json!({"phoneNumber": "+36721601234567"}),
        json!({"ipv4Address": {"publicAddress": "233.252.0.2", "publicPort": 80}}),
        json!({"ipv4Address": {"publicAddress": "233.252.0.2", "privateAddress": "192.0.2.25"}}),
        json!({"ipv6Address": "2001:db8:1234:5678::1"}),
    ] {
        let found = f.api.post(RETRIEVE, json!({"device": device})).await;
        assert_eq!(ids(&found.json), std::slice::from_ref(&id), "{device}");
        assert_eq!(found.json[0]["device"], whole_device(), "as it was sent, by whatever found");
    }
}

#[tokio::test]
async fn early_clients_list_by_query() {
    let f = Fixture::new().await;
    let id = f.create(with(tutorial(), "device", whole_device())).await;
    for query in [
        "networkAccessIdentifier=device@testcsp.net",
        "networkAccessIdentifier=device%40testcsp.net",
        "phoneNumber=36721601234567",
        "phoneNumber=+36721601234567",
        "phoneNumber=%2B36721601234567",
    ] {
        let found = f.api.get(&format!("{SESSIONS}?{query}")).await;
        assert_eq!(ids(&found.json), std::slice::from_ref(&id), "{query}");
    }
}

#[tokio::test]
async fn identifiers_that_came_together_are_found_together() {
    let f = Fixture::new().await;
    let device = json!({"networkAccessIdentifier": "a@testcsp.net", "phoneNumber": "+15551234567"});
    let id = f.create(with(tutorial(), "device", device)).await;
    let found = f.api.post(RETRIEVE, json!({"device": {"phoneNumber": "15551234567"}})).await;
    assert_eq!(
        ids(&found.json),
        std::slice::from_ref(&id),
        "known, because it came with a name that is"
    );
    f.api.delete(&path(&id)).await;
    let found = f.api.post(RETRIEVE, json!({"device": {"phoneNumber": "15551234567"}})).await;
    assert_eq!(found.json, json!([]));
}

#[tokio::test]
async fn all_sessions_come_in_pages() {
    let f = Fixture::new().await;
    let mut all = Vec::new();
    for number in 0..23 {
        all.push(f.create(request(&format!("device-{number}@testcsp.net"))).await);
    }
    let gone = all.remove(5);
    f.api.delete(&path(&gone)).await;

    let mut found = Vec::new();
    let mut next = Some(format!("{SESSIONS}?perPage=10"));
    while let Some(at) = next {
        let page = f.api.get(&at).await;
        found.extend(ids(&page.json));
        next = page.headers.get("link").map(|link| {
            let link = link.to_str().unwrap();
            assert!(link.ends_with(r#">; rel="next""#), "{link}");
            link[1..link.find('>').unwrap()].to_owned()
        });
    }
    assert_eq!(found, all, "the oldest first, each once");
    assert_eq!(ids(&f.api.get(SESSIONS).await.json), all);
    assert_eq!(f.api.get(&format!("{SESSIONS}?page=99")).await.json, json!([]));
}

#[tokio::test]
async fn times_come_as_each_client_reads_them() {
    let f = Fixture::new().await;
    let id = f.live(tutorial()).await;
    let iso = f.get(&id).await;
    assert_eq!(iso.json["startedAt"], "2026-11-22T12:00:00.000Z");
    let twin = f.api.get(&format!("/qod/v0-epoch/sessions/{id}")).await;
    assert_eq!(twin.json["startedAt"], 1_795_348_800);
    assert_eq!(twin.json["expiresAt"], 1_795_348_860);
    let generated = f.api.header("X-Fern-Language", "Python").get(&path(&id)).await;
    assert_eq!(generated.json["startedAt"], 1_795_348_800);

    let created = f.api.post("/qod/v0-epoch/sessions", tutorial()).await;
    assert!(created.json["startedAt"].is_i64());
    let location = created.headers["location"].to_str().unwrap();
    assert_eq!(location, format!("/qod/v0-epoch/sessions/{}", created.id()));
    let device = json!({"device": {"networkAccessIdentifier": "device@testcsp.net"}});
    let list = f.api.post("/qod/v0-epoch/retrieve-sessions", device).await;
    assert_eq!(list.json.as_array().unwrap().len(), 2);
    assert!(list.json[0]["expiresAt"].is_i64());
}
