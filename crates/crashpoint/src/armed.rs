//! What a point does when it is armed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use crate::Point;

/// How long the rest of the process goes on while this thread stands still at its point: whoever
/// was told too early what is not yet true gets to say it to others.
const LAST_MOMENT: Duration = Duration::from_millis(20);

static FATE: OnceLock<Option<Fate>> = OnceLock::new();

/// Where and when to die.
struct Fate {
    point: Point,
    /// How often the point has still to be reached.
    left: AtomicU64,
}

pub(crate) fn reached(point: Point) {
    let Some(fate) = FATE.get_or_init(read).as_ref().filter(|fate| fate.point == point) else {
        return;
    };
    if fate.left.fetch_sub(1, Ordering::Relaxed) == 1 {
        std::thread::sleep(LAST_MOMENT);
        // It cannot fail, and never returns.
        let _ = kill_process(getpid(), Signal::KILL);
    }
}

/// A test that asks for what there is not must not pass.
fn read() -> Option<Fate> {
    let asked = std::env::var("GREENWAVE_CRASH_AT").ok()?;
    let fate = parse(&asked);
    if fate.is_none() {
        eprintln!("GREENWAVE_CRASH_AT: there is no point {asked:?}");
        std::process::exit(2);
    }
    fate
}

fn parse(asked: &str) -> Option<Fate> {
    let (name, times) = asked.split_once(':').unwrap_or((asked, "1"));
    let point = *Point::ALL.iter().find(|point| point.name() == name)?;
    let left = times.parse().ok().filter(|&times: &u64| times > 0)?;
    Some(Fate { point, left: AtomicU64::new(left) })
}
