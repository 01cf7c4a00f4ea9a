//! What is kept of sessions and assignments.

use std::time::Duration;

use greenwave_wire::camara::Release;
use serde_json::{Value, json};

use super::{Camara, PHONE, assignment_request, request, with};
use crate::fixture::Fixture;

/// All that can be seen of both.
async fn seen(c: &Camara, session: &str, assignment: &str) -> [Value; 4] {
    let device = json!({"device": {"phoneNumber": PHONE}});
    let of_device = c.api.post(&c.retrieve_sessions(), device.clone()).await;
    let assigned = c.api.post(&c.retrieve_assignment(), device).await;
    [
        c.api.get(&c.session(session)).await.assert_ok().json.clone(),
        c.api.get(&c.assignment(assignment)).await.assert_ok().json.clone(),
        of_device.assert_ok().json.clone(),
        assigned.assert_ok().json.clone(),
    ]
}

#[tokio::test]
async fn all_is_as_it_was_after_a_restart() {
    for release in Release::ALL {
        let c = Camara::new(release).await;
        let of_device = c.of_device(PHONE).await;
        let addresses = json!({"ipAddresses": ["2001:db8::5", "198.51.100.10", "198.51.100.11"]});
        let server = match release {
            Release::R32 => request()["applicationServer"].clone(),
            Release::R41 => addresses,
        };
        let body =
            with(with(request(), "applicationServer", server.clone()), "device", Value::Null);
        let session = of_device.post(&c.sessions(), body).await.id();
        c.api.get_until(&c.session(&session), |seen| seen.is_status("AVAILABLE")).await;
        let assigned = with(assignment_request(), "device", Value::Null);
        let assigned = of_device.post(&c.assignments(), assigned).await;
        let assignment = assigned.json["assignmentId"].as_str().unwrap().to_owned();
        let path = c.assignment(&assignment);
        c.api.get_until(&path, |seen| seen.json["status"] == "AVAILABLE").await;

        let before = seen(&c, &session, &assignment).await;
        assert_eq!(before[0]["applicationServer"], server);
        // One is not the other, and the token's device is not told.
        assert_eq!((&before[2], &before[3]), (&json!([before[0]]), &before[1]));
        assert_eq!((before[0].get("device"), before[1].get("device")), (None, None));
        let (directory, timer) = c.f.stop().await;
        let f = Fixture::open(directory, timer, Duration::ZERO).await;
        let c = Camara::of(f, release).await;
        assert_eq!(seen(&c, &session, &assignment).await, before);
    }
}
