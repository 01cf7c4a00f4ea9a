//! The receivers of events: some take them, some lose their own answer, some are away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenwave::delivery::{Attempt, Courier};
use greenwave_core::{Event, EventId};
use greenwave_ledger::Answer;

use crate::chance::Chance;

pub(crate) struct Receivers {
    chance: Chance,
    faulty: Arc<AtomicBool>,
    received: Mutex<Vec<EventId>>,
}

impl Receivers {
    pub(crate) fn new(chance: Chance, faulty: Arc<AtomicBool>) -> Arc<Self> {
        Arc::new(Self { chance, faulty, received: Mutex::new(Vec::new()) })
    }

    /// What they have received, in the order in which it came.
    pub(crate) fn received(&self) -> Vec<EventId> {
        self.received.lock().unwrap().clone()
    }

    fn receive(&self, event: &Event) {
        self.received.lock().unwrap().push(event.id);
    }

    async fn take(&self, event: &Event) -> Attempt {
        let pause = |millis| tokio::time::sleep(self.chance.millis(millis));
        pause(0..30).await;
        let fate = if self.faulty.load(Ordering::SeqCst) { self.chance.below(20) } else { 0 };
        match fate {
            0..=13 => {
                self.receive(event);
                pause(0..50).await;
                Attempt::Delivered("taken".to_owned())
            }
            14..=15 => failed("away", None),
            16 => failed("busy", Some(Duration::from_secs(self.chance.below(100)))),
            17 => {
                self.receive(event);
                failed("the answer was lost", None)
            }
            18 => {
                pause(0..15_000).await;
                failed("too slow", None)
            }
            _ => Attempt::Hopeless("gone for good".to_owned()),
        }
    }
}

fn failed(note: &str, retry_after: Option<Duration>) -> Attempt {
    Attempt::Failed { note: note.to_owned(), retry_after }
}

impl Courier for Receivers {
    fn send<'a>(&'a self, event: &'a Event) -> Answer<'a, Attempt> {
        Box::pin(self.take(event))
    }
}
