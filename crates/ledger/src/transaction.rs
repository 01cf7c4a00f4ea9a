//! Load, decide, keep: what every ledger does with a command, whatever it keeps its rows in.

use greenwave_core::decide::Create;
use greenwave_core::{
    Changes, Command, DeviceKey, DeviceState, Effect, Event, IdentifierKey, Session, decide,
};
use jiff::Timestamp;

use crate::index::Entry;
use crate::once::KeptReply;
use crate::stage::Stage;
use crate::{Committed, LedgerError, Once, OutboxId, Performed, Reply, Settlement, TransactError};

/// How many identifiers can become aliases. Beyond it a name that comes with others is a device of
/// its own, so that nobody can fill a ledger with names.
const MOST_ALIASES: usize = 1_000_000;

/// The tables of a ledger, within a transaction that has begun.
pub(crate) trait Rows {
    /// Reads a live session.
    fn load(&mut self, row: i64) -> Result<Session, LedgerError>;

    /// Appends a live session, and tells its row.
    fn insert(&mut self, session: &Session) -> Result<i64, LedgerError>;

    /// Writes a live session anew.
    fn update(&mut self, row: i64, session: &Session) -> Result<(), LedgerError>;

    /// Moves a session to the history, as it now is.
    fn retire(&mut self, row: i64, session: &Session) -> Result<(), LedgerError>;

    /// Appends an event that has a sink to the outbox.
    fn notify(&mut self, event: &Event) -> Result<OutboxId, LedgerError>;

    /// Keeps what became of a try to deliver a notification.
    fn settle(
        &mut self,
        id: OutboxId,
        settlement: &Settlement,
        now: Timestamp,
    ) -> Result<(), LedgerError>;

    /// Erases what was over before a moment, and tells how many rows it was.
    fn erase(&mut self, before: Timestamp, at_most: usize) -> Result<usize, LedgerError>;

    /// Appends an alias.
    fn learn(&mut self, identifier: IdentifierKey, device: DeviceKey) -> Result<(), LedgerError>;

    /// Reads a reply; `None` if it was erased.
    fn recall(&mut self, row: i64) -> Result<Option<KeptReply>, LedgerError>;

    /// Appends a reply, and tells its row.
    fn keep_reply(
        &mut self,
        once: &Once,
        reply: &Reply,
        now: Timestamp,
    ) -> Result<i64, LedgerError>;

    /// Deletes a reply, if it is there.
    fn drop_reply(&mut self, row: i64) -> Result<(), LedgerError>;

    /// Erases replies that were given before a moment, and tells how many.
    fn erase_replies(&mut self, before: Timestamp, at_most: usize) -> Result<usize, LedgerError>;
}

/// Carries out one command. If it fails, the batch that it is part of must not be committed; if it
/// is refused, it has written nothing.
pub(crate) fn transact(
    rows: &mut impl Rows,
    stage: &mut Stage<'_>,
    command: &Command,
    now: Timestamp,
) -> Result<Committed, TransactError> {
    let aliases = match command {
        Command::Create(create) => new_aliases(stage, create)?,
        _ => Vec::new(),
    };
    let state = load(rows, stage, command)?;
    let changes = decide(&state, command, now)?;
    if let Command::Create(create) = command {
        for identifier in aliases {
            rows.learn(identifier, create.device)?;
            stage.learn(identifier, create.device);
        }
    }
    Ok(keep(rows, stage, command, &state, changes)?)
}

/// Carries out one command unless it was before. What became of it is seen by the next one in the
/// same batch, too.
pub(crate) fn transact_once(
    rows: &mut impl Rows,
    stage: &mut Stage<'_>,
    command: &Command,
    once: &Once,
    now: Timestamp,
) -> Result<Performed, TransactError> {
    if let Some(row) = stage.reply(once, now)
        && let Some(kept) = rows.recall(row)?
    {
        return Ok(kept.to(once.request));
    }
    let committed = Box::new(transact(rows, stage, command, now)?);
    let Some(session) = &committed.changes.session else {
        return Ok(Performed::Now(committed, None));
    };
    let Some(view) = session.view(now) else { return Ok(Performed::Now(committed, None)) };
    let reply = Reply { session: session.id, text: (once.write)(session, &view).into() };
    while let Some(row) = stage.make_room_for_reply(once) {
        rows.drop_reply(row)?;
    }
    let row = rows.keep_reply(once, &reply, now)?;
    stage.keep_reply(once, row, now);
    Ok(Performed::Now(committed, Some(reply)))
}

fn new_aliases(stage: &Stage<'_>, create: &Create) -> Result<Vec<IdentifierKey>, TransactError> {
    let named = create.names.device(stage).map(|named| named.device);
    if named != Some(create.device) {
        return Err(TransactError::Renamed);
    }
    let mut aliases = create.names.new_aliases(create.device, stage);
    aliases.truncate(MOST_ALIASES.saturating_sub(stage.aliases()));
    Ok(aliases)
}

/// The sessions that a decision on `command` has to look at.
fn load(
    rows: &mut impl Rows,
    stage: &Stage<'_>,
    command: &Command,
) -> Result<DeviceState, LedgerError> {
    let entries: Vec<Entry> = match command {
        Command::Create(create) => stage.of_device(create.device).collect(),
        _ => stage.get(command.session()).into_iter().collect(),
    };
    let session = |entry: &Entry| match stage.session(entry.id) {
        Some(staged) => Ok(staged.clone()),
        None => rows.load(entry.row),
    };
    let sessions = entries.iter().map(session).collect::<Result<_, _>>()?;
    Ok(DeviceState { sessions })
}

fn keep(
    rows: &mut impl Rows,
    stage: &mut Stage<'_>,
    command: &Command,
    state: &DeviceState,
    changes: Changes,
) -> Result<Committed, LedgerError> {
    let Some(session) = &changes.session else {
        // For a command that names a session, the state holds just that one.
        let deadline = state.sessions.first().and_then(Session::deadline);
        let session = command.session();
        return Ok(Committed { session, created: false, changes, outbox: Vec::new(), deadline });
    };
    let before = stage.get(session.id);
    match before {
        Some(entry) if changes.retired => {
            rows.retire(entry.row, session)?;
            stage.remove(entry);
        }
        Some(entry) => {
            rows.update(entry.row, session)?;
            stage.put(Entry::new(entry.row, session), session.clone());
        }
        None => {
            let row = rows.insert(session)?;
            stage.put(Entry::new(row, session), session.clone());
        }
    }
    let outbox = changes.effects.iter().filter_map(|effect| match effect {
        Effect::Notify(event) if event.sink.is_some() => Some(rows.notify(event)),
        _ => None,
    });
    let outbox = outbox.collect::<Result<_, _>>()?;
    let deadline = session.deadline().filter(|_| !changes.retired);
    Ok(Committed { session: session.id, created: before.is_none(), changes, outbox, deadline })
}
