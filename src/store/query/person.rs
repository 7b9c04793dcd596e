//! Accounts, logins, contexts.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::privacy::NOBODY;
use super::{Fault, id, optional_time, time, word};
use crate::domain::id::{PersonId, SessionId};
use crate::domain::person::{CandidateContext, Person, Session};
use crate::domain::time::Time;

/// The account with this id. The row that stands for erased people is none.
pub fn by_id(db: &Connection, id: PersonId) -> Result<Option<Person>, Fault> {
    let found = db
        .prepare_cached("SELECT * FROM person WHERE id = ?1 AND id <> ?2")?
        .query_row(params![id.to_string(), NOBODY], person)
        .optional()?;
    Ok(found)
}

/// The account with this address, and its password's hash.
pub fn by_email(db: &Connection, email: &str) -> Result<Option<(Person, Option<String>)>, Fault> {
    let found = db
        .prepare_cached("SELECT * FROM person WHERE email = ?1")?
        .query_row([email], |row| Ok((person(row)?, row.get("password_hash")?)))
        .optional()?;
    Ok(found)
}

/// Accounts in the order of their making, after an id.
pub fn list(
    db: &Connection,
    after: Option<PersonId>,
    items_max: usize,
) -> Result<Vec<Person>, Fault> {
    // The row that stands for erased people comes before all others.
    let after = after.map_or_else(|| NOBODY.to_owned(), |id| id.to_string());
    let people = db
        .prepare_cached("SELECT * FROM person WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map(params![after, items_max as i64], person)?
        .collect::<Result<_, _>>()?;
    Ok(people)
}

/// How many accounts there are.
pub fn count(db: &Connection) -> Result<usize, Fault> {
    let count = "SELECT count(*) FROM person WHERE id <> ?1";
    let count: i64 = db.query_row(count, [NOBODY], |row| row.get(0))?;
    Ok(count as usize)
}

/// How many admins can sign in.
pub fn active_admins(db: &Connection) -> Result<usize, Fault> {
    let count: i64 = db.query_row(
        "SELECT count(*) FROM person WHERE role = 'admin' AND NOT disabled",
        [],
        |row| row.get(0),
    )?;
    Ok(count as usize)
}

/// The login with this id.
pub fn session(db: &Connection, session: SessionId) -> Result<Option<Session>, Fault> {
    let found = db
        .prepare_cached("SELECT * FROM session WHERE id = ?1")?
        .query_row([session.to_string()], of_row)
        .optional()?;
    Ok(found)
}

/// The logins of somebody that hold, the newest first.
pub fn sessions(
    db: &Connection,
    person: PersonId,
    now: Time,
    items_max: usize,
) -> Result<Vec<Session>, Fault> {
    let sessions = db
        .prepare_cached(
            "SELECT * FROM session WHERE person = ?1 AND expires_at > ?2 AND revoked_at IS NULL
             ORDER BY created_at DESC, id DESC LIMIT ?3",
        )?
        .query_map(params![person.to_string(), now.0, items_max as i64], of_row)?
        .collect::<Result<_, _>>()?;
    Ok(sessions)
}

fn of_row(row: &Row<'_>) -> Result<Session, rusqlite::Error> {
    Ok(Session {
        id: id(row, "id")?,
        person: id(row, "person")?,
        generation: row.get("generation")?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
        revoked_at: optional_time(row, "revoked_at")?,
    })
}

/// What a candidate brings along.
pub fn context(db: &Connection, person: PersonId) -> Result<Option<CandidateContext>, Fault> {
    let found = db
        .prepare_cached("SELECT * FROM context WHERE person = ?1")?
        .query_row([person.to_string()], |row| {
            Ok(CandidateContext {
                cv_text: row.get("cv_text")?,
                job_description: row.get("job_description")?,
                target_role: row.get("target_role")?,
                mode: row.get("mode")?,
                assist_intensity: row.get("assist_intensity")?,
            })
        })
        .optional()?;
    Ok(found)
}

fn person(row: &Row<'_>) -> Result<Person, rusqlite::Error> {
    Ok(Person {
        id: id(row, "id")?,
        email: word(row, "email")?,
        display_name: row.get("display_name")?,
        role: word(row, "role")?,
        disabled: row.get("disabled")?,
        // Whoever came through an outside issuer has neither a password nor an invite link.
        joined: row.get::<_, Option<String>>("password_hash")?.is_some()
            || row.get::<_, Option<i64>>("invite_expires_at")?.is_none(),
        created_at: time(row, "created_at")?,
        invite_expires_at: optional_time(row, "invite_expires_at")?,
        invite_generation: row.get("invite_generation")?,
    })
}
