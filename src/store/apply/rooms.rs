//! Acts in rooms: `domain::room` decides, the rows follow.

use rusqlite::{Connection, params};

use crate::domain::command::{Envelope, Outcome};
use crate::domain::event::{Event, Happening};
use crate::domain::id::InterviewId;
use crate::domain::interview::Kind;
use crate::domain::refusal::Refusal;
use crate::domain::room::{self, Act, Room};

use super::super::query;
use super::super::state::Applied;
use super::{Rooms, Step, audit, interviews};

/// Applies an act. It is refused before anything is written, because it may have no savepoint.
pub(super) fn act(
    db: &Connection,
    rooms: &mut Rooms,
    envelope: &Envelope,
    interview: InterviewId,
    act: &Act,
) -> Step<Applied> {
    let room = rooms.take(db, interview)?.ok_or_else(|| Refusal::not_found("interview"))?;
    if let Act::AddMember { person, .. } = act
        && query::person::by_id(db, *person)?.is_none()
    {
        rooms.keep(room);
        return Err(Refusal::not_found("person").into());
    }
    if let Some(refusal) = declined(db, &room, envelope, act)? {
        rooms.keep(room);
        return Err(refusal.into());
    }
    let happenings = match room::decide(&room, envelope.by, act) {
        Ok(happenings) => happenings,
        Err(refusal) => {
            rooms.keep(room);
            return Err(refusal.into());
        }
    };
    let (room, events) = write(db, room, envelope, happenings)?;
    write_besides(db, envelope, interview, act, events.first())?;
    rooms.keep(room);
    let outcome = outcome(act, events.first());
    Ok(Applied { outcome: Some(outcome), events: Some((interview, events)) })
}

/// Of somebody who has declined nothing said is kept.
fn declined(db: &Connection, room: &Room, envelope: &Envelope, act: &Act) -> Step<Option<Refusal>> {
    let keeps_words = matches!(act, Act::Say { .. } | Act::Answer { .. });
    let Some(by) = envelope.by.filter(|_| keeps_words && room.plan.kind == Kind::Live) else {
        return Ok(None);
    };
    let declined = query::privacy::declined(db, room.plan.id)?.contains(&by);
    Ok(declined.then(room::declined))
}

/// What happened, as events and in the room's rows.
fn write(
    db: &Connection,
    mut room: Room,
    envelope: &Envelope,
    happenings: Vec<Happening>,
) -> Step<(Room, Vec<Event>)> {
    let mut events = Vec::with_capacity(happenings.len());
    for (n, what) in happenings.into_iter().enumerate() {
        // What follows by itself, such as the next question, is nobody's act.
        let by = if n == 0 { envelope.by } else { None };
        let event = Event { seq: room.last_seq + 1, at: envelope.at, by, what };
        room::fold(&mut room, &event);
        write_event(db, room.plan.id, &event)?;
        write_change(db, &room, &event)?;
        events.push(event);
    }
    write_room(db, &room)?;
    Ok((room, events))
}

fn outcome(act: &Act, first: Option<&Event>) -> Outcome {
    let (mut question, mut answer, mut note) = (None, None, None);
    match act {
        Act::Ask { question_id, .. } | Act::Next { question_id, .. } => {
            question = Some(*question_id);
        }
        Act::Answer { answer_id, .. } => answer = Some(*answer_id),
        Act::Note { note_id, .. } => note = Some(*note_id),
        _ => {}
    }
    let seq = first.map(|event| event.seq);
    Outcome::Acted { seq, question_id: question, answer_id: answer, note_id: note }
}

fn write_event(db: &Connection, interview: InterviewId, event: &Event) -> Step<()> {
    let (kind, data) = query::event::columns(&event.what)?;
    db.prepare_cached(
        "INSERT INTO event (interview, seq, at, by, kind, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        interview.to_string(),
        event.seq as i64,
        event.at.0,
        event.by.map(|person| person.to_string()),
        kind,
        data
    ])?;
    Ok(())
}

fn write_change(db: &Connection, room: &Room, event: &Event) -> Step<()> {
    let interview = room.plan.id.to_string();
    match &event.what {
        Happening::Asked { question_id, .. } => {
            let updated = db
                .prepare_cached("UPDATE question SET asked_seq = ?2 WHERE id = ?1")?
                .execute(params![question_id.to_string(), event.seq as i64])?;
            if updated == 0 {
                let position = room.questions.len() - 1;
                interviews::insert_question(db, &interview, position, &room.questions[position])?;
            }
        }
        Happening::Skipped { question_id } => {
            db.prepare_cached("UPDATE question SET skipped_seq = ?2 WHERE id = ?1")?
                .execute(params![question_id.to_string(), event.seq as i64])?;
        }
        Happening::Answered { answer_id, question_id, .. } => {
            db.prepare_cached("UPDATE question SET answer_id = ?2 WHERE id = ?1")?
                .execute(params![question_id.to_string(), answer_id.to_string()])?;
        }
        Happening::MemberAdded { person_id, part } => {
            db.prepare_cached(
                "INSERT OR REPLACE INTO member (interview, person, part) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![interview, person_id.to_string(), part.as_str()])?;
        }
        Happening::MemberRemoved { person_id } => {
            db.prepare_cached("DELETE FROM member WHERE interview = ?1 AND person = ?2")?
                .execute(params![interview, person_id.to_string()])?;
        }
        Happening::Started {}
        | Happening::Said { .. }
        | Happening::Finished {}
        | Happening::Cancelled {}
        | Happening::ReportReady {} => {}
    }
    Ok(())
}

fn write_room(db: &Connection, room: &Room) -> Step<()> {
    db.prepare_cached(
        "UPDATE interview SET state = ?2, started_at = ?3, finished_at = ?4, last_seq = ?5
         WHERE id = ?1",
    )?
    .execute(params![
        room.plan.id.to_string(),
        room.state.as_str(),
        room.started_at.map(|at| at.0),
        room.finished_at.map(|at| at.0),
        room.last_seq as i64
    ])?;
    Ok(())
}

/// What an act keeps besides its events: the whole answer with its analysis, the note, the report.
fn write_besides(
    db: &Connection,
    envelope: &Envelope,
    interview: InterviewId,
    act: &Act,
    first: Option<&Event>,
) -> Step<()> {
    let (interview_id, by) = (interview.to_string(), envelope.by.map(|person| person.to_string()));
    match act {
        Act::Answer { .. } => write_answer(db, envelope, interview, act, first)?,
        Act::Note { note_id, text, question_id } => {
            db.prepare_cached(
                "INSERT INTO note (id, interview, by, at, text, question_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                note_id.to_string(),
                interview_id,
                by,
                envelope.at.0,
                text,
                question_id.map(|id| id.to_string())
            ])?;
        }
        Act::ReportReady { report, score } => {
            db.prepare_cached(
                "INSERT INTO report (interview, at, score, body) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                interview_id,
                envelope.at.0,
                score.map(|s| s.0),
                report
            ])?;
        }
        Act::AddMember { .. } | Act::RemoveMember { .. } => {
            audit::record(db, envelope, "interview.members", &interview_id)?;
        }
        Act::Lapse { .. } => audit::record(db, envelope, "interview.lapsed", &interview_id)?,
        Act::Start {}
        | Act::Finish {}
        | Act::Cancel {}
        | Act::Ask { .. }
        | Act::Next { .. }
        | Act::Skip { .. }
        | Act::Say { .. } => {}
    }
    Ok(())
}

fn write_answer(
    db: &Connection,
    envelope: &Envelope,
    interview: InterviewId,
    act: &Act,
    first: Option<&Event>,
) -> Step<()> {
    let Act::Answer { answer_id, question_id, text, words, duration_s, analysis } = act else {
        return Ok(());
    };
    let words = words.as_ref().map(serde_json::to_string).transpose()?;
    let analysis = analysis.as_ref().map(serde_json::to_string).transpose()?;
    db.prepare_cached(
        "INSERT INTO answer (id, interview, question_id, person, seq, at, text, words,
         duration_ms, analysis) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        answer_id.to_string(),
        interview.to_string(),
        question_id.to_string(),
        envelope.by.map(|person| person.to_string()),
        first.map(|event| event.seq as i64),
        envelope.at.0,
        text,
        words,
        duration_s.map(|seconds| seconds.0),
        analysis
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::{Command, NewPerson};
    use crate::domain::id::PersonId;
    use crate::domain::interview::{Kind, Member, Part, Plan};
    use crate::domain::person::Role;
    use crate::domain::refusal::Code;
    use crate::domain::text::Email;
    use crate::domain::time::Time;
    use crate::store::state::{Entry, Payload, State};

    fn id<T: std::str::FromStr>(n: u8) -> T
    where
        T::Err: std::fmt::Debug,
    {
        format!("019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a{n:02x}").parse().unwrap()
    }

    /// No check looks for a note with the same id; only the schema does.
    #[test]
    fn an_act_that_stops_half_way_leaves_nothing_and_those_beside_it_stay() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("state.db")).unwrap();
        let (person, interview): (PersonId, InterviewId) = (id(1), id(2));
        let add = Command::AddPerson {
            person: Box::new(NewPerson {
                id: person,
                email: Email::parse("email", "a@b.org").unwrap(),
                display_name: "A".to_owned(),
                role: Role::Interviewer,
                password_hash: Some("hash".to_owned()),
                invite_expires_at: None,
            }),
        };
        let plan = Plan {
            id: interview,
            owner: person,
            kind: Kind::Live,
            title: "Round".to_owned(),
            role: None,
            mode: None,
            kit_id: None,
            auto_ask: false,
            created_at: Time(1),
            scheduled_at: None,
        };
        let members = vec![Member { person, part: Part::Interviewer }];
        let create =
            Command::CreateInterview { plan: Box::new(plan), members, questions: Vec::new() };
        let act = |act| Command::Act { interview, act: Box::new(act) };
        let note = || act(Act::Note { note_id: id(3), text: "N".to_owned(), question_id: None });
        let say = || act(Act::Say { text: "S".to_owned(), question_id: None, words: None });
        let commands = [add, create, act(Act::Start {}), note(), say(), note(), say()];
        let envelopes = commands
            .map(|command| Envelope { by: Some(person), ..Envelope::own(Time(1), command) });
        let batch: Vec<_> = envelopes
            .iter()
            .map(|envelope| Entry { log_id: vec![1], what: Payload::Command(envelope) })
            .collect();
        let outcomes: Vec<Outcome> =
            state.apply(&batch).unwrap().into_iter().filter_map(|done| done.outcome).collect();
        let seqs: Vec<Option<u64>> = outcomes[2..]
            .iter()
            .map(|outcome| match outcome {
                Outcome::Acted { seq, .. } => *seq,
                Outcome::Refused { refusal } if refusal.code == Code::ConflictState => Some(99),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(seqs, [Some(1), None, Some(2), Some(99), Some(3)]);
        let events: i64 = state
            .read(|db| Ok(db.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?))
            .unwrap();
        assert_eq!(events, 3);
    }
}
