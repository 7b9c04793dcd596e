//! Everything that is kept about one person, table by table, for a file that they take away.
//!
//! Whole rows, so that a column that is added later is in it by itself; what is left out is named
//! here: secrets, and what others wrote.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, ToSql};
use serde_json::{Map, Value};

use super::{Fault, level};
use crate::domain::id::{InterviewId, PersonId};
use crate::domain::time::{Day, Time};

/// A name in the file, and what stands there.
pub type Part = (&'static str, Vec<Value>);

/// Columns that open something, or count only for the machine.
const SECRETS: [&str; 4] = ["password_hash", "token_hash", "invite_generation", "secret"];

/// Columns that hold JSON.
const DOCUMENTS: [&str; 6] = ["analysis", "data", "body", "words", "focus", "counts"];

/// What is kept about the account: name, query with the person's id, level that brought the table.
const ACCOUNT: [(&str, &str, u32); 10] = [
    ("account", "SELECT * FROM person WHERE id = ?1", 1),
    ("context", "SELECT * FROM context WHERE person = ?1", 1),
    ("sign-ins", "SELECT * FROM session WHERE person = ?1 ORDER BY created_at", 1),
    ("feedback", "SELECT * FROM feedback WHERE person = ?1 ORDER BY at", 1),
    (
        "audit",
        "SELECT seq, at, request_id, action, subject FROM audit WHERE by = ?1 ORDER BY seq",
        1,
    ),
    ("files", "SELECT * FROM file WHERE owner = ?1", 3),
    ("outside-identities", "SELECT * FROM outside_identity WHERE person = ?1", 6),
    ("api-tokens", "SELECT * FROM api_token WHERE person = ?1", 8),
    ("consents", "SELECT * FROM consent WHERE person = ?1 ORDER BY at", 7),
    ("legal-holds", "SELECT id, at, ended_at FROM hold WHERE person = ?1 ORDER BY at", 7),
];

/// What is kept about an interview; the person's own words and what everybody in it sees.
const INTERVIEW: [(&str, &str); 7] = [
    ("interview", "SELECT * FROM interview WHERE id = ?1 AND ?2 = ?2"),
    (
        "members",
        "SELECT m.part, p.display_name, m.person FROM member AS m
                 JOIN person AS p ON p.id = m.person WHERE m.interview = ?1 AND ?2 = ?2",
    ),
    (
        "questions",
        "SELECT * FROM question WHERE interview = ?1 AND ?2 = ?2
                   AND asked_seq IS NOT NULL ORDER BY position",
    ),
    ("events", "SELECT * FROM event WHERE interview = ?1 AND ?2 = ?2 ORDER BY seq"),
    (
        "answers",
        "SELECT a.id, a.question_id, a.seq, a.at, a.text, a.words, a.duration_ms,
                        CASE i.kind WHEN 'practice' THEN a.analysis END AS analysis
                 FROM answer AS a JOIN interview AS i ON i.id = a.interview
                 WHERE a.interview = ?1 AND a.person = ?2 ORDER BY a.seq",
    ),
    ("notes", "SELECT * FROM note WHERE interview = ?1 AND by = ?2 ORDER BY at"),
    ("shares", "SELECT * FROM share WHERE interview = ?1 AND by = ?2 ORDER BY created_at"),
];

/// What is kept about the account.
pub fn account(db: &Connection, person: PersonId) -> Result<Vec<Part>, Fault> {
    let level = level::current(db)?;
    let id = person.to_string();
    let known = ACCOUNT.into_iter().filter(|(_, _, since)| *since <= level);
    known.map(|(name, sql, _)| Ok((name, rows(db, sql, &[&id])?))).collect()
}

/// The interviews that somebody is in, the oldest first.
pub fn interviews(db: &Connection, person: PersonId) -> Result<Vec<InterviewId>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT interview FROM member WHERE person = ?1 ORDER BY interview")?;
    let found = statement.query_map([person.to_string()], |row| super::id(row, "interview"))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// What is kept of one of them.
pub fn interview(
    db: &Connection,
    interview: InterviewId,
    person: PersonId,
) -> Result<Vec<Part>, Fault> {
    let (interview, person) = (interview.to_string(), person.to_string());
    let parts = INTERVIEW.into_iter();
    parts.map(|(name, sql)| Ok((name, rows(db, sql, &[&interview, &person])?))).collect()
}

fn rows(db: &Connection, sql: &str, ids: &[&dyn ToSql]) -> Result<Vec<Value>, Fault> {
    let mut statement = db.prepare_cached(sql)?;
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut found = statement.query(ids)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(object(row, &columns)?);
    }
    Ok(rows)
}

fn object(row: &Row<'_>, columns: &[String]) -> Result<Value, Fault> {
    let mut object = Map::new();
    for (n, column) in columns.iter().enumerate() {
        if SECRETS.contains(&column.as_str()) {
            continue;
        }
        let value = match row.get_ref(n)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(at) if column == "at" || column.ends_with("_at") => {
                Value::from(Time(at).to_string())
            }
            ValueRef::Integer(day) if column.ends_with("_on") => Value::from(Day(day).to_string()),
            ValueRef::Integer(number) => Value::from(number),
            ValueRef::Real(number) => Value::from(number),
            ValueRef::Text(text) if DOCUMENTS.contains(&column.as_str()) => {
                serde_json::from_slice(text)?
            }
            ValueRef::Text(text) => Value::from(String::from_utf8_lossy(text)),
            // Files are in the archive as they are.
            ValueRef::Blob(_) => continue,
        };
        object.insert(column.clone(), value);
    }
    Ok(Value::Object(object))
}
