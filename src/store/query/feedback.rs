//! What people thought of reports.

use rusqlite::{Connection, params};

use super::{Fault, id, time};
use crate::domain::id::{FeedbackId, InterviewId, PersonId};
use crate::domain::time::Time;

/// A judgement on one report.
#[derive(Clone, Debug)]
pub struct StoredFeedback {
    /// Which.
    pub id: FeedbackId,
    /// On which interview.
    pub interview: InterviewId,
    /// When.
    pub at: Time,
    /// Whether the report felt right.
    pub accurate: bool,
    /// In words.
    pub note: Option<String>,
}

/// A person's newest judgements, newest first.
pub fn of_person(
    db: &Connection,
    person: PersonId,
    items_max: usize,
) -> Result<Vec<StoredFeedback>, Fault> {
    let given = db
        .prepare_cached(
            "SELECT * FROM feedback WHERE person = ?1 ORDER BY at DESC, id DESC LIMIT ?2",
        )?
        .query_map(params![person.to_string(), items_max as i64], |row| {
            Ok(StoredFeedback {
                id: id(row, "id")?,
                interview: id(row, "interview")?,
                at: time(row, "at")?,
                accurate: row.get("accurate")?,
                note: row.get("note")?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(given)
}
