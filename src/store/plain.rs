//! Plain SQLite beside which our figures stand: one row a transaction, each on disk when it
//! returns.
//!
//! Only `greenroom bench` uses it. It is here because this folder alone knows the database's crate.

use std::path::Path;

use rusqlite::{Connection, params};

use super::Fault;

/// A table with one writer, WAL and `synchronous=FULL`, as most programs use SQLite.
pub struct PlainRows {
    db: Connection,
}

impl PlainRows {
    /// Opens or makes it.
    pub fn open(path: &Path) -> Result<PlainRows, Fault> {
        let db = Connection::open(path)
            .map_err(|e| Fault::new(format!("cannot open {}", path.display()), e))?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        db.execute_batch(
            "CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT",
        )?;
        Ok(PlainRows { db })
    }

    /// Adds a row; it is on disk when this comes back.
    pub fn add(&self, payload: &[u8]) -> Result<(), Fault> {
        self.db
            .prepare_cached("INSERT INTO row (payload) VALUES (?1)")?
            .execute(params![payload])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_outlive_the_connection() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plain.db");
        for _ in 0..2 {
            PlainRows::open(&path).unwrap().add(b"row").unwrap();
        }
        let db = PlainRows::open(&path).unwrap().db;
        let rows: i64 = db.query_row("SELECT count(*) FROM row", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 2);
    }
}
