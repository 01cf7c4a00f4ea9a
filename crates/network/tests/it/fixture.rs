//! The orders that tests are made of.

use std::sync::Arc;

use greenwave_core::device::NetworkAccessIdentifier;
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationServer, Asked, Device, DeviceKey, Order, Precedence, ProfileName, SessionId,
};
use jiff::Timestamp;

pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
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
    let precedence = Precedence::new(&asked.flow(), start(), session);
    Order { session, device, asked: Arc::new(asked), precedence }
}
