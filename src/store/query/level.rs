//! The schema's level, and what lowering it would cost.

use rusqlite::{Connection, OptionalExtension};

use super::{Fault, node};
use crate::store::schema::{self, Loss};

/// The level of the state.
pub fn current(db: &Connection) -> Result<u32, Fault> {
    Ok(schema::level(db)?)
}

/// The level from which the state came to the one that it has: where undoing leads. `None` for the
/// first.
pub fn before(db: &Connection) -> Result<Option<u32>, Fault> {
    let level = current(db)?;
    if level <= schema::FIRST {
        return Ok(None);
    }
    let subject: Option<String> = db
        .prepare_cached("SELECT subject FROM audit WHERE action = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([RAISED], |row| row.get(0))
        .optional()?;
    // Without its row in the audit log a level came alone.
    let from = subject.as_deref().and_then(|subject| match subject.split_once(" to ") {
        Some((from, to)) if to.parse() == Ok(level) => from.parse().ok(),
        _ => None,
    });
    Ok(Some(from.filter(|from| (schema::FIRST..level).contains(from)).unwrap_or(level - 1)))
}

/// What lowering the state to a level would destroy.
pub fn losses(db: &Connection, to: u32) -> Result<Vec<Loss>, Fault> {
    schema::losses(db, to)
}

/// Whether the state is of a level that keeps nodes; below it there can be no second one.
pub fn keeps_nodes(db: &Connection) -> Result<bool, Fault> {
    Ok(current(db)? >= NODES_SINCE)
}

/// Why the nodes of the cluster keep the state from being lowered to a level, if they do.
pub fn kept_by_nodes(db: &Connection, to: u32) -> Result<Option<String>, Fault> {
    let last = node::highest(db)?;
    Ok((to < NODES_SINCE && last > 1).then(|| {
        format!(
            "node {last} was admitted to this cluster: below level {NODES_SINCE} its id would be \
             forgotten, and an id is never given twice"
        )
    }))
}

/// The level that keeps nodes.
const NODES_SINCE: u32 = 2;

/// The audit log's word for raising.
pub(in crate::store) const RAISED: &str = "upgrade.raise";

/// The audit log's word for lowering.
pub(in crate::store) const LOWERED: &str = "upgrade.lower";
