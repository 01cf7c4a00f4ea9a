//! Places at which a test has the process die, as `kill -9` would have it.
//!
//! [`reached`] does nothing unless the feature `armed` is on. With it, `GREENWAVE_CRASH_AT=name`
//! ends the process when it reaches the point of that name, and `name:n` when it does so for the
//! n-th time.

#[cfg(feature = "armed")]
mod armed;

macro_rules! points {
    ($($(#[doc = $doc:literal])* $point:ident = $name:literal,)*) => {
        /// A place at which it matters whether the process goes on. Each is in the sources once.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Point {
            $($(#[doc = $doc])* $point,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$point),*];

            /// What it is called in `GREENWAVE_CRASH_AT`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$point => $name,)* }
            }
        }
    };
}

points! {
    /// The data directory is there, and nothing in it.
    StartDirectoryMade = "start.directory_made",
    /// Both ports are listened at; clients already queue in the kernel.
    StartListening = "start.listening",
    /// The secret can be used; there is no ledger yet.
    StartSecretOpened = "start.secret_opened",
    /// The ledger is open; its keys are not read.
    StartLedgerOpened = "start.ledger_opened",
    /// The sandbox's key is in the ledger, and in no file.
    SandboxKeyMade = "start.key_made",
    /// The sandbox's files are written.
    SandboxFileWritten = "start.sandbox_written",
    /// A private file is written and synced under another name.
    FileWritten = "start.file_written",
    /// A private file has its name, which is not synced.
    FileRenamed = "start.file_renamed",
    /// The engine's workers run; nobody delivers and nobody serves.
    StartEngineStarted = "start.engine_started",
    /// Everything runs; nobody has been told that it is ready.
    StartServing = "start.serving",

    /// The directory is locked.
    LedgerLocked = "ledger.locked",
    /// The database is an empty file.
    LedgerFileMade = "ledger.file_made",
    /// The database has its settings and no tables.
    LedgerBeforeSchema = "ledger.before_schema",
    /// The database is ready to be read.
    LedgerFileOpened = "ledger.file_opened",
    /// The index is built; nobody writes yet.
    LedgerIndexBuilt = "ledger.index_built",
    /// The writer has taken a job.
    LedgerJobReceived = "ledger.job_received",
    /// A batch is about to begin.
    LedgerBeforeBegin = "ledger.before_begin",
    /// A session is inserted.
    LedgerInserted = "ledger.inserted",
    /// A session is updated.
    LedgerUpdated = "ledger.updated",
    /// A session is in the history, and still among the live ones.
    LedgerHalfRetired = "ledger.half_retired",
    /// An event is in the outbox.
    LedgerNotified = "ledger.notified",
    /// An alias of a device is inserted.
    LedgerLearned = "ledger.learned",
    /// A reply to a request with a key is written.
    LedgerReplyKept = "ledger.reply_kept",
    /// What became of a delivery is about to be written.
    LedgerBeforeSettle = "ledger.before_settle",
    /// A delivery is written down, and still in the outbox.
    LedgerHalfSettled = "ledger.half_settled",
    /// What became of a delivery is written.
    LedgerSettled = "ledger.settled",
    /// Applications or keys are written.
    LedgerRegistryWritten = "ledger.registry_written",
    /// All of a batch is written, nothing committed.
    LedgerBeforeCommit = "ledger.before_commit",
    /// A batch is committed; no reader sees it.
    LedgerCommitted = "ledger.committed",
    /// Readers see the batch; nobody who waits for it has been answered.
    LedgerPublished = "ledger.published",
    /// Those who waited for the batch have been answered.
    LedgerAnswered = "ledger.answered",

    /// The simulated network's file is open, without an unfinished last line.
    NetworkOpened = "network.opened",
    /// The network will grant a session, and nothing says so outside of memory.
    NetworkAdmitted = "network.admitted",
    /// Rules are about to be written.
    NetworkBeforeInstall = "network.before_install",
    /// A rule's line is on its way to the file.
    NetworkLineWritten = "network.line_written",
    /// Rules are in the file.
    NetworkInstalled = "network.installed",
    /// The rule is there; the event that says so is not sent.
    NetworkBeforeEvent = "network.before_event",
    /// The event of a grant is sent.
    NetworkEventSent = "network.event_sent",
    /// A rule is about to be released.
    NetworkBeforeRelease = "network.before_release",
    /// The file says that a rule is gone.
    NetworkReleased = "network.released",
    /// The file is about to be written anew.
    NetworkBeforeTidy = "network.before_tidy",
    /// The new file is written, under another name.
    NetworkTidied = "network.tidied",
    /// The new file is in the place of the old one.
    NetworkFileReplaced = "network.file_replaced",

    /// A command is on its way to the ledger.
    EngineBeforeCommand = "engine.before_command",
    /// A command is committed; nobody knows of its effects.
    EngineCommitted = "engine.committed",
    /// The effects of a command are handed out.
    EngineFollowed = "engine.followed",
    /// The network is about to be called.
    EngineBeforeCall = "engine.before_call",
    /// The network has answered; the ledger has not been told.
    EngineCalled = "engine.called",
    /// The network has said something on its own; the ledger has not been told.
    EngineHeard = "engine.heard",
    /// The ledger knows what the network said.
    EngineReported = "engine.reported",
    /// What was under way before the start is about to be taken up.
    EngineBeforeResume = "engine.before_resume",
    /// What was under way before the start is taken up.
    EngineResumed = "engine.resumed",
    /// Something is due.
    EngineDue = "engine.due",
    /// What is due soon was looked up in the ledger, and nobody knows of it.
    EngineRefill = "engine.refill",
    /// A pass over network and ledger begins.
    ReconcileBeforeListing = "reconcile.before_listing",
    /// It is known what is installed.
    ReconcileListed = "reconcile.listed",
    /// What belongs to no session is about to be removed.
    ReconcileBeforeRemove = "reconcile.before_remove",
    /// What differs is mended.
    ReconcileMended = "reconcile.mended",

    /// A notification is due and waits for its turn.
    DeliveryDue = "delivery.due",
    /// A notification is read and about to be sent.
    DeliveryBeforeSend = "delivery.before_send",
    /// The receiver has the event; the ledger does not know.
    DeliverySent = "delivery.sent",
    /// The ledger knows what became of an event.
    DeliverySettled = "delivery.settled",

    /// The body of a request is read.
    HttpBodyRead = "http.body_read",
    /// A request is about to be answered.
    HttpBeforeAnswer = "http.before_answer",
    /// A key is in the ledger, and not yet valid.
    KeysAdded = "keys.added",
    /// A key is revoked in the ledger, and still valid.
    KeysRevoked = "keys.revoked",
}

/// Marks a point. This is the place at which the process dies, if a test has asked for it.
#[inline]
pub fn reached(point: Point) {
    #[cfg(feature = "armed")]
    armed::reached(point);
    #[cfg(not(feature = "armed"))]
    let _ = point;
}
