//! Sessions as a gateway leaves them that has gone away while all was well: available, their rules
//! in the network, their applications told of it.
//!
//! They are made through the ledger and the simulated network, on a clock that stands still. While
//! they are made nothing is synced, and all of it at the end.

mod check;
mod pour;

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use greenwave::entropy::SystemEntropy;
use greenwave::secrets::Secrets;
use greenwave_core::decide::Create;
use greenwave_core::device::NetworkAccessIdentifier;
use greenwave_core::server::ServerAddress;
use greenwave_core::{
    ApplicationId, ApplicationServer, Asked, Device, DeviceNames, IdentifierKey, NamedBy, Pii,
    ProfileName, RuleSetId, SessionId, Sink,
};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use crate::Failure;
use crate::job::{self, Session};

pub(crate) use check::check;

/// How long the sessions last that are to live on whatever is measured: the longest that may be.
pub(crate) const LONG: Duration = Duration::from_secs(86_400);

/// Spreads durations over sessions so that neighbours end at different times.
const STRIDE: u64 = 7_919;

/// What a directory is to be filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many sessions. Each has a device of its own, and they are numbered from 0.
    pub(crate) sessions: u32,
    /// When all of them became available.
    pub(crate) began: Timestamp,
    /// How long they last.
    pub(crate) lasting: Lasting,
    /// To how many receivers their events go. None of these may be sent to, so that no network is
    /// measured along. With 0, nobody is told of anything.
    pub(crate) receivers: u32,
}

/// How long which session lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lasting {
    /// [`LONG`].
    Long,
    /// From a second to so many.
    UpTo {
        /// How long the longest lasts.
        seconds: u32,
    },
    /// The first so long, and those from a number on [`LONG`].
    Then {
        /// How long the first last.
        first: Duration,
        /// How many they are.
        sessions: u32,
    },
}

/// A directory that is filled. Its sessions need not be kept by anybody: what there is to know of
/// one follows from its number.
pub(crate) struct Filled {
    plan: Plan,
    secrets: Secrets,
    seed: u64,
}

/// Fills a directory that has nothing in it.
pub(crate) async fn fill(directory: &Path, plan: Plan) -> Result<Filled, Failure> {
    std::fs::create_dir_all(directory).map_err(failed)?;
    let secrets = Secrets::open(directory, &SystemEntropy::default()).map_err(failed)?;
    let filled = Filled { plan, secrets, seed: fastrand::u64(..) };
    pour::pour(directory, &filled).await?;
    for name in ["ledger.db", "network.jsonl"] {
        let file = File::open(directory.join(name));
        file.and_then(|file| file.sync_all()).map_err(failed)?;
    }
    Ok(filled)
}

impl Lasting {
    fn of(self, number: u32) -> Duration {
        match self {
            Self::Long => LONG,
            Self::UpTo { seconds } => {
                Duration::from_secs(1 + u64::from(number) * STRIDE % u64::from(seconds))
            }
            Self::Then { first, sessions } if number < sessions => first,
            Self::Then { .. } => LONG,
        }
    }
}

impl Filled {
    /// What it was filled with.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What an application needs to ask for a session.
    pub(crate) fn session(&self, number: u32) -> Session {
        let id = self.id(number).to_string();
        Session { id, ..Session::of_device(number.into()) }
    }

    /// One of all, by chance.
    pub(crate) fn any(&self) -> Session {
        self.session(fastrand::u32(..self.plan.sessions))
    }

    fn id(&self, number: u32) -> SessionId {
        self.id_of(number, self.identifier(number))
    }

    /// Random bits that can be had again.
    fn id_of(&self, number: u32, identifier: IdentifierKey) -> SessionId {
        let mut random = fastrand::Rng::with_seed(self.seed.wrapping_add(number.into()));
        SessionId::new(random.u128(..).to_be_bytes(), identifier.own_device().bucket())
    }

    /// What the device is known by, as the sandbox's directory has it.
    fn identifier(&self, number: u32) -> IdentifierKey {
        self.secrets.hash_identifier("nai", job::device_name(number.into()).as_bytes())
    }

    /// When a session is over.
    fn expires_at(&self, number: u32) -> Timestamp {
        self.plan.began + self.plan.lasting.of(number)
    }

    /// A session of a device of its own, in the sandbox's application.
    fn create(&self, number: u32) -> Result<Create, Failure> {
        let identifier = self.identifier(number);
        Ok(Create {
            id: self.id_of(number, identifier),
            device: identifier.own_device(),
            names: DeviceNames { deciding: vec![identifier], others: Vec::new() },
            application: ApplicationId(1),
            rules: RuleSetId::NokiaV0,
            asked: Arc::new(self.asked(number)?),
            duration: self.plan.lasting.of(number),
        })
    }

    /// The greeting's request, with a receiver in 198.18.0.0/15, where no events may be sent to.
    fn asked(&self, number: u32) -> Result<Asked, Failure> {
        let name = NetworkAccessIdentifier::parse(&job::device_name(number.into()));
        let device = Device::new(Some(name.map_err(failed)?), None, None, None).map_err(failed)?;
        let server = ServerAddress::parse_v4("233.252.0.2").map_err(failed)?;
        let sink = number.checked_rem(self.plan.receivers).map(|receiver| {
            let address = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + receiver);
            Sink { url: Pii::new(format!("http://{address}/events").into()), credential: None }
        });
        Ok(Asked {
            named_by: NamedBy::default(),
            device,
            server: ApplicationServer::new(Some(server), None).map_err(failed)?,
            device_ports: None,
            server_ports: None,
            profile: ProfileName::parse("QOS_L").map_err(failed)?,
            sink,
        })
    }
}

/// The ledger of a directory, for reading.
pub(crate) fn open(directory: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(directory.join("ledger.db"), flags);
    database.map_err(|error| Failure::new("cannot open the ledger", error))
}

fn failed(why: impl std::fmt::Display) -> Failure {
    Failure::new("cannot fill the directory", why)
}

#[cfg(test)]
mod tests {
    use greenwave_core::clock::whole_millis;
    use greenwave_network::simulator::rules;

    use super::*;

    #[tokio::test]
    async fn what_is_there_is_what_the_numbers_say() {
        let directory = tempfile::tempdir().unwrap();
        let (sessions, first) = (1_500, Duration::from_secs(60));
        let lasting = Lasting::Then { first, sessions: 1_000 };
        let began = whole_millis(Timestamp::now());
        let plan = Plan { sessions, began, lasting, receivers: 7 };
        let filled = fill(directory.path(), plan).await.unwrap();

        let audit = greenwave_ledger::audit(directory.path(), began, true).unwrap();
        assert_eq!(audit.findings, Vec::<String>::new());
        let mut ruled = rules::read(&directory.path().join("network.jsonl")).unwrap();
        ruled.sort_unstable_by_key(|rule| rule.session);
        let mut ids: Vec<SessionId> = (0..sessions).map(|number| filled.id(number)).collect();
        ids.sort_unstable();
        assert!(ruled.iter().map(|rule| rule.session).eq(ids));
        // None is over, so each was told of once.
        assert!(check(directory.path(), &filled, began).unwrap().is_empty());
        let wrong = check(directory.path(), &filled, began + first).unwrap();
        assert_eq!(wrong["session with other events than it should have"], 1_000);
        assert_eq!(wrong["session that is not history"], 1_000);
    }
}
