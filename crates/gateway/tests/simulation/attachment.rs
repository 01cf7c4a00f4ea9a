//! Devices that leave the network and come back, and whoever is told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use greenwave_core::{DeviceKey, SessionId};
use greenwave_network::News;
use tokio::time::Instant;

use crate::network::{SimulatedNetwork, State, tell};

/// Where the devices are.
#[derive(Default)]
pub(crate) struct Attachment {
    /// The devices that are away, each with what to tell of when it is back.
    away: BTreeMap<DeviceKey, BTreeSet<SessionId>>,
    /// When a device left, or came back.
    changed_at: BTreeMap<DeviceKey, Instant>,
    /// The sessions whose device was away when it was needed.
    stranded: BTreeSet<SessionId>,
}

/// Where a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// In the network, for so long, if it has ever been away.
    Here(Option<Duration>),
    /// Away, for so long.
    Away(Duration),
}

impl Attachment {
    /// Nobody has to be told of this session any more.
    pub(crate) fn forget(&mut self, session: SessionId) {
        for sessions in self.away.values_mut() {
            sessions.remove(&session);
        }
    }

    fn strand(&mut self, device: DeviceKey, session: SessionId) {
        self.stranded.insert(session);
        self.away.entry(device).or_default().insert(session);
    }
}

impl State {
    /// Whether this session's device is away, and then something is wanted of it in vain.
    pub(crate) fn is_away(&mut self, session: SessionId) -> bool {
        let Some(&device) = self.devices.get(&session) else { return false };
        let away = self.attachment.away.contains_key(&device);
        if away {
            self.attachment.strand(device, session);
            self.blamed.insert(session);
        }
        away
    }

    fn detach(&mut self, device: DeviceKey) -> Vec<SessionId> {
        let of_device = |session: &&SessionId| self.devices.get(session) == Some(&device);
        let gone: Vec<SessionId> = self.rules.iter().filter(of_device).copied().collect();
        self.attachment.away.insert(device, BTreeSet::new());
        self.attachment.changed_at.insert(device, Instant::now());
        for &session in &gone {
            self.rules.remove(&session);
            self.blamed.insert(session);
            self.attachment.strand(device, session);
        }
        gone
    }

    fn attach(&mut self, device: DeviceKey) -> BTreeSet<SessionId> {
        self.attachment.changed_at.insert(device, Instant::now());
        self.attachment.away.remove(&device).unwrap_or_default()
    }
}

impl SimulatedNetwork {
    /// A device leaves, or comes back. Where things go wrong, not all of it is told.
    pub(crate) fn come_and_go(&self) {
        let state = &mut *self.state();
        let devices: BTreeSet<DeviceKey> = state.devices.values().copied().collect();
        let devices: Vec<DeviceKey> = devices.into_iter().collect();
        if devices.is_empty() {
            return;
        }
        let device = self.chance.pick(&devices);
        let (news, sessions) = match state.attachment.away.contains_key(&device) {
            true => (News::Attached, state.attach(device).into_iter().collect()),
            false => (News::Detached, state.detach(device)),
        };
        for session in sessions {
            if !self.is_faulty() || self.chance.percent(80) {
                tell(state, session, news);
            }
        }
    }

    /// All devices come back.
    pub(crate) fn all_come_back(&self) {
        let state = &mut *self.state();
        let away: Vec<DeviceKey> = state.attachment.away.keys().copied().collect();
        for device in away {
            for session in state.attach(device) {
                tell(state, session, News::Attached);
            }
        }
    }

    pub(crate) fn whereabouts(&self, device: DeviceKey) -> Whereabouts {
        let attachment = &self.state().attachment;
        let since = attachment.changed_at.get(&device).map(Instant::elapsed);
        match (attachment.away.contains_key(&device), since) {
            (true, Some(since)) => Whereabouts::Away(since),
            (_, since) => Whereabouts::Here(since),
        }
    }

    /// The sessions whose device was away when it was needed.
    pub(crate) fn stranded(&self) -> BTreeSet<SessionId> {
        self.state().attachment.stranded.clone()
    }
}
