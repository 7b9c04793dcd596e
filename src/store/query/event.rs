//! Events as they are stored, and as JSON the same for everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::{Fault, optional_id, time};
use crate::domain::event::{Event, Happening};
use crate::domain::id::{InterviewId, PersonId, QuestionId};
use crate::domain::interview::{Because, Question, Turn};
use crate::domain::limit;
use crate::domain::room::Room;
use crate::domain::time::Time;

/// An event with its data as JSON text: what was stored is what is sent, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the room.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// By whom.
    pub by: Option<PersonId>,
    /// Its kind.
    pub kind: Arc<str>,
    /// Its data as JSON.
    pub data: Arc<str>,
}

impl StoredEvent {
    /// The form in which an event that was just made would be read back.
    pub fn of(event: &Event) -> Result<StoredEvent, Fault> {
        let (kind, data) = columns(&event.what)?;
        Ok(StoredEvent {
            seq: event.seq,
            at: event.at,
            by: event.by,
            kind: kind.into(),
            data: data.into(),
        })
    }

    /// The event as one JSON object with these first members, for instance `"type":"event",`.
    pub fn json(&self, first: &str) -> String {
        let by = self.by.map_or_else(|| "null".to_owned(), |person| format!("\"{person}\""));
        format!(
            "{{{first}\"seq\":{},\"at\":\"{}\",\"kind\":\"{}\",\"by\":{by},\"data\":{}}}",
            self.seq, self.at, self.kind, self.data
        )
    }
}

/// Events after a place, in order.
pub fn after(
    db: &Connection,
    interview: InterviewId,
    seq: u64,
    items_max: usize,
) -> Result<Vec<StoredEvent>, Fault> {
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let events = db
        .prepare_cached(
            "SELECT seq, at, by, kind, data FROM event
             WHERE interview = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )?
        .query_map(params![interview.to_string(), seq, items_max as i64], |row| {
            Ok(StoredEvent {
                seq: row.get::<_, i64>("seq")? as u64,
                at: time(row, "at")?,
                by: optional_id(row, "by")?,
                kind: row.get::<_, String>("kind")?.into(),
                data: row.get::<_, String>("data")?.into(),
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(events)
}

/// The questions that wait for an answer and to which somebody has said something, as far as the
/// newest events tell: it is shown, and no rule hangs on it.
pub fn begun(db: &Connection, room: &Room) -> Result<BTreeSet<QuestionId>, Fault> {
    let open = |question: &&Question| matches!(question.turn(false), Turn::Asked);
    let Some(first) = room.questions.iter().filter(open).filter_map(|q| q.asked_seq).min() else {
        return Ok(BTreeSet::new());
    };
    let since = first.max(room.last_seq.saturating_sub(limit::EVENTS_PAGE_MAX as u64));
    let mut statement = db.prepare_cached(
        "SELECT DISTINCT json_extract(data, '$.question_id') AS question FROM event
         WHERE interview = ?1 AND seq > ?2 AND seq <= ?3 AND kind = 'transcript.final'",
    )?;
    let place = params![room.plan.id.to_string(), since as i64, room.last_seq as i64];
    let rows = statement.query_map(place, |row| optional_id(row, "question"))?;
    Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// The questions that were chosen for somebody, each with the reason.
pub fn chosen(
    db: &Connection,
    interview: InterviewId,
) -> Result<BTreeMap<QuestionId, Because>, Fault> {
    #[derive(serde::Deserialize)]
    struct Data {
        question_id: QuestionId,
        because: Because,
    }
    let mut statement = db.prepare_cached(
        "SELECT data FROM event WHERE interview = ?1 AND kind = 'question.asked'
         AND json_extract(data, '$.because') IS NOT NULL ORDER BY seq",
    )?;
    let rows = statement.query_map([interview.to_string()], |row| row.get::<_, String>(0))?;
    let mut chosen = BTreeMap::new();
    for row in rows {
        let Data { question_id, because } = serde_json::from_str(&row?)?;
        chosen.insert(question_id, because);
    }
    Ok(chosen)
}

/// What somebody said on a question since it was asked, joined: the answer, if the frame has no
/// text.
pub fn said(
    db: &Connection,
    interview: InterviewId,
    person: PersonId,
    since_seq: u64,
    items_max: usize,
) -> Result<String, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT json_extract(data, '$.text') FROM event
         WHERE interview = ?1 AND by = ?2 AND seq > ?3 AND kind = 'transcript.final'
         ORDER BY seq LIMIT ?4",
    )?;
    let since = i64::try_from(since_seq).unwrap_or(i64::MAX);
    let rows = statement.query_map(
        params![interview.to_string(), person.to_string(), since, items_max as i64],
        |row| row.get::<_, String>(0),
    )?;
    let parts: Vec<String> = rows.collect::<Result<_, _>>()?;
    Ok(parts.join(" "))
}

/// The events of a room up to one and what followed from the same act, without what was said: it
/// changes nothing in the room.
pub(super) fn up_to(
    db: &Connection,
    interview: InterviewId,
    seq: u64,
) -> Result<Vec<Event>, Fault> {
    let mut statement = db.prepare_cached(
        // What follows by itself is nobody's, at the same moment; the report is an act of its own.
        "SELECT seq, at, by, kind, data FROM event
         WHERE interview = ?1 AND kind <> 'transcript.final' AND (seq <= ?2 OR (
             by IS NULL AND kind <> 'report.ready'
             AND at = (SELECT at FROM event WHERE interview = ?1 AND seq = ?2)
         ))
         ORDER BY seq",
    )?;
    let rows = statement.query_map(params![interview.to_string(), seq as i64], |row| {
        let kind: String = row.get("kind")?;
        let data: String = row.get("data")?;
        let happening = format!("{{\"kind\":{kind:?},\"data\":{data}}}");
        let (seq, at) = (row.get::<_, i64>("seq")? as u64, time(row, "at")?);
        Ok((seq, at, optional_id(row, "by")?, happening))
    })?;
    let mut events = Vec::new();
    for row in rows {
        let (seq, at, by, happening) = row?;
        events.push(Event { seq, at, by, what: serde_json::from_str(&happening)? });
    }
    Ok(events)
}

/// The columns of a happening: its kind and its data.
pub(in crate::store) fn columns(what: &Happening) -> Result<(String, String), Fault> {
    #[derive(serde::Deserialize)]
    struct Columns {
        kind: String,
        data: Box<serde_json::value::RawValue>,
    }
    let Columns { kind, data } = serde_json::from_str(&serde_json::to_string(what)?)?;
    Ok((kind, data.get().to_owned()))
}
