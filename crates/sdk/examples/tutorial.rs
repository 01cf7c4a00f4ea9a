//! The tutorial of Network as Code, in Rust: sessions with Quality on Demand, from the first to
//! their end. `greenwave up` prints the key that it wants:
//!
//! ```sh
//! GREENWAVE_KEY=gw_test_… cargo run -p greenwave-sdk --example tutorial
//! ```

use std::time::Duration;

use greenwave_sdk::{Client, DeviceId, Error, Ports};

const SERVICE_IPV4: &str = "233.252.0.2";
const SERVICE_IPV6: &str = "2001:db8:1234:5678:9abc:def0:fedc:ba98";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let key = std::env::var("GREENWAVE_KEY").unwrap_or_default();
    tutorial(&Client::new(key)?).await
}

/// Everything that the tutorial does, in its order.
pub(crate) async fn tutorial(client: &Client) -> Result<(), Error> {
    // The device that the sessions are for, by all its names.
    let device = client.device(
        DeviceId::network_access_identifier("device@testcsp.net")
            .and(DeviceId::ipv4_private("233.252.0.2", "192.0.2.25"))
            .and(DeviceId::ipv4_port("233.252.0.2", 80))
            .and(DeviceId::ipv6("2001:db8:1234:5678:9abc:def0:fedc:ba98"))
            .and(DeviceId::phone_number("36721601234567")),
    );

    // A session for all traffic with a service.
    let session = device
        .create_qod_session("DOWNLINK_L_UPLINK_L")
        .service_ipv4(SERVICE_IPV4)
        .service_ipv6(SERVICE_IPV6)
        .send()
        .await?;
    println!("{} is {}", session.id(), session.status());

    // For a range of ports, and for single ones.
    device
        .create_qod_session("DOWNLINK_L_UPLINK_L")
        .service_ipv4(SERVICE_IPV4)
        .service_ipv6(SERVICE_IPV6)
        .device_ports(Ports::range(80..=443))
        .service_ports(Ports::range(80..=443))
        .send()
        .await?;
    device
        .create_qod_session("DOWNLINK_L_UPLINK_L")
        .service_ipv4(SERVICE_IPV4)
        .device_ports(Ports::single([80, 443]))
        .service_ports(Ports::single([80, 443]))
        .send()
        .await?;

    // For an hour, with events for a receiver.
    let hour = device
        .create_qod_session("QOS_L")
        .service_ipv4(SERVICE_IPV4)
        .duration(Duration::from_secs(3600))
        .notification("https://example.com/notifications")
        .notification_auth_token("my-token-of-some-length")
        .send()
        .await?;

    // What there is, and how long it lasts.
    for session in device.sessions().await? {
        println!("{} {} {}", session.id(), session.profile(), session.status());
    }
    let hour = hour.wait_available(Duration::from_secs(10)).await?;
    println!("from {:?} until {:?}", hour.started_at(), hour.expires_at());
    let longer = hour.extend(Duration::from_secs(600)).await?;
    println!("{:?}", longer.duration());

    // One session by its id, and its end; then everything's.
    client.session(session.id()).await?.delete().await?;
    let cleared = device.clear_sessions().await?;
    println!("{} sessions were deleted", cleared.deleted.len());
    Ok(())
}
