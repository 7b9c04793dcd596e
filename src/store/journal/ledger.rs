//! The journal's database: opened with every check, written in one transaction at a time.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, params};

use super::rows::{self, damage, fault};
use super::witness::Witness;
use super::{PURGED, signed, wal};
use crate::store::{Fault, schema};

/// The writing side of the database.
pub(super) struct Ledger {
    db: Connection,
    extent: Extent,
    witness: Witness,
}

/// Indices of the first and the last entry, if there is one.
pub(super) type Bounds = Option<(u64, u64)>;

/// What the journal says about itself, in each of its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    /// Transactions so far.
    written: u64,
    /// Entries up to here have gone; -1 at the beginning.
    purged: i64,
}

/// The extent's marker.
const EXTENT: &str = "extent";

/// Purged entries that go with one write. All at once, tens of megabytes would be put on the list
/// of free pages while somebody waits for the write behind. Where a write adds many, twice as many
/// go, so that the rest becomes less.
const REMOVED_PER_WRITE: i64 = 256;

/// Where the witness of a journal lies.
pub(super) fn witness_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-count");
    PathBuf::from(name)
}

impl Ledger {
    /// Opens or makes the database. Every row is read once: what is damaged shall be known before
    /// this node promises anything.
    pub(super) fn open(path: &Path) -> Result<(Ledger, Bounds, u64), Fault> {
        wal::check(path)?;
        let (witness, counted) = Witness::open(&witness_path(path))?;
        let mut db = connect(path)?;
        let sound: String =
            db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fault)?;
        if sound != "ok" {
            return Err(damage(&format!("its file is no longer a sound database ({sound})")));
        }
        read_migrations(&db)?;
        schema::migrate(&mut db, schema::JOURNAL)?;
        let extent = match extent(&db)? {
            Some(extent) => extent,
            None if counted.is_some_and(|counted| counted > 0) || has_sums(&db)? => {
                let what = match counted {
                    Some(counted) => format!("{counted} transactions of it are gone"),
                    None => "what it says about itself is gone".to_owned(),
                };
                return Err(damage(&what));
            }
            None => begin(&mut db).map_err(fault)?,
        };
        if let Some(counted) = counted
            && counted > extent.written
        {
            return Err(damage(&format!(
                "its last {} transactions are gone, with what was acknowledged in them",
                counted - extent.written
            )));
        }
        let (bounds, bytes) = check(&db, extent)?;
        witness.note(extent.written);
        witness.sync();
        Ok((Ledger { db, extent, witness }, bounds, bytes))
    }

    /// Writes in one transaction and makes it durable.
    pub(super) fn write(
        &mut self,
        fill: impl FnOnce(&mut Page<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), rusqlite::Error> {
        let tx = self.db.transaction()?;
        let mut page = Page { tx, extent: self.extent, added: 0 };
        fill(&mut page)?;
        let Page { tx, mut extent, added } = page;
        extent.written += 1;
        tx.prepare_cached(
            "DELETE FROM entry WHERE idx IN
                (SELECT idx FROM entry WHERE idx <= ?1 ORDER BY idx LIMIT ?2)",
        )?
        .execute(params![extent.purged, REMOVED_PER_WRITE.max(2 * added)])?;
        rows::put_marker(&tx, EXTENT, &extent.form())?;
        tx.commit()?;
        self.extent = extent;
        self.witness.note(extent.written);
        Ok(())
    }

    /// Writes the whole database anew, so that nothing of what was removed is left on its free
    /// pages or in the write-ahead log. After a purge there is little to write.
    pub(super) fn scrub(&mut self) -> Result<(), rusqlite::Error> {
        self.db.execute("DELETE FROM entry WHERE idx <= ?1", [self.extent.purged])?;
        // What is copied on the way must not lie in a folder for temporary files.
        self.db.pragma_update(None, "temp_store", "memory")?;
        self.db.execute_batch("VACUUM")?;
        let busy: i64 =
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        self.witness.sync();
        match busy {
            0 => Ok(()),
            _ => Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                Some("somebody else reads it".to_owned()),
            )),
        }
    }

    /// Moves what is in the write-ahead log into the database, and makes the count durable.
    pub(super) fn checkpoint(&self) -> Result<(), rusqlite::Error> {
        checkpoint(&self.db)?;
        self.witness.sync();
        Ok(())
    }
}

/// Moves what is in the write-ahead log into the database; a reader in the way only puts it off.
pub(super) fn checkpoint(db: &Connection) -> Result<(), rusqlite::Error> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// A transaction that is being filled.
pub(super) struct Page<'a> {
    tx: Transaction<'a>,
    extent: Extent,
    added: i64,
}

impl Page<'_> {
    /// Keeps an entry.
    pub(super) fn entry(&mut self, index: u64, payload: &[u8]) -> Result<(), rusqlite::Error> {
        let index = signed(index);
        self.added += 1;
        self.tx
            .prepare_cached("INSERT OR REPLACE INTO entry (idx, payload, sum) VALUES (?1, ?2, ?3)")?
            .execute(params![index, payload, rows::entry_sum(index, payload)])?;
        Ok(())
    }

    /// Keeps a marker.
    pub(super) fn marker(&self, name: &str, payload: &[u8]) -> Result<(), rusqlite::Error> {
        rows::put_marker(&self.tx, name, payload)
    }

    /// Removes the entries above an index.
    pub(super) fn truncate(&self, index: i64) -> Result<(), rusqlite::Error> {
        self.tx.prepare_cached("DELETE FROM entry WHERE idx > ?1")?.execute([index])?;
        Ok(())
    }

    /// Says that the entries up to an index do not count any more; they go by and by.
    pub(super) fn purge(&mut self, upto: u64, marker: &[u8]) -> Result<(), rusqlite::Error> {
        self.extent.purged = self.extent.purged.max(signed(upto));
        self.marker(PURGED, marker)
    }
}

impl Extent {
    fn form(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.written.to_le_bytes());
        bytes[8..].copy_from_slice(&self.purged.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Extent> {
        let written = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
        let purged = i64::from_le_bytes(bytes.get(8..)?.try_into().ok()?);
        Some(Extent { written, purged })
    }
}

/// Readies a journal for a Greenroom that knows no sums: it would take purged rows for entries, and
/// a later one would miss what that one did not count.
pub(in crate::store) fn prepare_lowering(db: &Connection, path: &Path) -> Result<(), Fault> {
    if let Some(extent) = extent(db)? {
        db.execute("DELETE FROM entry WHERE idx <= ?1", [extent.purged]).map_err(fault)?;
    }
    let witness = witness_path(path);
    match std::fs::remove_file(&witness) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Fault::new(format!("cannot remove {}", witness.display()), error))
        }
        _ => Ok(()),
    }
}

/// A connection with the journal's promises.
pub(super) fn connect(path: &Path) -> Result<Connection, Fault> {
    let db = Connection::open(path)
        .map_err(|e| Fault::new(format!("cannot open {}", path.display()), e))?;
    db.pragma_update(None, "journal_mode", "wal").map_err(fault)?;
    db.pragma_update(None, "synchronous", "full").map_err(fault)?;
    db.pragma_update(None, "wal_autocheckpoint", 0).map_err(fault)?;
    Ok(db)
}

/// Reads the list of migrations, so that a damaged one is called so.
fn read_migrations(db: &Connection) -> Result<(), Fault> {
    let read = |sql: &str| -> rusqlite::Result<Vec<String>> {
        db.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let list = "SELECT version || name || sha256 FROM migration ORDER BY version";
    read("SELECT name FROM sqlite_schema WHERE name = 'migration'")
        .and_then(|there| if there.is_empty() { Ok(there) } else { read(list) })
        .map(drop)
        .map_err(|error| damage(&format!("its list of migrations cannot be read ({error})")))
}

fn extent(db: &Connection) -> Result<Option<Extent>, Fault> {
    let Some(bytes) = rows::marker(db, EXTENT)? else { return Ok(None) };
    let extent = Extent::read(&bytes).ok_or_else(|| damage("what it says about itself is short"));
    extent.map(Some)
}

/// Whether any row was written with a sum.
fn has_sums(db: &Connection) -> Result<bool, Fault> {
    db.query_row(
        "SELECT EXISTS (SELECT 1 FROM entry WHERE sum IS NOT NULL)
             OR EXISTS (SELECT 1 FROM marker WHERE sum IS NOT NULL)",
        [],
        |row| row.get(0),
    )
    .map_err(fault)
}

/// Takes over a new journal, or one of a Greenroom that knew no sums.
fn begin(db: &mut Connection) -> Result<Extent, rusqlite::Error> {
    let tx = db.transaction()?;
    rows::seal(&tx)?;
    let first: Option<i64> = tx.query_row("SELECT min(idx) FROM entry", [], |row| row.get(0))?;
    let extent = Extent { written: 1, purged: first.map_or(-1, |first| first - 1) };
    rows::put_marker(&tx, EXTENT, &extent.form())?;
    tx.commit()?;
    Ok(extent)
}

/// Reads every row that counts; the bytes of the entries among them.
fn check(db: &Connection, extent: Extent) -> Result<(Bounds, u64), Fault> {
    let names: Vec<String> = db
        .prepare("SELECT name FROM marker")
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect())
        .map_err(fault)?;
    for name in names {
        rows::marker(db, &name)?;
    }
    let (mut bounds, mut bytes) = (Bounds::None, 0);
    rows::scan(db, extent.purged + 1, i64::MAX, |index, payload| {
        bytes += payload.len() as u64;
        let index = index.unsigned_abs();
        bounds = Some((bounds.map_or(index, |(first, _)| first), index));
    })?;
    Ok((bounds, bytes))
}
