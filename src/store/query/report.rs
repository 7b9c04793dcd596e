//! Stored reports.

use rusqlite::{Connection, OptionalExtension, params};

use super::Fault;
use crate::domain::id::InterviewId;

/// The report of an interview as JSON text, once it was made.
pub fn body(db: &Connection, interview: InterviewId) -> Result<Option<String>, Fault> {
    let body = db
        .prepare_cached("SELECT body FROM report WHERE interview = ?1")?
        .query_row(params![interview.to_string()], |row| row.get(0))
        .optional()?;
    Ok(body)
}
