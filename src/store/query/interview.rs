//! Lists of interviews, answers, notes.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Fault, id, optional_id, optional_time, time, word};
use crate::domain::analysis::{Analysis, TimedWord};
use crate::domain::id::{AnswerId, InterviewId, NoteId, PersonId, QuestionId};
use crate::domain::interview::{Kind, State};
use crate::domain::number::Milli;
use crate::domain::time::Time;

/// One line of a list.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Which.
    pub id: InterviewId,
    /// Practice or live.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// What people call it.
    pub title: String,
    /// The role that it is about.
    pub role: Option<String>,
    /// The calibration mode.
    pub mode: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// The last event's place.
    pub last_seq: u64,
    /// Whether the report can be read.
    pub report_ready: bool,
    /// The report's score.
    pub score: Option<Milli>,
}

/// A stored answer with its analysis.
#[derive(Clone, Debug)]
pub struct StoredAnswer {
    /// Which.
    pub id: AnswerId,
    /// To which question.
    pub question_id: QuestionId,
    /// The question's words.
    pub question: String,
    /// The event.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// The answer.
    pub text: String,
    /// What the engine said then.
    pub analysis: Option<Analysis>,
}

/// A stored note.
#[derive(Clone, Debug)]
pub struct StoredNote {
    /// Which.
    pub id: NoteId,
    /// When.
    pub at: Time,
    /// By whom.
    pub by: PersonId,
    /// The note.
    pub text: String,
    /// On which question.
    pub question_id: Option<QuestionId>,
}

/// Interviews of a member, newest first, before an id.
pub fn of_member(
    db: &Connection,
    person: PersonId,
    before: Option<InterviewId>,
    items_max: usize,
) -> Result<Vec<Summary>, Fault> {
    let before = before.map_or_else(|| "~".to_owned(), |id| id.to_string());
    let summaries = db
        .prepare_cached(
            "SELECT i.*, r.score AS score, r.interview IS NOT NULL AS reported
             FROM member AS m JOIN interview AS i ON i.id = m.interview
             LEFT JOIN report AS r ON r.interview = i.id
             WHERE m.person = ?1 AND m.interview < ?2 ORDER BY m.interview DESC LIMIT ?3",
        )?
        .query_map(params![person.to_string(), before, items_max as i64], summary)?
        .collect::<Result<_, _>>()?;
    Ok(summaries)
}

/// The answers of an interview in order.
pub fn answers(db: &Connection, interview: InterviewId) -> Result<Vec<StoredAnswer>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT a.id, a.question_id, q.text AS question, a.seq, a.at, a.text, a.analysis
         FROM answer AS a JOIN question AS q ON q.id = a.question_id
         WHERE a.interview = ?1 ORDER BY a.seq",
    )?;
    let mut answers = Vec::new();
    let rows = statement.query_map([interview.to_string()], |row| {
        let answer = StoredAnswer {
            id: id(row, "id")?,
            question_id: id(row, "question_id")?,
            question: row.get("question")?,
            seq: row.get::<_, i64>("seq")? as u64,
            at: time(row, "at")?,
            text: row.get("text")?,
            analysis: None,
        };
        Ok((answer, row.get::<_, Option<String>>("analysis")?))
    })?;
    for row in rows {
        let (mut answer, analysis) = row?;
        answer.analysis = analysis.map(|text| serde_json::from_str(&text)).transpose()?;
        answers.push(answer);
    }
    Ok(answers)
}

/// The analysis of one answer.
pub fn analysis(db: &Connection, answer: AnswerId) -> Result<Option<Analysis>, Fault> {
    let text: Option<Option<String>> = db
        .prepare_cached("SELECT analysis FROM answer WHERE id = ?1")?
        .query_row([answer.to_string()], |row| row.get(0))
        .optional()?;
    Ok(text.flatten().map(|text| serde_json::from_str(&text)).transpose()?)
}

/// An answer of a person.
#[derive(Clone, Debug)]
pub struct OwnAnswer {
    /// Which.
    pub id: AnswerId,
    /// In which interview.
    pub interview: InterviewId,
    /// The answer.
    pub text: String,
}

/// What a person answered before, newest first, within one kind of interview: practice and hiring
/// are separate domains of data.
pub fn own_answers(
    db: &Connection,
    person: PersonId,
    kind: Kind,
    items_max: usize,
) -> Result<Vec<OwnAnswer>, Fault> {
    let answers = db
        .prepare_cached(
            "SELECT a.id, a.interview, a.text
             FROM answer AS a JOIN interview AS i ON i.id = a.interview
             WHERE a.person = ?1 AND i.kind = ?2 ORDER BY a.at DESC, a.id DESC LIMIT ?3",
        )?
        .query_map(params![person.to_string(), kind.as_str(), items_max as i64], |row| {
            Ok(OwnAnswer {
                id: id(row, "id")?,
                interview: id(row, "interview")?,
                text: row.get("text")?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(answers)
}

/// An answer with all that it was analysed from, but for what its speaker brought along.
#[derive(Clone, Debug)]
pub struct WholeAnswer {
    /// The question's words.
    pub question: String,
    /// The answer.
    pub text: String,
    /// When each word was said.
    pub words: Option<Vec<TimedWord>>,
    /// How long it took.
    pub duration: Option<Milli>,
    /// The interview's mode.
    pub mode: Option<String>,
    /// The interview's kind.
    pub kind: Kind,
    /// What the engine said then.
    pub analysis: Option<Analysis>,
}

/// The newest answers of everybody, newest first.
pub fn newest_answers(db: &Connection, items_max: usize) -> Result<Vec<WholeAnswer>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT q.text AS question, a.text, a.words, a.duration_ms, a.analysis, i.mode, i.kind
         FROM answer AS a JOIN question AS q ON q.id = a.question_id
         JOIN interview AS i ON i.id = a.interview ORDER BY a.id DESC LIMIT ?1",
    )?;
    let mut answers = Vec::new();
    let mut rows = statement.query([items_max as i64])?;
    while let Some(row) = rows.next()? {
        let (words, analysis): (Option<String>, Option<String>) =
            (row.get("words")?, row.get("analysis")?);
        answers.push(WholeAnswer {
            question: row.get("question")?,
            text: row.get("text")?,
            words: words.map(|text| serde_json::from_str(&text)).transpose()?,
            duration: row.get::<_, Option<i64>>("duration_ms")?.map(Milli),
            mode: row.get("mode")?,
            kind: word(row, "kind")?,
            analysis: analysis.map(|text| serde_json::from_str(&text)).transpose()?,
        });
    }
    Ok(answers)
}

/// Finished interviews whose report is still missing.
pub fn unreported(db: &Connection, items_max: usize) -> Result<Vec<InterviewId>, Fault> {
    let ids = db
        .prepare_cached(
            "SELECT id FROM interview AS i WHERE state = 'finished'
             AND NOT EXISTS (SELECT 1 FROM report WHERE interview = i.id) ORDER BY id LIMIT ?1",
        )?
        .query_map([items_max as i64], |row| id(row, "id"))?
        .collect::<Result<_, _>>()?;
    Ok(ids)
}

/// An interview that everybody has forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Forgotten {
    /// Which.
    pub interview: InterviewId,
    /// Its last event.
    pub seen: u64,
}

/// Live interviews without an event since one moment, and those that should have begun before
/// another and have not.
pub fn forgotten(
    db: &Connection,
    quiet_since: Time,
    due_before: Time,
    items_max: usize,
) -> Result<Vec<Forgotten>, Fault> {
    // SQLite takes a partial index only where its own condition stands in the query, word for word.
    let found = db
        .prepare_cached(
            "SELECT i.id, i.last_seq FROM interview AS i
             WHERE i.state IN ('scheduled', 'lobby', 'live') AND i.state = 'live'
                 AND COALESCE((SELECT e.at FROM event AS e
                 WHERE e.interview = i.id AND e.seq = i.last_seq), i.created_at) < ?1
             UNION ALL
             SELECT i.id, i.last_seq FROM interview AS i
             WHERE i.state IN ('scheduled', 'lobby', 'live') AND i.state <> 'live'
                 AND MAX(i.created_at, COALESCE(i.scheduled_at, 0)) < ?2
             LIMIT ?3",
        )?
        .query_map(params![quiet_since.0, due_before.0, items_max as i64], |row| {
            let seen = row.get::<_, i64>("last_seq")? as u64;
            Ok(Forgotten { interview: id(row, "id")?, seen })
        })?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

/// The notes of an interview in order.
pub fn notes(db: &Connection, interview: InterviewId) -> Result<Vec<StoredNote>, Fault> {
    let notes = db
        .prepare_cached("SELECT * FROM note WHERE interview = ?1 ORDER BY at, id")?
        .query_map([interview.to_string()], |row| {
            Ok(StoredNote {
                id: id(row, "id")?,
                at: time(row, "at")?,
                by: id(row, "by")?,
                text: row.get("text")?,
                question_id: optional_id(row, "question_id")?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(notes)
}

fn summary(row: &Row<'_>) -> Result<Summary, rusqlite::Error> {
    Ok(Summary {
        id: id(row, "id")?,
        kind: word(row, "kind")?,
        state: word(row, "state")?,
        title: row.get("title")?,
        role: row.get("role")?,
        mode: row.get("mode")?,
        created_at: time(row, "created_at")?,
        started_at: optional_time(row, "started_at")?,
        finished_at: optional_time(row, "finished_at")?,
        last_seq: row.get::<_, i64>("last_seq")? as u64,
        report_ready: row.get("reported")?,
        score: row.get::<_, Option<i64>>("score")?.map(Milli),
    })
}
