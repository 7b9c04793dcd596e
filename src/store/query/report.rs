//! Stored reports.

use rusqlite::{Connection, OptionalExtension, params};

use super::Fault;
use crate::domain::id::{InterviewId, PersonId};

/// The reports of somebody's newest practices, oldest of them first, as JSON texts.
pub fn of_practices(
    db: &Connection,
    person: PersonId,
    items_max: usize,
) -> Result<Vec<String>, Fault> {
    let mut bodies: Vec<String> = db
        .prepare_cached(
            "SELECT r.body FROM member AS m JOIN interview AS i ON i.id = m.interview
             JOIN report AS r ON r.interview = i.id
             WHERE m.person = ?1 AND i.owner = ?1 AND i.kind = 'practice' AND r.score IS NOT NULL
             ORDER BY m.interview DESC LIMIT ?2",
        )?
        .query_map(params![person.to_string(), items_max as i64], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    bodies.reverse();
    Ok(bodies)
}

/// The report of an interview as JSON text, once it was made.
pub fn body(db: &Connection, interview: InterviewId) -> Result<Option<String>, Fault> {
    let body = db
        .prepare_cached("SELECT body FROM report WHERE interview = ?1")?
        .query_row(params![interview.to_string()], |row| row.get(0))
        .optional()?;
    Ok(body)
}
