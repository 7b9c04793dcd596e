//! A room from its rows.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};

use super::{Fault, id, optional_id, optional_time, time, word};
use crate::domain::id::InterviewId;
use crate::domain::interview::{Part, Plan, Question};
use crate::domain::room::Room;

/// The room with this id, as after its last event.
pub fn load(db: &Connection, interview: InterviewId) -> Result<Option<Room>, Fault> {
    let key = interview.to_string();
    let found = db
        .prepare_cached(
            "SELECT *, EXISTS (SELECT 1 FROM report WHERE interview = interview.id) AS reported
             FROM interview WHERE id = ?1",
        )?
        .query_row([&key], room)
        .optional()?;
    let Some(mut room) = found else {
        return Ok(None);
    };
    room.members = db
        .prepare_cached("SELECT person, part FROM member WHERE interview = ?1")?
        .query_map([&key], |row| Ok((id(row, "person")?, word::<Part>(row, "part")?)))?
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    let mut statement = db.prepare_cached(
        // All columns: below level 4 there is no `skipped_seq`.
        "SELECT * FROM question
         WHERE interview = ?1 ORDER BY position",
    )?;
    for row in
        statement.query_map([&key], |row| Ok((question(row)?, row.get::<_, String>("focus")?)))?
    {
        let (mut question, focus) = row?;
        question.focus = serde_json::from_str(&focus)?;
        room.questions.push(question);
    }
    Ok(Some(room))
}

fn room(row: &Row<'_>) -> Result<Room, rusqlite::Error> {
    let plan = Plan {
        id: id(row, "id")?,
        owner: id(row, "owner")?,
        kind: word(row, "kind")?,
        title: row.get("title")?,
        role: row.get("role")?,
        mode: row.get("mode")?,
        kit_id: row.get("kit_id")?,
        auto_ask: row.get("auto_ask")?,
        created_at: time(row, "created_at")?,
        scheduled_at: optional_time(row, "scheduled_at")?,
    };
    let mut room = Room::new(plan, BTreeMap::new(), Vec::new());
    room.state = word(row, "state")?;
    room.last_seq = row.get::<_, i64>("last_seq")? as u64;
    room.started_at = optional_time(row, "started_at")?;
    room.finished_at = optional_time(row, "finished_at")?;
    room.report_ready = row.get("reported")?;
    Ok(room)
}

fn question(row: &Row<'_>) -> Result<Question, rusqlite::Error> {
    Ok(Question {
        id: id(row, "id")?,
        text: row.get("text")?,
        competency: row.get("competency")?,
        focus: Vec::new(),
        asked_seq: row.get::<_, Option<i64>>("asked_seq")?.map(|seq| seq as u64),
        answer_id: optional_id(row, "answer_id")?,
        skipped_seq: match row.get::<_, Option<i64>>("skipped_seq") {
            Err(rusqlite::Error::InvalidColumnName(_)) => None,
            seq => seq?.map(|seq| seq as u64),
        },
    })
}
