//! Building the index at the start. One thread reads the rows and another puts them in, because
//! either takes about as long, and there may be millions.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};

use greenwave_core::{DeviceKey, IdentifierKey};
use rusqlite::Connection;

use super::file::{self, Storage};
use super::row;
use crate::LedgerError;
use crate::index::{Entry, Index};

/// How many entries are handed over at a time.
const PORTION: usize = 4_096;

/// How many portions may wait.
const WAITING: usize = 8;

/// Reads all that the index has to know.
pub(super) fn load(storage: &Storage, path: &Path) -> Result<Index, LedgerError> {
    let db = file::open_reader(storage, path)?;
    let mut index = Index::default();
    let (send, receive) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            read(&db, &send)?;
            Ok::<_, LedgerError>(db)
        });
        for portion in receive {
            let portion: Vec<Entry> = portion;
            portion.into_iter().for_each(|entry| index.put(entry));
        }
        let failed = |_| LedgerError::Corrupt { what: "row, reading which came to no end" };
        let db = reading.join().map_err(failed)??;
        load_aliases(&db, &mut index)
    })?;
    Ok(index)
}

fn read(db: &Connection, send: &SyncSender<Vec<Entry>>) -> Result<(), LedgerError> {
    let mut portion = Vec::with_capacity(PORTION);
    row::scan(db, |entry| {
        portion.push(entry);
        if portion.len() == PORTION {
            // Whoever takes them is there until all are taken.
            let _ = send.send(std::mem::replace(&mut portion, Vec::with_capacity(PORTION)));
        }
    })?;
    let _ = send.send(portion);
    Ok(())
}

fn load_aliases(db: &Connection, index: &mut Index) -> Result<(), LedgerError> {
    let mut statement = db.prepare("SELECT identifier, device FROM aliases")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        index.learn(IdentifierKey(row.get(0)?), DeviceKey(row.get(1)?));
    }
    Ok(())
}
