//! Who writes the file of rules anew, in a thread of its own: with millions of rules it takes long.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::Inner;
use super::rules::{RulesFile, Step, Tidying};

/// The thread, if there is one.
#[derive(Default)]
pub(super) struct TidyThread {
    thread: Mutex<Option<JoinHandle<()>>>,
    is_stopped: AtomicBool,
}

impl TidyThread {
    /// Has it give up what it does, and waits for it. There will be none after it: somebody else
    /// may have the file next.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("writing the simulated network's file of rules anew came to no end");
        }
    }
}

impl Inner {
    /// Writes the file anew if that is worth it, while nobody needs it.
    pub(super) fn tidy_now(&self) -> io::Result<()> {
        let tidying = self.state().file.tidy()?;
        tidying.map_or(Ok(()), |tidying| self.tidy(tidying))
    }

    /// Begins to write the file anew if that is worth it, and does so while everything goes on. A
    /// file that stays long is no reason for anything to fail.
    pub(super) fn tidy_beside(self: &Arc<Self>, file: &mut RulesFile) {
        let failed = |error: io::Error| {
            tracing::warn!(%error, "the simulated network's file of rules stays long");
        };
        if self.tidying.is_stopped.load(Ordering::SeqCst) {
            return;
        }
        let tidying = match file.tidy() {
            Ok(None) => return,
            Ok(Some(tidying)) => tidying,
            Err(error) => return failed(error),
        };
        let mut thread = self.tidying.thread.lock().unwrap_or_else(PoisonError::into_inner);
        // The one before has done its work, or there would not be this one.
        let inner = Arc::clone(self);
        let work = move || {
            let tidied = inner.tidy(tidying);
            if let Err(error) = tidied
                && !inner.tidying.is_stopped.load(Ordering::SeqCst)
            {
                failed(error);
            }
        };
        match std::thread::Builder::new().name("tidying".to_owned()).spawn(work) {
            Ok(spawned) => *thread = Some(spawned),
            Err(error) => {
                file.puts_off_tidying();
                failed(error);
            }
        }
    }

    fn tidy(&self, mut tidying: Tidying) -> io::Result<()> {
        let done = self.copy(&mut tidying);
        self.installed.forget_copied();
        if matches!(done, Ok(Step::Done)) {
            return Ok(());
        }
        let file = &mut self.state().file;
        file.puts_off_tidying();
        // What is taken away while it is read looks like anything.
        if tidying.is_overtaken(file) { Ok(()) } else { done.map(drop) }
    }

    fn copy(&self, tidying: &mut Tidying) -> io::Result<Step> {
        tidying.copy_installed(|session| {
            if self.tidying.is_stopped.load(Ordering::Relaxed) {
                return Err(io::Error::from(io::ErrorKind::Interrupted));
            }
            Ok(self.installed.copies_now(session))
        })?;
        loop {
            let step = tidying.finish(&mut self.state().file)?;
            let Step::Behind(end) = step else { return Ok(step) };
            tidying.copy_until(end)?;
        }
    }
}
