//! Both ledgers, given the same commands, keep the same, restarts included.

use std::sync::Arc;
use std::time::Duration;

use greenwave_core::decide::NetworkReport;
use greenwave_core::{ApplicationId, Command, RuleSetId, SessionId};
use greenwave_ledger::{
    AtOnce, Ledger, MemoryDisk, MemoryLedger, Page, SqliteLedger, TransactError,
};
use proptest::prelude::*;

use crate::fixture::{
    APPLICATION, ManualClock, OTHER_APPLICATION, asked, at, create_for, delete, device, id, names,
};

#[derive(Clone, Debug)]
enum Step {
    /// A session of this number, for a device called by these names.
    Create {
        number: u32,
        deciding: u8,
        other: u8,
        server: u8,
        stranger: bool,
    },
    Extend(u32),
    Delete {
        number: u32,
        stranger: bool,
    },
    Network(u32, NetworkReport),
    Due(u32),
    Pass(i64),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = || 0..12u32;
    let report = prop_oneof![
        3 => Just(NetworkReport::Granted),
        1 => Just(NetworkReport::Refused),
        1 => Just(NetworkReport::Ended),
        3 => Just(NetworkReport::Released),
        1 => Just(NetworkReport::Missing),
    ];
    let create = (number(), 1..6u8, 1..6u8, 0..3u8, any::<bool>()).prop_map(
        |(number, deciding, other, server, stranger)| Step::Create {
            number,
            deciding,
            other,
            server,
            stranger,
        },
    );
    let step = prop_oneof![
        6 => create,
        1 => number().prop_map(Step::Extend),
        2 => (number(), any::<bool>())
            .prop_map(|(number, stranger)| Step::Delete { number, stranger }),
        6 => (number(), report).prop_map(|(number, report)| Step::Network(number, report)),
        2 => number().prop_map(Step::Due),
        2 => (1..100i64).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..40)
}

struct Pair {
    clock: Arc<ManualClock>,
    seconds: i64,
    directory: tempfile::TempDir,
    disk: MemoryDisk,
    memory: MemoryLedger,
    sqlite: Option<SqliteLedger>,
    ids: Vec<Option<SessionId>>,
}

impl Pair {
    fn new() -> Self {
        let (clock, directory) = (ManualClock::new(), tempfile::tempdir().unwrap());
        let disk = MemoryDisk::default();
        let memory = open(&disk, &clock);
        let sqlite = SqliteLedger::open(directory.path(), clock.clone()).unwrap();
        let ids = vec![None; 12];
        Self { clock, seconds: 0, directory, disk, memory, sqlite: Some(sqlite), ids }
    }

    fn sqlite(&self) -> &SqliteLedger {
        self.sqlite.as_ref().unwrap()
    }

    async fn step(&mut self, step: Step) {
        let named = |ids: &[Option<SessionId>], number: u32| ids[number as usize];
        let command = match step {
            Step::Create { number, deciding, other, server, stranger } => {
                if self.ids[number as usize].is_some() {
                    return;
                }
                let names = names(&[deciding], &[other]);
                let named = self.sqlite().device(&names).await.unwrap().unwrap();
                assert_eq!(self.memory.device(&names).await.unwrap(), Some(named));
                let device = named.device;
                self.ids[number as usize] = Some(id(number, device));
                let asked = asked(&format!("203.0.113.{server}"));
                Some(create_for(number, application(stranger), names, device, asked))
            }
            Step::Extend(number) => named(&self.ids, number).map(|session| Command::Extend {
                session,
                application: APPLICATION,
                rules: RuleSetId::NokiaV0,
                by: Duration::from_secs(30),
                overall_at_most: Duration::MAX,
            }),
            Step::Delete { number, stranger } => {
                named(&self.ids, number).map(|session| delete(session, application(stranger)))
            }
            Step::Network(number, report) => {
                named(&self.ids, number).map(|session| Command::Network { session, report })
            }
            Step::Due(number) => named(&self.ids, number).map(|session| Command::Due { session }),
            Step::Pass(seconds) => {
                self.seconds += seconds;
                self.clock.set(self.seconds);
                None
            }
            Step::Restart => {
                self.memory = open(&self.disk, &self.clock);
                self.sqlite = None;
                let clock = self.clock.clone();
                self.sqlite = Some(SqliteLedger::open(self.directory.path(), clock).unwrap());
                None
            }
        };
        if let Some(command) = command {
            self.run(command).await;
        }
    }

    async fn run(&self, command: Command) {
        let (one, other) =
            (self.memory.transact(command.clone()).await, self.sqlite().transact(command).await);
        match (one, other) {
            (Ok(one), Ok(other)) => {
                assert_eq!(one.changes, other.changes);
                assert_eq!(one.deadline, other.deadline);
                assert_eq!(one.outbox.len(), other.outbox.len());
            }
            (Err(TransactError::Refused(one)), Err(TransactError::Refused(other))) => {
                assert_eq!(one, other);
            }
            (one, other) => panic!("{one:?} is not {other:?}"),
        }
    }

    async fn agree(&self) {
        for application in [APPLICATION, OTHER_APPLICATION] {
            let page = Page { index: 0, size: 5 };
            assert_eq!(
                self.memory.sessions_of_application(application, page).await.unwrap(),
                self.sqlite().sessions_of_application(application, page).await.unwrap()
            );
            for device in (1..6).map(device) {
                assert_eq!(
                    self.memory.sessions_of_device(application, device).await.unwrap(),
                    self.sqlite().sessions_of_device(application, device).await.unwrap()
                );
            }
            for id in self.ids.iter().flatten() {
                assert_eq!(
                    self.memory.session(application, *id).await.unwrap(),
                    self.sqlite().session(application, *id).await.unwrap()
                );
            }
        }
        let sorted = |mut list: Vec<_>| {
            list.sort_unstable();
            list
        };
        assert_eq!(
            sorted(self.memory.deadlines(at(1_000_000)).await.unwrap()),
            sorted(self.sqlite().deadlines(at(1_000_000)).await.unwrap())
        );
    }
}

fn open(disk: &MemoryDisk, clock: &Arc<ManualClock>) -> MemoryLedger {
    MemoryLedger::open(disk.clone(), clock.clone(), Arc::new(AtOnce))
}

fn application(stranger: bool) -> ApplicationId {
    if stranger { OTHER_APPLICATION } else { APPLICATION }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_ledgers_keep_the_same(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair::new();
            for step in steps {
                pair.step(step).await;
            }
            pair.agree().await;
        });
    }
}
