//! All that a ledger's file holds, as a text that can be compared.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// A line for each row. What has no tables yet is like what has no rows.
pub(crate) fn read(directory: &Path) -> Result<String, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    of(&Connection::open_with_flags(directory.join("ledger.db"), flags)?)
}

pub(crate) fn of(db: &Connection) -> Result<String, rusqlite::Error> {
    // SQLite does not care about the case of a name.
    // `erased` has its row from the beginning, and nothing is erased here.
    let tables = "SELECT lower(name) FROM sqlite_schema
                  WHERE type = 'table' AND lower(name) <> 'erased' ORDER BY 1";
    let mut statement = db.prepare(tables)?;
    let tables: Vec<String> =
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut text = String::new();
    for table in tables {
        let mut statement = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            text.push_str(&table);
            for column in 0..columns {
                text.push_str(" | ");
                text.push_str(&field(row.get_ref(column)?));
            }
            text.push('\n');
        }
    }
    Ok(text)
}

fn field(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    }
}
