//! What holds for every ledger.

mod once;
mod registry;

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use greenwave_core::decide::NetworkReport;
use greenwave_core::{
    Buckets, Command, DeviceKey, EndReason, QosStatus, Refusal, SessionId, Standing,
};
use greenwave_ledger::{
    Committed, Follower, Ledger, Lookup, MemoryLedger, Outcome, Page, Registry, Settlement,
    SqliteLedger, TransactError,
};

use crate::fixture::{
    APPLICATION, ManualClock, OTHER_APPLICATION, asked, at, create, create_for, delete, device, id,
    key, names, network,
};

trait Both: Ledger + Registry {}
impl<L: Ledger + Registry> Both for L {}

struct Fixture {
    ledger: Box<dyn Both>,
    clock: Arc<ManualClock>,
    _directory: tempfile::TempDir,
}

type Case = fn(&Fixture) -> Pin<Box<dyn Future<Output = ()> + '_>>;

const CASES: &[(&str, Case)] = &[
    ("what is kept is what was asked", |f| Box::pin(what_is_kept_is_what_was_asked(f))),
    ("a session lives and becomes history", |f| Box::pin(a_session_lives_and_ends(f))),
    ("a refusal changes nothing", |f| Box::pin(a_refusal_changes_nothing(f))),
    ("nobody sees what is not theirs", |f| Box::pin(nobody_sees_what_is_not_theirs(f))),
    ("what has expired is not seen", |f| Box::pin(what_has_expired_is_not_seen(f))),
    ("lists are in order and come in pages", |f| Box::pin(lists_come_in_pages(f))),
    ("of two overlapping creates one wins", |f| Box::pin(one_of_two_overlapping_wins(f))),
    ("deadlines and debts are found again", |f| Box::pin(deadlines_and_debts(f))),
    ("what sessions have to do with the network", |f| Box::pin(standings(f))),
    ("many commands share a commit and are answered each", |f| Box::pin(many_at_a_time(f))),
    ("who follows is told of all, in order", |f| Box::pin(who_follows_is_told_of_all(f))),
    ("sessions can be put into the order in which they lie", |f| Box::pin(arranged(f))),
    ("an orphan can be seen and abandoned", |f| Box::pin(orphans(f))),
    ("names become aliases and stay", |f| Box::pin(names_become_aliases(f))),
    ("a name that moved is noticed", |f| Box::pin(a_name_that_moved_is_noticed(f))),
    ("notifications are settled once", |f| Box::pin(notifications_are_settled_once(f))),
    ("ids of notifications are never given out again", |f| {
        Box::pin(ids_are_never_given_out_again(f))
    }),
    ("what is over for long is erased", |f| Box::pin(what_is_over_for_long_is_erased(f))),
    ("keys are kept and revoked", |f| Box::pin(registry::keys_are_kept_and_revoked(f))),
    ("what an application may is kept", |f| Box::pin(registry::what_is_set_is_kept(f))),
];

async fn conforms(make: impl Fn(Arc<ManualClock>, &tempfile::TempDir) -> Box<dyn Both>) {
    for (name, case) in CASES.iter().chain(once::CASES) {
        println!("{name}");
        let (clock, directory) = (ManualClock::new(), tempfile::tempdir().unwrap());
        let ledger = make(Arc::clone(&clock), &directory);
        case(&Fixture { ledger, clock, _directory: directory }).await;
    }
}

#[tokio::test]
async fn the_memory_ledger_conforms() {
    conforms(|clock, _| Box::new(MemoryLedger::new(clock))).await;
}

#[tokio::test]
async fn the_sqlite_ledger_conforms() {
    conforms(|clock, dir| Box::new(SqliteLedger::open(dir.path(), clock).unwrap())).await;
}

impl Fixture {
    async fn run(&self, command: Command) -> Committed {
        self.ledger.transact(command).await.unwrap()
    }

    async fn refused(&self, command: Command) -> Refusal {
        match self.ledger.transact(command).await {
            Err(TransactError::Refused(refusal)) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// An available session of device 1.
    async fn live(&self, number: u32) -> SessionId {
        let id = id(number, device(1));
        self.run(create(number, APPLICATION)).await;
        self.run(network(id, NetworkReport::Granted)).await;
        id
    }

    async fn listed(&self, index: usize, size: usize) -> (Vec<SessionId>, bool) {
        let page = Page { index, size };
        let listed = self.ledger.sessions_of_application(APPLICATION, page).await.unwrap();
        (listed.sessions.iter().map(|seen| seen.session.id).collect(), listed.more)
    }

    async fn named(&self, deciding: &[u8]) -> DeviceKey {
        self.ledger.device(&names(deciding, &[])).await.unwrap().unwrap().device
    }
}

async fn what_is_kept_is_what_was_asked(f: &Fixture) {
    let committed = f.run(create(1, APPLICATION)).await;
    let session = committed.changes.session.unwrap();
    assert_eq!(*session.asked, asked("203.0.113.5"));
    let Lookup::Found(seen) = f.ledger.session(APPLICATION, session.id).await.unwrap() else {
        panic!("not found")
    };
    assert_eq!(seen.session, session);
    assert_eq!(seen.view.status, QosStatus::Requested);
}

async fn a_session_lives_and_ends(f: &Fixture) {
    let id = f.live(1).await;
    let seen = f.ledger.sessions_of_device(APPLICATION, device(1)).await.unwrap();
    assert_eq!(seen[0].view.status, QosStatus::Available);
    assert_eq!(seen[0].view.expires_at, Some(at(60)));

    f.clock.set(60);
    let expired = f.run(Command::Due { session: id }).await;
    assert_eq!(expired.outbox.len(), 1);
    assert!(expired.deadline.is_some(), "the release is tried again");
    f.clock.set(61);
    let released = f.run(network(id, NetworkReport::Released)).await;
    assert!(released.changes.retired);
    assert_eq!(released.deadline, None);
    assert_eq!(f.refused(Command::Due { session: id }).await, Refusal::Unknown);
}

async fn a_refusal_changes_nothing(f: &Fixture) {
    let id = f.live(1).await;
    let before = f.ledger.session(APPLICATION, id).await.unwrap();
    assert_eq!(f.refused(delete(id, OTHER_APPLICATION)).await, Refusal::Foreign);
    assert_eq!(f.refused(create(2, OTHER_APPLICATION)).await, Refusal::Conflict);
    assert_eq!(f.ledger.session(APPLICATION, id).await.unwrap(), before);
    assert_eq!(f.ledger.outbox(at(1_000)).await.unwrap().len(), 1, "only that it is available");
}

async fn nobody_sees_what_is_not_theirs(f: &Fixture) {
    let id = f.live(1).await;
    assert_eq!(f.ledger.session(OTHER_APPLICATION, id).await.unwrap(), Lookup::Foreign);
    assert!(f.ledger.sessions_of_device(OTHER_APPLICATION, device(1)).await.unwrap().is_empty());
    let page = Page { index: 0, size: 10 };
    let listed = f.ledger.sessions_of_application(OTHER_APPLICATION, page).await.unwrap();
    assert!(listed.sessions.is_empty());
    let unknown = crate::fixture::id(9, device(1));
    assert_eq!(f.ledger.session(APPLICATION, unknown).await.unwrap(), Lookup::Unknown);
}

async fn what_has_expired_is_not_seen(f: &Fixture) {
    let id = f.live(1).await;
    f.clock.set(59);
    assert!(matches!(f.ledger.session(APPLICATION, id).await.unwrap(), Lookup::Found(_)));
    f.clock.set(60);
    assert_eq!(f.ledger.session(APPLICATION, id).await.unwrap(), Lookup::Unknown);
    assert_eq!(f.ledger.session(OTHER_APPLICATION, id).await.unwrap(), Lookup::Unknown);
    assert!(f.ledger.sessions_of_device(APPLICATION, device(1)).await.unwrap().is_empty());
    assert_eq!(f.listed(0, 10).await, (vec![], false));
}

async fn lists_come_in_pages(f: &Fixture) {
    let mut ids = Vec::new();
    for number in 1..=7 {
        ids.push(f.live(number).await);
    }
    f.run(delete(ids.remove(2), APPLICATION)).await;
    assert_eq!(f.listed(0, 4).await, (ids[..4].to_vec(), true));
    assert_eq!(f.listed(1, 4).await, (ids[4..].to_vec(), false));
    assert_eq!(f.listed(1, 3).await, (ids[3..].to_vec(), false));
    assert_eq!(f.listed(2, 3).await, (vec![], false));
    assert_eq!(f.listed(usize::MAX, usize::MAX).await, (vec![], false));
    let of_device = f.ledger.sessions_of_device(APPLICATION, device(1)).await.unwrap();
    assert_eq!(of_device.iter().map(|seen| seen.session.id).collect::<Vec<_>>(), ids);
}

async fn one_of_two_overlapping_wins(f: &Fixture) {
    let creates: Vec<_> = (1..=20)
        .map(|number| {
            let application = greenwave_core::ApplicationId(number);
            f.ledger.transact(create(number, application))
        })
        .collect();
    let mut won = 0;
    for create in creates {
        match create.await {
            Ok(_) => won += 1,
            Err(error) => {
                assert!(matches!(error, TransactError::Refused(Refusal::Conflict)), "{error}");
            }
        }
    }
    assert_eq!(won, 1);
}

async fn deadlines_and_debts(f: &Fixture) {
    let available = f.live(1).await;
    let requested = id(2, device(1));
    f.run(create(2, APPLICATION)).await;
    let standing = f.ledger.standing_as(&[Standing::Requested], Buckets::ALL).await.unwrap();
    assert_eq!(standing, [requested]);
    let mut due = f.ledger.deadlines(at(61)).await.unwrap();
    due.sort_by_key(|&(_, at)| at);
    assert_eq!(due.len(), 2);
    assert_eq!(due[0].0, requested);
    assert_eq!(due[1], (available, at(60)));
    assert_eq!(f.ledger.deadlines(at(60)).await.unwrap().len(), 1, "before, not at");

    // A command that changes nothing still tells when something is due.
    let nothing = f.run(Command::Due { session: available }).await;
    assert_eq!(nothing.changes.session, None);
    assert_eq!(nothing.deadline, Some(at(60)));
}

async fn standings(f: &Fixture) {
    let honoured = f.live(1).await;
    let lost = f.live(2).await;
    f.run(network(lost, NetworkReport::Missing)).await;
    let leaving = f.live(3).await;
    f.run(delete(leaving, APPLICATION)).await;
    let over = f.live(4).await;
    f.run(network(over, NetworkReport::Ended)).await;
    f.run(network(over, NetworkReport::Released)).await;
    let gone = f.live(5).await;
    f.run(delete(gone, APPLICATION)).await;
    f.run(network(gone, NetworkReport::Released)).await;

    let asked = vec![honoured, lost, leaving, over, gone];
    let expected = [Standing::Honoured, Standing::Lost, Standing::Leaving, Standing::Over];
    let standing = f.ledger.standing_of(asked).await.unwrap();
    assert_eq!(standing[..4], expected.map(Some));
    assert_eq!(standing[4], None, "history stands nowhere");
    let census = f.ledger.census().await.unwrap();
    for standing in Standing::ALL {
        let count = usize::from(expected.contains(&standing));
        assert_eq!(census.sessions.count(standing), count, "{standing:?}");
    }
    let mut found = Vec::new();
    for part in Buckets::parts(1_000) {
        let wanted = &[Standing::Lost, Standing::Leaving];
        let of_part = f.ledger.standing_as(wanted, part).await.unwrap();
        assert!(of_part.iter().all(|&session| part.contains_session(session)));
        found.extend(of_part);
    }
    found.sort_unstable();
    assert_eq!(found, [lost, leaving]);
    assert_eq!(f.ledger.size(), 4);
    assert_eq!(census.notifications, 8);
}

async fn many_at_a_time(f: &Fixture) {
    let mut elsewhere =
        create_for(3, APPLICATION, names(&[3], &[]), device(3), asked("203.0.113.5"));
    if let Command::Create(create) = &mut elsewhere {
        create.application = OTHER_APPLICATION;
    }
    let first = id(1, device(1));
    let results = f.ledger.transact_all(vec![
        create(1, APPLICATION),
        network(first, NetworkReport::Granted),
        create(2, OTHER_APPLICATION),
        network(id(9, device(1)), NetworkReport::Granted),
        elsewhere,
    ]);
    let results = results.await;
    let [Ok(one), Ok(granted), Err(conflict), Err(unknown), Ok(other)] = &results[..] else {
        panic!("{results:?}")
    };
    assert!(one.created && other.created && !granted.created, "each sees those before it");
    assert_eq!((one.session, granted.session, other.session), (first, first, id(3, device(3))));
    assert!(matches!(conflict, TransactError::Refused(Refusal::Conflict)), "{conflict}");
    assert!(matches!(unknown, TransactError::Refused(Refusal::Unknown)), "{unknown}");
    let Lookup::Found(seen) = f.ledger.session(APPLICATION, first).await.unwrap() else {
        panic!("not there")
    };
    assert_eq!(seen.view.status, QosStatus::Available);
    assert!(f.ledger.transact_all(Vec::new()).await.is_empty());
}

/// Keeps what it is told of.
#[derive(Default)]
struct Told(Mutex<Vec<Committed>>);

impl Follower for Told {
    fn follow(&self, committed: &mut dyn Iterator<Item = &Committed>) {
        self.0.lock().unwrap().extend(committed.cloned());
    }
}

async fn who_follows_is_told_of_all(f: &Fixture) {
    let told = Arc::new(Told::default());
    let follower: std::sync::Weak<Told> = Arc::downgrade(&told);
    f.ledger.follow(follower);
    let session = id(1, device(1));
    let mut committed = vec![f.run(create(1, APPLICATION)).await];
    assert_eq!(f.refused(create(2, OTHER_APPLICATION)).await, Refusal::Conflict);
    // Nobody waits for this one, and it is followed up all the same.
    assert!(!begin(f.ledger.transact(network(session, NetworkReport::Granted))));
    let rest = vec![Command::Due { session }, delete(session, APPLICATION)];
    let rest = f.ledger.transact_all(rest).await;
    committed.extend(rest.into_iter().map(Result::unwrap));
    let told = told.0.lock().unwrap();
    assert_eq!(told.len(), 4, "a refusal is nothing to follow");
    assert_eq!(told[0], committed[0]);
    assert_eq!(told[1].deadline, Some(at(60)), "the grant");
    assert_eq!(told[2..], committed[1..]);
}

/// Begins something, and does not wait for it.
fn begin<T>(mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    future.as_mut().poll(&mut context).is_ready()
}

async fn arranged(f: &Fixture) {
    let mut sessions = Vec::new();
    for number in [5, 1, 4, 2, 3] {
        sessions.push(f.live(number).await);
    }
    let (in_order, unknown) = (sessions.clone(), id(9, device(9)));
    sessions.sort_unstable();
    sessions.push(unknown);
    f.ledger.arrange(&mut sessions);
    assert_eq!(sessions[0], unknown);
    assert_eq!(sessions[1..], in_order);
}

async fn orphans(f: &Fixture) {
    let id = f.live(1).await;
    f.live(2).await;
    f.run(delete(id, APPLICATION)).await;
    for hour in 1..=24 {
        f.clock.set(3_600 * hour);
        f.run(network(id, NetworkReport::ReleaseFailed { retry_after: None })).await;
    }
    let orphans = f.ledger.orphans().await.unwrap();
    assert_eq!(orphans.iter().map(|session| session.id).collect::<Vec<_>>(), [id]);
    let abandoned = f.run(Command::Abandon { session: id }).await;
    assert!(abandoned.changes.retired);
    assert!(f.ledger.orphans().await.unwrap().is_empty());
    assert_eq!(f.ledger.census().await.unwrap().sessions.count(Standing::Orphan), 0);
}

async fn names_become_aliases(f: &Fixture) {
    let first = create_for(1, APPLICATION, names(&[1], &[2, 3]), device(1), asked("203.0.113.5"));
    f.run(first).await;
    assert_eq!(f.named(&[2]).await, device(1));
    assert_eq!(f.named(&[3]).await, device(1));
    let second = create_for(2, APPLICATION, names(&[4], &[2]), device(4), asked("203.0.113.5"));
    f.run(second).await;
    assert_eq!(f.named(&[2]).await, device(1), "it never moves");
    assert_eq!(f.named(&[9]).await, device(9));
    assert_eq!(f.ledger.device(&names(&[], &[])).await.unwrap(), None);
}

async fn a_name_that_moved_is_noticed(f: &Fixture) {
    let together = create_for(1, APPLICATION, names(&[1], &[2]), device(1), asked("203.0.113.5"));
    f.run(together).await;
    // Looked up before the first was committed, so it still means a device of its own.
    let stale = create_for(2, APPLICATION, names(&[2], &[]), device(2), asked("203.0.113.5"));
    assert!(matches!(f.ledger.transact(stale).await, Err(TransactError::Renamed)));
    assert!(f.ledger.sessions_of_device(APPLICATION, device(2)).await.unwrap().is_empty());
    assert_eq!(key(2).own_device(), device(2));
}

async fn notifications_are_settled_once(f: &Fixture) {
    let session = f.live(1).await;
    f.clock.set(10);
    let deleted = f.run(delete(session, APPLICATION)).await;
    let mut waiting = f.ledger.outbox(at(11)).await.unwrap();
    waiting.sort_unstable();
    assert_eq!(waiting.iter().map(|&(_, due)| due).collect::<Vec<_>>(), [at(0), at(10)]);
    let (first, second) = (waiting[0].0, waiting[1].0);
    assert_eq!(deleted.outbox, [second]);

    let notification = f.ledger.notification(second).await.unwrap().unwrap();
    assert_eq!(notification.event.id.session, session);
    assert_eq!(notification.event.id.ordinal, 2);
    assert_eq!(notification.event.reason, Some(EndReason::DeleteRequested));
    assert_eq!(notification.event.sink, asked("203.0.113.5").sink);

    f.ledger.settle(first, Settlement::Retry { next_at: at(100) }).await.unwrap();
    assert_eq!(f.ledger.notification(first).await.unwrap().unwrap().tries, 1);
    assert_eq!(f.ledger.outbox(at(100)).await.unwrap(), [(second, at(10))]);
    let done = Settlement::Done { outcome: Outcome::Delivered, note: "204".to_owned() };
    for _ in 0..2 {
        f.ledger.settle(second, done.clone()).await.unwrap();
        assert_eq!(f.ledger.notification(second).await.unwrap(), None);
    }
    assert_eq!(f.ledger.outbox(at(1_000)).await.unwrap(), [(first, at(100))]);
}

/// Whoever still holds the id of a notification that is settled must not take another one for it.
async fn ids_are_never_given_out_again(f: &Fixture) {
    let mut given = Vec::new();
    for number in 1..=3 {
        let session = f.live(number).await;
        let deleted = f.run(delete(session, APPLICATION)).await;
        given.extend(deleted.outbox);
        f.run(network(session, NetworkReport::Released)).await;
        for (id, _) in f.ledger.outbox(at(1_000)).await.unwrap() {
            let note = "204".to_owned();
            let done = Settlement::Done { outcome: Outcome::Delivered, note };
            f.ledger.settle(id, done).await.unwrap();
        }
    }
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 3);
}

async fn what_is_over_for_long_is_erased(f: &Fixture) {
    for number in 1..=5 {
        f.clock.set(10 * i64::from(number));
        let id = f.live(number).await;
        f.run(delete(id, APPLICATION)).await;
        f.run(network(id, NetworkReport::Released)).await;
    }
    let kept = f.live(6).await;
    let erase = async |before| f.ledger.erase(at(before), 2).await.unwrap();
    assert_eq!(erase(1_000).await, 2, "their events are not settled");
    let waiting = f.ledger.outbox(at(1_000)).await.unwrap();
    assert_eq!(waiting.len(), 11);
    for (second, (id, _)) in (60..).zip(waiting) {
        f.clock.set(second);
        let done = Settlement::Done { outcome: Outcome::Delivered, note: "204".to_owned() };
        f.ledger.settle(id, done).await.unwrap();
    }
    assert_eq!(erase(30).await, 0, "what ended then is kept");
    assert_eq!(erase(41).await, 2);
    assert_eq!(erase(41).await, 0);
    // One session and eleven events.
    let mut erased = Vec::new();
    while let 1.. = *erased.last().unwrap_or(&1) {
        erased.push(erase(1_000).await);
    }
    assert_eq!(erased, [3, 2, 2, 2, 2, 1, 0]);
    assert!(matches!(f.ledger.session(APPLICATION, kept).await.unwrap(), Lookup::Found(_)));
    assert_eq!(f.ledger.deadlines(at(1_000)).await.unwrap().len(), 1);
}
