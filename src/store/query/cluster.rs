//! The cluster's identity.

use rusqlite::{Connection, OptionalExtension};

use super::{Fault, id};
use crate::domain::id::ClusterId;
use crate::domain::time::Time;

/// Who this cluster is, with its secrets.
#[derive(Clone)]
pub struct Identity {
    /// Its id.
    pub cluster_id: ClusterId,
    /// The key that signs access tokens.
    pub signing_key: String,
    /// The key that links are derived from.
    pub link_key: String,
    /// The organisation; `None` until setup.
    pub organisation: Option<String>,
}

/// The identity, once the cluster was founded.
pub fn identity(db: &Connection) -> Result<Option<Identity>, Fault> {
    let found = db
        .prepare_cached("SELECT id, signing_key, link_key, organisation FROM cluster")?
        .query_row([], |row| {
            Ok(Identity {
                cluster_id: id(row, "id")?,
                signing_key: row.get("signing_key")?,
                link_key: row.get("link_key")?,
                organisation: row.get("organisation")?,
            })
        })
        .optional()?;
    Ok(found)
}

/// The time of the newest command that was applied.
pub fn newest_time(db: &Connection) -> Result<Time, Fault> {
    let newest: Option<i64> =
        db.query_row("SELECT newest_at FROM clock", [], |row| row.get(0)).optional()?;
    Ok(Time(newest.unwrap_or(0)))
}

/// When the cluster was founded.
pub fn founded_at(db: &Connection) -> Result<Option<Time>, Fault> {
    let founded =
        db.query_row("SELECT founded_at FROM cluster", [], |row| row.get(0)).optional()?;
    Ok(founded.map(Time))
}
