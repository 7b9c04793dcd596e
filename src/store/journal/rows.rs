//! Rows of the journal and their sums.
//!
//! SQLite keeps checksums in the write-ahead log and none in the database itself, where a flipped
//! bit would be read as if it had been written. The key is part of the sum, so that a row that has
//! changed its place is found as well.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::store::Fault;

/// What an operator can do about a journal that the disk has changed.
const NEXT: &str = "on a node of a larger cluster: `greenroom cluster remove` it on another node, \
    empty this data directory and let it join again; on a node that is alone: \
    `greenroom cluster recover` goes on with what the state holds, or restore the newest backup";

/// A fault that says what the disk has done to the journal, and what to do now.
pub(super) fn damage(what: &str) -> Fault {
    Fault::damaged(format!("the journal is damaged: {what}; {NEXT}"))
}

/// The same where SQLite noticed; any other error stays what it is.
pub(super) fn fault(error: rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, Unknown};
    // Our statements are right: one that is not understood stands before a changed schema.
    let misread = matches!(error, rusqlite::Error::SqlInputError { .. });
    match error.sqlite_error_code() {
        _ if misread => damage(&format!("its schema is not as it was ({error})")),
        Some(DatabaseCorrupt | NotADatabase | Unknown) => {
            damage(&format!("its file is no longer a sound database ({error})"))
        }
        _ => Fault::new("the journal's database refused a statement", error),
    }
}

/// The sum of an entry.
pub(super) fn entry_sum(index: i64, payload: &[u8]) -> i64 {
    crc32c::crc32c_append(crc32c::crc32c(&index.to_le_bytes()), payload).into()
}

/// Keeps a marker in the place of the one before.
pub(super) fn put_marker(
    db: &Connection,
    name: &str,
    payload: &[u8],
) -> Result<(), rusqlite::Error> {
    db.prepare_cached("INSERT OR REPLACE INTO marker (name, payload, sum) VALUES (?1, ?2, ?3)")?
        .execute(params![name, payload, marker_sum(name, payload)])?;
    Ok(())
}

/// A marker, checked.
pub(super) fn marker(db: &Connection, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let found: Option<(Vec<u8>, Option<i64>)> = db
        .prepare_cached("SELECT payload, sum FROM marker WHERE name = ?1")
        .map_err(fault)?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(fault)?;
    match found {
        Some((payload, sum)) if sum == Some(marker_sum(name, &payload)) => Ok(Some(payload)),
        Some(_) => Err(damage(&format!("the disk has changed its marker `{name}`"))),
        None => Ok(None),
    }
}

/// Hands over the entries from one index to before another, each checked and none left out
/// between two others.
pub(super) fn scan(
    db: &Connection,
    from: i64,
    to: i64,
    mut take: impl FnMut(i64, Vec<u8>),
) -> Result<(), Fault> {
    let mut statement = db
        .prepare_cached(
            "SELECT idx, payload, sum FROM entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
        )
        .map_err(fault)?;
    let mut rows = statement.query(params![from, to]).map_err(fault)?;
    let mut before = None;
    while let Some(row) = rows.next().map_err(fault)? {
        let (index, payload) = entry(row)?;
        if let Some(before) = before
            && index != before + 1
        {
            return Err(damage(&format!("the entries between {before} and {index} are gone")));
        }
        before = Some(index);
        take(index, payload);
    }
    Ok(())
}

/// Gives every row its sum: what an older Greenroom wrote has none.
pub(super) fn seal(db: &Connection) -> Result<(), rusqlite::Error> {
    let mut indices = db.prepare("SELECT idx FROM entry")?;
    let mut entry = db.prepare("SELECT payload FROM entry WHERE idx = ?1")?;
    let mut put = db.prepare("UPDATE entry SET sum = ?2 WHERE idx = ?1")?;
    for index in indices.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()? {
        let payload: Vec<u8> = entry.query_row([index], |row| row.get(0))?;
        put.execute(params![index, entry_sum(index, &payload)])?;
    }
    let markers: Vec<(String, Vec<u8>)> = db
        .prepare("SELECT name, payload FROM marker")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (name, payload) in markers {
        put_marker(db, &name, &payload)?;
    }
    Ok(())
}

fn entry(row: &Row<'_>) -> Result<(i64, Vec<u8>), Fault> {
    let index: i64 = row.get(0).map_err(fault)?;
    // A flipped bit may change the type of a column too.
    let read = || -> rusqlite::Result<(Vec<u8>, Option<i64>)> { Ok((row.get(1)?, row.get(2)?)) };
    match read() {
        Ok((payload, sum)) if sum == Some(entry_sum(index, &payload)) => Ok((index, payload)),
        _ => Err(damage(&format!("the disk has changed its entry {index}"))),
    }
}

fn marker_sum(name: &str, payload: &[u8]) -> i64 {
    // The zero byte keeps a name's end and a payload's beginning apart.
    let name = crc32c::crc32c_append(crc32c::crc32c(name.as_bytes()), &[0]);
    crc32c::crc32c_append(name, payload).into()
}
