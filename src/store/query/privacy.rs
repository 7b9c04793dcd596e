//! Consents, retention, legal holds, receipts of erasure.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{Fault, id, optional_id, optional_time, time};
use crate::domain::id::{InterviewId, PersonId};
use crate::domain::level;
use crate::domain::privacy::{Counts, Kept, Rule};
use crate::domain::time::Time;

/// The id of the row that stands for people who were erased, where a reference cannot be empty.
pub const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// One answer to the question of consent.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Who.
    pub person: PersonId,
    /// Yes or no.
    pub given: bool,
    /// The sentence that was shown.
    pub text: String,
    /// Its SHA-256.
    pub sha256: String,
    /// When.
    pub at: Time,
}

/// A legal hold.
#[derive(Clone, Debug)]
pub struct Hold {
    /// Which.
    pub id: Uuid,
    /// Of whom, if of a person.
    pub person: Option<PersonId>,
    /// Of what, if of an interview.
    pub interview: Option<InterviewId>,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Time,
    /// Until when.
    pub ended_at: Option<Time>,
}

/// A receipt.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Its place among all.
    pub seq: u64,
    /// Its id.
    pub receipt: Uuid,
    /// The id of whoever was erased; none if retention did it.
    pub person: Option<PersonId>,
    /// When.
    pub at: Time,
    /// How many of what.
    pub counts: Counts,
}

/// What retention says goes now.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// Interviews that have been over for long enough.
    pub interviews: Vec<InterviewId>,
    /// People whose CV and job description have not changed for long enough.
    pub contexts: Vec<PersonId>,
}

fn knows(db: &Connection) -> Result<bool, Fault> {
    Ok(super::level::current(db)? >= level::TRUST)
}

/// The answers about consent in an interview, of everybody or one person, in order.
pub fn consents(
    db: &Connection,
    interview: InterviewId,
    person: Option<PersonId>,
) -> Result<Vec<Consent>, Fault> {
    if !knows(db)? {
        return Ok(Vec::new());
    }
    let person = person.map(|id| id.to_string());
    let mut statement = db.prepare_cached(
        "SELECT * FROM consent WHERE interview = ?1 AND person = coalesce(?2, person)
         ORDER BY person, number",
    )?;
    let rows = statement.query_map(params![interview.to_string(), person], |row| {
        Ok(Consent {
            person: id(row, "person")?,
            given: row.get("given")?,
            text: row.get("text")?,
            sha256: row.get("sha256")?,
            at: time(row, "at")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// People who have said that their words in this interview may not be kept.
pub fn declined(db: &Connection, interview: InterviewId) -> Result<Vec<PersonId>, Fault> {
    let mut last: Vec<Consent> = Vec::new();
    for consent in consents(db, interview, None)? {
        match last.last_mut() {
            Some(before) if before.person == consent.person => *before = consent,
            _ => last.push(consent),
        }
    }
    Ok(last.iter().filter(|consent| !consent.given).map(|consent| consent.person).collect())
}

/// The rules in force.
pub fn retention(db: &Connection) -> Result<Vec<Rule>, Fault> {
    if !knows(db)? {
        return Ok(Vec::new());
    }
    let mut statement = db.prepare_cached("SELECT kind, days FROM retention ORDER BY kind")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut rules = Vec::new();
    for row in rows {
        let (kind, days): (String, u32) = row?;
        let kind = Kept::ALL.into_iter().find(|known| known.as_str() == kind);
        rules.extend(kind.map(|kind| Rule { kind, days }));
    }
    Ok(rules)
}

/// All legal holds, the newest first.
pub fn holds(db: &Connection) -> Result<Vec<Hold>, Fault> {
    if !knows(db)? {
        return Ok(Vec::new());
    }
    let mut statement = db.prepare_cached("SELECT * FROM hold ORDER BY at DESC, id DESC")?;
    let rows = statement.query_map([], |row| {
        Ok(Hold {
            id: super::parse(&row.get::<_, String>("id")?)?,
            person: optional_id(row, "person")?,
            interview: optional_id(row, "interview")?,
            reason: row.get("reason")?,
            at: time(row, "at")?,
            ended_at: optional_time(row, "ended_at")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether a hold keeps this person's data: one of the person, or of an interview with them in it.
pub fn is_held(db: &Connection, person: PersonId) -> Result<bool, Fault> {
    let held = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM hold WHERE ended_at IS NULL AND (person = ?1
            OR interview IN (SELECT interview FROM member WHERE person = ?1)))",
        [person.to_string()],
        |row| row.get(0),
    )?;
    Ok(held)
}

/// Live interviews that are not over and would have no interviewer left without this person.
pub fn left_alone(db: &Connection, person: PersonId) -> Result<Vec<InterviewId>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT id FROM interview AS i
         WHERE owner = ?1 AND kind = 'live' AND state IN ('scheduled', 'lobby', 'live')
           AND NOT EXISTS (SELECT 1 FROM member WHERE interview = i.id AND person <> ?1
                           AND part = 'interviewer')
         ORDER BY id",
    )?;
    let rows = statement.query_map([person.to_string()], |row| id(row, "id"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What goes now, of each kind so many at most.
pub fn due(db: &Connection, now: Time, items_max: usize) -> Result<Due, Fault> {
    let mut due = Due::default();
    let most = i64::try_from(items_max).unwrap_or(i64::MAX);
    for rule in retention(db)? {
        let before = now.plus_ms(-i64::from(rule.days) * DAY_MS).0;
        match rule.kind {
            Kept::Practice | Kept::Live => {
                let mut statement = db.prepare_cached(
                    "SELECT id FROM interview AS i
                     WHERE kind = ?1 AND state IN ('finished', 'cancelled')
                       AND coalesce(finished_at, created_at) <= ?2
                       AND NOT EXISTS (SELECT 1 FROM hold WHERE ended_at IS NULL
                           AND (interview = i.id OR person IN
                               (SELECT person FROM member WHERE interview = i.id)))
                     ORDER BY id LIMIT ?3",
                )?;
                let kind = rule.kind.as_str();
                for row in statement.query_map(params![kind, before, most], |row| id(row, "id"))? {
                    due.interviews.push(row?);
                }
            }
            Kept::Cv => {
                let mut statement = db.prepare_cached(
                    "SELECT person FROM context AS c WHERE updated_at <= ?1
                       AND NOT EXISTS (SELECT 1 FROM hold
                           WHERE ended_at IS NULL AND person = c.person)
                     ORDER BY person LIMIT ?2",
                )?;
                for row in statement.query_map(params![before, most], |row| id(row, "person"))? {
                    due.contexts.push(row?);
                }
            }
        }
    }
    Ok(due)
}

/// The place of the newest receipt; 0 if nothing was ever erased.
pub fn newest_receipt(db: &Connection) -> Result<u64, Fault> {
    if !knows(db)? {
        return Ok(0);
    }
    let seq: Option<i64> =
        db.query_row("SELECT max(seq) FROM erasure", [], |row| row.get(0)).optional()?.flatten();
    Ok(seq.unwrap_or(0) as u64)
}

/// Receipts before a place, the newest first.
pub fn receipts(
    db: &Connection,
    before: Option<u64>,
    items_max: usize,
) -> Result<Vec<Receipt>, Fault> {
    if !knows(db)? {
        return Ok(Vec::new());
    }
    let before = before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
    let mut statement =
        db.prepare_cached("SELECT * FROM erasure WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2")?;
    let rows = statement.query_map(params![before, items_max as i64], |row| {
        let receipt = Receipt {
            seq: row.get::<_, i64>("seq")? as u64,
            receipt: super::parse(&row.get::<_, String>("receipt")?)?,
            person: optional_id(row, "person")?,
            at: time(row, "at")?,
            counts: Counts::new(),
        };
        Ok((receipt, row.get::<_, String>("counts")?))
    })?;
    let mut receipts = Vec::new();
    for row in rows {
        let (receipt, counts) = row?;
        receipts.push(Receipt { counts: serde_json::from_str(&counts)?, ..receipt });
    }
    Ok(receipts)
}

/// Everybody who was ever erased.
pub fn erased(db: &Connection) -> Result<Vec<PersonId>, Fault> {
    if !knows(db)? {
        return Ok(Vec::new());
    }
    let mut statement =
        db.prepare_cached("SELECT person FROM erasure WHERE person IS NOT NULL ORDER BY seq")?;
    let rows = statement.query_map([], |row| id(row, "person"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
