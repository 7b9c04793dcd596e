//! What was done before under a key: a look before the work, so that a retry does not analyse an
//! answer again. The check that counts is in `apply`.

use rusqlite::{Connection, OptionalExtension, params};

use super::Fault;
use crate::domain::command::{Once, Outcome};
use crate::domain::time::Time;

/// The first outcome under this key, and the fingerprint of its request.
pub fn find(db: &Connection, once: &Once, at: Time) -> Result<Option<(String, Outcome)>, Fault> {
    let found: Option<(String, String)> = db
        .prepare_cached(
            "SELECT fingerprint, outcome FROM once
             WHERE scope = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)",
        )?
        .query_row(params![once.scope, once.key, at.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found
        .map(|(fingerprint, outcome)| Ok((fingerprint, serde_json::from_str(&outcome)?)))
        .transpose()
}
