//! Commands that are carried out once.

use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use greenwave_core::decide::NetworkReport;
use greenwave_core::{ApplicationId, Command, Refusal, RuleSetId};
use greenwave_ledger::{Once, Performed, REPLIES_KEPT_FOR, Reply, TransactError};

use super::{Case, Fixture};
use crate::fixture::{
    APPLICATION, OTHER_APPLICATION, asked, at, create, create_for, delete, device, id, names,
    network, once,
};

const DAY: i64 = REPLIES_KEPT_FOR.as_secs() as i64;

pub(super) const CASES: &[(&str, Case)] = &[
    ("what was carried out is replied again", |f| Box::pin(replied_again(f))),
    ("a batch carries a command out once", |f| Box::pin(once_in_a_batch(f))),
    ("a key names one request", |f| Box::pin(a_key_names_one_request(f))),
    ("a refusal is not kept", |f| Box::pin(a_refusal_is_not_kept(f))),
    ("a reply outlives its session", |f| Box::pin(a_reply_outlives_its_session(f))),
    ("after a day a request is new", |f| Box::pin(after_a_day(f))),
    ("the oldest replies make room", |f| Box::pin(the_oldest_make_room(f))),
    ("replies make room within a batch", |f| Box::pin(room_within_a_batch(f))),
];

impl Fixture {
    async fn once(&self, command: Command, once: Once) -> Result<Performed, TransactError> {
        self.ledger.transact_once(command, once).await
    }

    /// The reply to a command that is carried out now.
    async fn first(&self, command: Command, once: Once) -> Reply {
        match self.once(command, once).await.unwrap() {
            Performed::Now(committed, Some(reply)) => {
                assert_eq!(committed.session, reply.session);
                reply
            }
            other => panic!("not carried out now: {other:?}"),
        }
    }

    /// The reply to a command that was carried out before, as both ways to it have it.
    async fn again(&self, command: Command, once: Once) -> Reply {
        let read = self.kept(&once).await;
        match self.once(command, once).await.unwrap() {
            Performed::Before(reply) => {
                assert_eq!(read.as_ref(), Some(&reply));
                reply
            }
            other => panic!("not replied again: {other:?}"),
        }
    }

    async fn kept(&self, once: &Once) -> Option<Reply> {
        match self.ledger.recall(once).await.unwrap() {
            None => None,
            Some(Performed::Before(reply)) => Some(reply),
            other => panic!("no reply: {other:?}"),
        }
    }

    /// What became of commands that are given before the ledger answers any of them: those that
    /// wait while it commits the first share a commit.
    async fn at_once(&self, given: impl Iterator<Item = (Command, Once)>) -> Vec<Performed> {
        let mut commands: Vec<Pin<Box<dyn Future<Output = _> + '_>>> = Vec::new();
        for (command, once) in given {
            commands.push(Box::pin(self.once(command, once)));
        }
        let mut context = Context::from_waker(Waker::noop());
        for command in &mut commands {
            assert!(command.as_mut().poll(&mut context).is_pending());
        }
        let mut performed = Vec::new();
        for command in commands {
            performed.push(command.await.unwrap());
        }
        performed
    }

    /// How many sessions an application has for device 1.
    async fn count(&self, application: ApplicationId) -> usize {
        self.ledger.sessions_of_device(application, device(1)).await.unwrap().len()
    }
}

fn extend(number: u32) -> Command {
    let (session, by) = (id(number, device(1)), Duration::from_secs(30));
    Command::Extend {
        session,
        application: APPLICATION,
        rules: RuleSetId::NokiaV0,
        by,
        overall_at_most: Duration::MAX,
    }
}

async fn replied_again(f: &Fixture) {
    let reply = f.first(create(1, APPLICATION), once(APPLICATION, 1)).await;
    assert_eq!((reply.session, &*reply.text), (id(1, device(1)), b"Requested 60s".as_slice()));
    let extended = f.first(extend(1), once(APPLICATION, 2)).await;
    assert_eq!(&*extended.text, b"Requested 90s");
    assert_eq!(f.again(create(2, APPLICATION), once(APPLICATION, 1)).await, reply);
    assert_eq!(f.again(extend(1), once(APPLICATION, 2)).await, extended);
    assert_eq!(f.count(APPLICATION).await, 1);
    let seen = f.ledger.sessions_of_device(APPLICATION, device(1)).await.unwrap();
    assert_eq!(seen[0].view.duration.as_secs(), 90, "extended once");
}

async fn once_in_a_batch(f: &Fixture) {
    let given = (1..=5).map(|number| (create(number, APPLICATION), once(APPLICATION, 1)));
    let (mut replies, mut now) = (Vec::new(), 0);
    for performed in f.at_once(given).await {
        match performed {
            Performed::Now(_, reply) => {
                now += 1;
                replies.extend(reply);
            }
            Performed::Before(reply) => replies.push(reply),
            Performed::KeyReused => panic!("it is the same request"),
        }
    }
    assert_eq!((now, replies.len()), (1, 5));
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    assert_eq!(f.count(APPLICATION).await, 1);
}

async fn a_key_names_one_request(f: &Fixture) {
    let reply = f.first(create(1, APPLICATION), once(APPLICATION, 1)).await;
    let mut other = once(APPLICATION, 1);
    other.request.0[0] = 9;
    assert_eq!(f.ledger.recall(&other).await.unwrap(), Some(Performed::KeyReused));
    let reused = f.once(create(2, APPLICATION), other).await.unwrap();
    assert_eq!(reused, Performed::KeyReused);
    assert_eq!(f.count(APPLICATION).await, 1);
    // It is another's key that only looks the same.
    let theirs = once(OTHER_APPLICATION, 1);
    assert_eq!(f.kept(&theirs).await, None);
    let conflict = f.once(create(3, OTHER_APPLICATION), theirs).await;
    assert!(matches!(conflict, Err(TransactError::Refused(Refusal::Conflict))), "{conflict:?}");
    assert_eq!(f.again(create(4, APPLICATION), once(APPLICATION, 1)).await, reply);
}

async fn a_refusal_is_not_kept(f: &Fixture) {
    f.run(create(1, OTHER_APPLICATION)).await;
    let refused = f.once(create(2, APPLICATION), once(APPLICATION, 1)).await;
    assert!(matches!(refused, Err(TransactError::Refused(Refusal::Conflict))), "{refused:?}");
    assert_eq!(f.kept(&once(APPLICATION, 1)).await, None);
    f.run(delete(id(1, device(1)), OTHER_APPLICATION)).await;
    f.first(create(3, APPLICATION), once(APPLICATION, 1)).await;
}

async fn a_reply_outlives_its_session(f: &Fixture) {
    let reply = f.first(create(1, APPLICATION), once(APPLICATION, 1)).await;
    let extended = f.first(extend(1), once(APPLICATION, 2)).await;
    f.run(delete(reply.session, APPLICATION)).await;
    f.run(network(reply.session, NetworkReport::Released)).await;
    f.clock.set(1_000);
    assert!(f.ledger.erase(at(900), 10).await.unwrap() > 0);
    assert_eq!(f.again(create(2, APPLICATION), once(APPLICATION, 1)).await, reply);
    assert_eq!(f.again(extend(1), once(APPLICATION, 2)).await, extended);
    assert_eq!(f.count(APPLICATION).await, 0);
}

async fn after_a_day(f: &Fixture) {
    let erase = async || f.ledger.erase(at(0), 2).await.unwrap();
    for number in 1..=3 {
        f.first(create(number, APPLICATION), once(APPLICATION, number as u8)).await;
    }
    f.clock.set(DAY - 1);
    f.again(create(4, APPLICATION), once(APPLICATION, 1)).await;
    assert_eq!(erase().await, 0);
    f.clock.set(DAY);
    let later = f.first(create(5, APPLICATION), once(APPLICATION, 1)).await;
    f.clock.set(DAY + 1);
    assert_eq!([erase().await, erase().await, erase().await], [2, 1, 0]);
    assert_eq!(f.again(create(6, APPLICATION), once(APPLICATION, 1)).await, later);
    f.first(create(7, APPLICATION), once(APPLICATION, 2)).await;
    f.clock.set(2 * DAY + 2);
    assert_eq!([erase().await, erase().await], [2, 0]);
    assert_eq!(f.kept(&once(APPLICATION, 1)).await, None);
}

fn at_most(at_most: usize, application: ApplicationId, key: u8) -> Once {
    Once { at_most, ..once(application, key) }
}

async fn the_oldest_make_room(f: &Fixture) {
    let few = |key| at_most(3, APPLICATION, key);
    let (names, asked) = (names(&[2], &[]), asked("198.51.100.1"));
    let theirs = create_for(99, OTHER_APPLICATION, names, device(2), asked);
    let kept = f.first(theirs.clone(), once(OTHER_APPLICATION, 1)).await;
    for number in 1..=5 {
        f.first(create(number, APPLICATION), few(number as u8)).await;
    }
    for (key, is_kept) in [(1, false), (2, false), (3, true), (4, true), (5, true)] {
        assert_eq!(f.kept(&few(key)).await.is_some(), is_kept, "{key}");
    }
    // Only of the same application.
    assert_eq!(f.again(theirs, once(OTHER_APPLICATION, 1)).await, kept);
    // What was pushed out is new, and pushes out the next one.
    f.first(create(6, APPLICATION), few(1)).await;
    assert_eq!(f.kept(&few(3)).await, None);
    f.again(create(7, APPLICATION), few(5)).await;
}

async fn room_within_a_batch(f: &Fixture) {
    for number in 1..=2 {
        f.first(create(number, APPLICATION), at_most(2, APPLICATION, number as u8)).await;
    }
    let given =
        (3..=7).map(|number| (create(number, APPLICATION), at_most(2, APPLICATION, number as u8)));
    let performed = f.at_once(given).await;
    assert!(performed.iter().all(|performed| matches!(performed, Performed::Now(..))));
    for key in 1..=7 {
        let kept = f.kept(&at_most(2, APPLICATION, key)).await;
        assert_eq!(kept.is_some(), key > 5, "{key}");
    }
}
