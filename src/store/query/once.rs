//! What was done before under a key: a look before the work, so that a retry does not analyse an
//! answer again. The check that counts is in `apply`.

use rusqlite::{Connection, OptionalExtension, params};

use super::Fault;
use crate::domain::command::Outcome;
use crate::domain::limit;
use crate::domain::time::Time;

/// The first outcome under this key, and the fingerprint of its request.
pub fn find(
    db: &Connection,
    scope: &str,
    key: &str,
    at: Time,
) -> Result<Option<(String, Outcome)>, Fault> {
    let found: Option<(String, String)> = db
        .prepare_cached(
            "SELECT fingerprint, outcome FROM once
             WHERE scope = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)",
        )?
        .query_row(params![scope, key, at.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found
        .map(|(fingerprint, outcome)| Ok((fingerprint, serde_json::from_str(&outcome)?)))
        .transpose()
}

/// How many results of requests are kept for somebody, counted no further than the bound. Those of
/// frames belong to their room.
pub fn count_of(db: &Connection, scope: &str, at: Time) -> Result<usize, Fault> {
    let count: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM
             (SELECT 1 FROM once WHERE scope = ?1 AND expires_at > ?2 LIMIT ?3)",
        )?
        .query_row(
            params![scope, at.0, limit::IDEMPOTENCY_RESULTS_OF_PERSON_MAX as i64],
            |row| row.get(0),
        )?;
    Ok(count as usize)
}

/// How many there are in all, counted no further than the bound.
pub fn count(db: &Connection, at: Time) -> Result<usize, Fault> {
    let count: i64 = db
        .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM once WHERE expires_at > ?1 LIMIT ?2)")?
        .query_row(params![at.0, limit::IDEMPOTENCY_RESULTS_MAX as i64], |row| row.get(0))?;
    Ok(count as usize)
}
