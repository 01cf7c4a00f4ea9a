//! A timer that is moved, and the orders that tests are made of.

use std::sync::Arc;

use greenwave_core::device::NetworkAccessIdentifier;
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationServer, Asked, Clock, Device, DeviceKey, Order, Precedence, ProfileName, SessionId,
};
use greenwave_network::{Answer, Timer};
use jiff::Timestamp;
use tokio::sync::watch;

/// Milliseconds after a fixed start, moved by the test.
pub(crate) struct ManualTimer(watch::Sender<i64>);

impl ManualTimer {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(0)))
    }

    pub(crate) fn pass(&self, millis: i64) {
        self.0.send_modify(|now| *now += millis);
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

impl Clock for ManualTimer {
    fn now(&self) -> Timestamp {
        at(*self.0.borrow())
    }
}

impl Timer for ManualTimer {
    fn sleep_until(&self, until: Timestamp) -> Answer<'_, ()> {
        let mut time = self.0.subscribe();
        Box::pin(async move {
            let _ = time.wait_for(|&millis| at(millis) >= until).await;
        })
    }
}

/// An order for session `number` of the device of this name.
pub(crate) fn order(number: u8, name: &str, profile: &str) -> Order {
    let device = DeviceKey([name.len() as u8; 16]);
    let session = SessionId::new([number; 16], device.bucket());
    let nai = NetworkAccessIdentifier::parse(name).unwrap();
    let asked = Asked {
        device: Device::new(Some(nai), None, None, None).unwrap(),
        server: ApplicationServer::new(Some(ServerAddress::parse_v4("203.0.113.5").unwrap()), None)
            .unwrap(),
        device_ports: None,
        server_ports: None,
        profile: ProfileName::parse(profile).unwrap(),
        sink: None,
    };
    let precedence = Precedence::new(&asked.flow(), at(0), session);
    Order { session, device, asked: Arc::new(asked), precedence }
}
