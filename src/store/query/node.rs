//! The nodes of the cluster, and the authority that signs their certificates. A state of a level
//! below them has none.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{Fault, level, optional_time};
use crate::domain::time::Time;

/// The cluster's certificate authority.
#[derive(Clone)]
pub struct Authority {
    /// Its certificate (PEM).
    pub certificate: String,
    /// Its key (PEM).
    pub key: String,
}

/// A node, as the state knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: u64,
    /// SHA-256 of its public key.
    pub public_key: String,
    /// Where other nodes reach it; empty if it never said.
    pub cluster: String,
    /// Where people reach it.
    pub http: String,
    /// When it was removed.
    pub retired_at: Option<Time>,
}

const NODE: &str = "SELECT id, public_key, cluster, http, retired_at FROM node";

/// The authority, once there is one.
pub fn authority(db: &Connection) -> Result<Option<Authority>, Fault> {
    if !level::keeps_nodes(db)? {
        return Ok(None);
    }
    let found = db
        .query_row("SELECT certificate, key FROM authority", [], |row| {
            Ok(Authority { certificate: row.get(0)?, key: row.get(1)? })
        })
        .optional()?;
    Ok(found)
}

/// A node, removed or not.
pub fn by_id(db: &Connection, id: u64) -> Result<Option<Node>, Fault> {
    if !level::keeps_nodes(db)? {
        return Ok(None);
    }
    let found = db
        .prepare_cached(&format!("{NODE} WHERE id = ?1"))?
        .query_row([id as i64], node)
        .optional()?;
    Ok(found)
}

/// The nodes that were not removed, by id.
pub fn active(db: &Connection) -> Result<Vec<Node>, Fault> {
    if !level::keeps_nodes(db)? {
        return Ok(Vec::new());
    }
    let mut statement =
        db.prepare_cached(&format!("{NODE} WHERE retired_at IS NULL ORDER BY id"))?;
    let nodes = statement.query_map([], node)?.collect::<Result<_, _>>()?;
    Ok(nodes)
}

/// The highest id that was ever given.
pub fn highest(db: &Connection) -> Result<u64, Fault> {
    if !level::keeps_nodes(db)? {
        return Ok(0);
    }
    let highest: Option<i64> = db.query_row("SELECT max(id) FROM node", [], |row| row.get(0))?;
    Ok(highest.unwrap_or(0) as u64)
}

fn node(row: &Row<'_>) -> Result<Node, rusqlite::Error> {
    Ok(Node {
        id: row.get::<_, i64>("id")? as u64,
        public_key: row.get("public_key")?,
        cluster: row.get("cluster")?,
        http: row.get("http")?,
        retired_at: optional_time(row, "retired_at")?,
    })
}
