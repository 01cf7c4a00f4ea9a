//! Devices that leave the simulated network and come back.
//!
//! What the network has for a device goes with it, and is told of. While it is away nothing can be
//! had for it. When it is back, the network tells so for whatever it took away or was asked for
//! meanwhile. Who is away is not kept: in a network that is started again, everybody is there.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use greenwave_core::{DeviceKey, SessionId};

use super::{Inner, Simulator, State, rules};
use crate::{NetworkError, NetworkEvent, News};

/// How many devices may be away at a time.
pub const MOST_AWAY: usize = 1_000;

/// How many sessions of one device are told of when it is back. For others it is found out by
/// asking.
const MOST_TOLD: usize = 1_000;

/// Why a device stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum DetachError {
    /// As many have left as may.
    #[error("there are {MOST_AWAY} devices away already: attach some first")]
    TooMany,
    /// The network cannot use its rules.
    #[error("the simulated network cannot use its rules: {0}")]
    Rules(#[from] io::Error),
}

/// The devices that are away.
#[derive(Default)]
pub(super) struct Away {
    devices: HashMap<DeviceKey, Absence>,
    last_number: u64,
}

struct Absence {
    /// Never given out again: a device that has come and gone is away for another time.
    number: u64,
    /// What to tell of when it is back.
    sessions: BTreeSet<SessionId>,
}

impl Away {
    /// Refuses what is asked for a device that is away, and remembers that it was.
    pub(super) fn check(
        &mut self,
        device: DeviceKey,
        session: SessionId,
    ) -> Result<(), NetworkError> {
        let Some(absence) = self.devices.get_mut(&device) else { return Ok(()) };
        absence.remember(session);
        Err(NetworkError::NotAttached)
    }

    /// Nobody has to be told of this session any more.
    pub(super) fn forget(&mut self, session: SessionId) {
        for (device, absence) in &mut self.devices {
            if device.bucket() == session.bucket() {
                absence.sessions.remove(&session);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.devices.clear();
    }

    /// A device leaves; `None` if it is away already.
    fn add(&mut self, device: DeviceKey) -> Result<Option<u64>, DetachError> {
        if self.devices.contains_key(&device) {
            return Ok(None);
        }
        if self.devices.len() >= MOST_AWAY {
            return Err(DetachError::TooMany);
        }
        self.last_number += 1;
        let absence = Absence { number: self.last_number, sessions: BTreeSet::new() };
        self.devices.insert(device, absence);
        Ok(Some(self.last_number))
    }

    /// The absence, if it has not ended.
    fn still(&mut self, device: DeviceKey, number: u64) -> Option<&mut Absence> {
        self.devices.get_mut(&device).filter(|absence| absence.number == number)
    }
}

impl Absence {
    fn remember(&mut self, session: SessionId) {
        if self.sessions.len() < MOST_TOLD {
            self.sessions.insert(session);
        }
    }
}

impl Simulator {
    /// Lets a device leave the network: its rules are gone, and events say so. It tells how many
    /// there were. For a device that is away already there are none.
    pub async fn detach(&self, device: DeviceKey) -> Result<usize, DetachError> {
        let inner = &self.inner;
        let Some((number, asked)) = inner.begin_absence(device)? else { return Ok(0) };
        self.tell(News::Detached, asked).await;
        // Nothing is installed for it from now on, so what it has is in the file already.
        let path = inner.rules.clone();
        let reading = tokio::task::spawn_blocking(move || rules::of_device(&path, device));
        let installed = match reading.await.map_err(io::Error::other).flatten() {
            Ok(installed) => installed,
            Err(error) => {
                inner.state().away.devices.remove(&device);
                return Err(error.into());
            }
        };
        let mut gone = 0;
        for session in installed {
            // First of all, so that nothing goes without its event.
            let room = inner.events.reserve().await.map_err(io::Error::other)?;
            let state = &mut *inner.state();
            let Some(absence) = state.away.still(device, number) else { break };
            absence.remember(session);
            if inner.uninstall(state, session)? {
                room.send(NetworkEvent { session, news: News::Detached });
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Lets a device come back. Events tell so for what it had, and for what was asked for it
    /// meanwhile. `false` if it is not away.
    pub async fn attach(&self, device: DeviceKey) -> bool {
        let absence = self.inner.state().away.devices.remove(&device);
        let is_back = absence.is_some();
        self.tell(News::Attached, absence.into_iter().flat_map(|absence| absence.sessions)).await;
        is_back
    }

    /// Lets all devices come back.
    pub async fn attach_all(&self) {
        let absences = std::mem::take(&mut self.inner.state().away.devices);
        let sessions = absences.into_values().flat_map(|absence| absence.sessions);
        self.tell(News::Attached, sessions).await;
    }

    async fn tell(&self, news: News, sessions: impl IntoIterator<Item = SessionId>) {
        for session in sessions {
            // Nobody listens only where nobody needs to be told.
            let _ = self.inner.events.send(NetworkEvent { session, news }).await;
        }
    }
}

impl Inner {
    /// Begins an absence, and tells its number and what had been asked for the device: nothing will
    /// come of that. `None` if the device is away already.
    fn begin_absence(
        self: &Arc<Self>,
        device: DeviceKey,
    ) -> Result<Option<(u64, Vec<SessionId>)>, DetachError> {
        let State { away, pending, cells, .. } = &mut *self.state();
        let Some(number) = away.add(device)? else { return Ok(None) };
        let asked = pending.of_device(device);
        for &session in &asked {
            if let Some(taken) = pending.take(session) {
                cells.give_back(taken.share);
            }
            if let Some(absence) = away.still(device, number) {
                absence.remember(session);
            }
        }
        Ok(Some((number, asked)))
    }
}
