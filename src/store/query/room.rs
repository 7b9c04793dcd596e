//! A room from its rows.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};

use super::{Fault, event, id, optional_id, optional_time, time, word};
use crate::domain::id::InterviewId;
use crate::domain::interview::{Kind, Part, Plan, Question};
use crate::domain::room::{self, Room};

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

/// The room as it was after the act whose first event this is, or when it was made (0).
pub fn after_act(db: &Connection, interview: InterviewId, seq: u64) -> Result<Option<Room>, Fault> {
    let Some(now) = load(db, interview)? else { return Ok(None) };
    let events = event::up_to(db, interview, seq)?;
    let last = events.last().map_or(0, |event| event.seq);
    if last == now.last_seq {
        return Ok(Some(now));
    }
    let Room { plan, questions, .. } = now;
    // Whoever makes a room is in it alone; everybody else came by an event.
    let part = if plan.kind == Kind::Practice { Part::Candidate } else { Part::Interviewer };
    let members = BTreeMap::from([(plan.owner, part)]);
    let questions = questions
        .into_iter()
        .filter(|question| {
            was_planned(question, &plan) || question.asked_seq.is_some_and(|asked| asked <= last)
        })
        .map(|question| Question {
            asked_seq: None,
            answer_id: None,
            skipped_seq: None,
            ..question
        })
        .collect();
    let mut room = Room::new(plan, members, questions);
    for event in &events {
        room::fold(&mut room, event);
    }
    Ok(Some(room))
}

/// Whether a question was there from the beginning. Ids sort by the time of their making, and those
/// of planned questions are made right before their interview's; a follow-up has no such id.
fn was_planned(question: &Question, plan: &Plan) -> bool {
    question.id.0.get_version_num() == 7 && question.id.0 < plan.id.0
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
