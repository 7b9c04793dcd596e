//! Files that people brought along.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Fault, id, level, time};
use crate::domain::id::{FileId, PersonId};
use crate::domain::time::Time;

/// The purpose of a CV.
pub const CV: &str = "cv";

/// The level that keeps files.
const SINCE: u32 = 3;

/// A whole file, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Which.
    pub id: FileId,
    /// Its name on the person's machine.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Since when it is here.
    pub at: Time,
}

/// A person's file of a purpose; a state of a level that keeps no files has none.
pub fn of(db: &Connection, owner: PersonId, purpose: &str) -> Result<Option<File>, Fault> {
    if level::current(db)? < SINCE {
        return Ok(None);
    }
    let found = db
        .prepare_cached("SELECT * FROM file WHERE owner = ?1 AND purpose = ?2")?
        .query_row(params![owner.to_string(), purpose], |row| {
            Ok(File {
                id: id(row, "id")?,
                name: row.get("name")?,
                media_type: row.get("media_type")?,
                bytes: row.get::<_, i64>("bytes")? as u64,
                sha256: row.get("sha256")?,
                at: time(row, "at")?,
            })
        })
        .optional()?;
    Ok(found)
}

/// The bytes of a file.
pub fn content(db: &Connection, file: &File) -> Result<Vec<u8>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT content FROM file_part WHERE file = ?1 ORDER BY number")?;
    let parts = statement.query_map([file.id.to_string()], |row| row.get::<_, Vec<u8>>(0))?;
    let mut content = Vec::with_capacity(file.bytes as usize);
    for part in parts {
        content.extend(part?);
    }
    if content.len() as u64 != file.bytes {
        return Err(Fault::plain(format!(
            "file {} has {} bytes of its {}",
            file.id,
            content.len(),
            file.bytes
        )));
    }
    Ok(content)
}
