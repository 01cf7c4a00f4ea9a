//! Every point during every operation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use greenwave_crashpoint::Point;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::operation::{Operation, repeat};
use crate::place::{Fate, MACHINE, Place, READY};

/// How many places there are at a time.
const AT_ONCE: usize = 4;

/// How long a start may take that the others hold up.
const PATIENCE: Duration = Duration::from_secs(15);

/// Of how many starts one may be held up for longer than a gateway should take to be ready. The
/// few that read a hundred thousand lines about nothing may be, too: this is no release build.
const ONE_SLOW_OF: usize = 25;

/// What became of a crash.
struct Outcome {
    /// Whether it came by the point.
    reached: bool,
    /// Whether all starts were as quick as they should be.
    quick: bool,
}

/// Kills a gateway at this point of this operation, or when it is done with it and has not come
/// by, and audits the next one.
async fn crash(point: Point, operation: Operation) -> Outcome {
    let mut place = Place::new(PATIENCE).await;
    operation.prepare(&mut place, point).await;
    let reached = match place.start_to_die(point, 1) {
        None => true,
        Some(mut process) => {
            operation.perform(&mut place, &process).await;
            let fate = place.rest_or_death(&mut process).await;
            process.kill();
            matches!(fate, Fate::Died)
        }
    };
    let process = place.audit().await;
    repeat(&mut place, &process).await;
    Outcome { reached, quick: place.slowest < READY }
}

/// The points that were asked for: all, or the one of a name.
fn points() -> Vec<Point> {
    let asked = std::env::var("GREENWAVE_POINT").ok();
    let wanted = |point: &&Point| asked.as_ref().is_none_or(|name| name == point.name());
    let points: Vec<Point> = Point::ALL.iter().filter(wanted).copied().collect();
    assert!(!points.is_empty(), "there is no point {asked:?}");
    points
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_crash_at_any_point_breaks_no_promise() {
    let _alone = MACHINE.lock().await;
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut crashes = JoinSet::new();
    for point in points() {
        for operation in Operation::ALL {
            let room = Arc::clone(&room);
            crashes.spawn(async move {
                let _place = room.acquire_owned().await;
                let crash = tokio::spawn(crash(point, operation));
                (point, operation, crash.await)
            });
        }
    }
    let (mut reached, mut broken, mut slow) = (BTreeMap::<Point, usize>::new(), Vec::new(), 0);
    let all = crashes.len();
    while let Some(ended) = crashes.join_next().await {
        let (point, operation, outcome) = ended.unwrap();
        let Ok(outcome) = outcome else {
            broken.push((point.name(), operation));
            continue;
        };
        *reached.entry(point).or_default() += usize::from(outcome.reached);
        slow += usize::from(!outcome.quick);
    }
    let count: usize = reached.values().sum();
    println!("{all} kills, {count} of them at {} points; {slow} starts slow", reached.len());
    assert!(broken.is_empty(), "broken promises: {broken:?}");
    let missed: Vec<Point> =
        points().into_iter().filter(|at| reached.get(at) == Some(&0)).collect();
    assert!(missed.is_empty(), "no operation comes by {missed:?}");
    assert!(slow <= (all / ONE_SLOW_OF).max(2), "{slow} of {all} starts took more than {READY:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_point_can_be_passed_before_it_kills() {
    let _alone = MACHINE.lock().await;
    let mut place = Place::new(PATIENCE).await;
    drop(place.start());
    let mut process = place.start_to_die(Point::EngineCommitted, 5).unwrap();
    // A create is a command, and what the network says of it is another.
    for acknowledged in [1, 2] {
        Operation::Create.perform(&mut place, &process).await;
        assert!(matches!(place.rest_or_death(&mut process).await, Fate::Lives));
        assert_eq!(place.journal.sessions.len(), acknowledged);
    }
    Operation::Create.perform(&mut place, &process).await;
    assert!(matches!(place.rest_or_death(&mut process).await, Fate::Died));
    assert_eq!(place.journal.sessions.len(), 2);
    place.audit().await;
}
