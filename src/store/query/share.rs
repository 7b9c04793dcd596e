//! Share links.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Fault, id, optional_time, time};
use crate::domain::id::{InterviewId, ShareId};
use crate::domain::time::Time;

/// A share link as its owner sees it; the token is not stored.
#[derive(Clone, Debug)]
pub struct StoredShare {
    /// Which.
    pub id: ShareId,
    /// Of which interview.
    pub interview: InterviewId,
    /// When it was made.
    pub created_at: Time,
    /// Until when it holds.
    pub expires_at: Time,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

/// The links of an interview, newest first.
pub fn list(
    db: &Connection,
    interview: InterviewId,
    items_max: usize,
) -> Result<Vec<StoredShare>, Fault> {
    let shares = db
        .prepare_cached(
            "SELECT * FROM share WHERE interview = ?1 ORDER BY created_at DESC, id DESC LIMIT ?2",
        )?
        .query_map(params![interview.to_string(), items_max as i64], share)?
        .collect::<Result<_, _>>()?;
    Ok(shares)
}

/// The link with this token's hash, whether it still holds or not.
pub fn by_token_hash(db: &Connection, hash: &str) -> Result<Option<StoredShare>, Fault> {
    let found = db
        .prepare_cached("SELECT * FROM share WHERE token_hash = ?1")?
        .query_row([hash], share)
        .optional()?;
    Ok(found)
}

/// How many links of an interview hold at a moment.
pub(in crate::store) fn alive(
    db: &Connection,
    interview: InterviewId,
    at: Time,
) -> Result<usize, Fault> {
    let count: i64 = db.query_row(
        "SELECT count(*) FROM share
         WHERE interview = ?1 AND revoked_at IS NULL AND expires_at > ?2",
        params![interview.to_string(), at.0],
        |row| row.get(0),
    )?;
    Ok(count as usize)
}

fn share(row: &Row<'_>) -> Result<StoredShare, rusqlite::Error> {
    Ok(StoredShare {
        id: id(row, "id")?,
        interview: id(row, "interview")?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
        revoked_at: optional_time(row, "revoked_at")?,
    })
}
