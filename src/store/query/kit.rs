//! Kits of the organisation.

use rusqlite::{Connection, OptionalExtension, params};

use super::Fault;
use crate::domain::kit::Kit;

/// The newest version of every kit.
pub fn list(db: &Connection) -> Result<Vec<Kit>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT body FROM kit AS k
         WHERE version = (SELECT max(version) FROM kit WHERE id = k.id) ORDER BY id",
    )?;
    let mut kits = Vec::new();
    for body in statement.query_map([], |row| row.get::<_, String>(0))? {
        kits.push(serde_json::from_str(&body?)?);
    }
    Ok(kits)
}

/// The newest version of one kit.
pub fn newest(db: &Connection, id: &str) -> Result<Option<Kit>, Fault> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM kit WHERE id = ?1 ORDER BY version DESC LIMIT 1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

/// One version of one kit.
pub fn version(db: &Connection, id: &str, version: u32) -> Result<Option<Kit>, Fault> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM kit WHERE id = ?1 AND version = ?2")?
        .query_row(params![id, version], |row| row.get(0))
        .optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

/// The newest version's number.
pub fn newest_version(db: &Connection, id: &str) -> Result<Option<u32>, Fault> {
    let version = db
        .prepare_cached("SELECT max(version) FROM kit WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    Ok(version)
}

/// How many kits there are.
pub fn count(db: &Connection) -> Result<usize, Fault> {
    let count: i64 = db.query_row("SELECT count(DISTINCT id) FROM kit", [], |row| row.get(0))?;
    Ok(count as usize)
}
