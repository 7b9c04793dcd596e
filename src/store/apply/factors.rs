//! Passwords that are changed, and second factors.

use rusqlite::{Connection, params};

use crate::domain::command::{Command, Envelope, Factor, Outcome};
use crate::domain::id::{PersonId, SessionId};
use crate::domain::person::Session;
use crate::domain::refusal::{Code, Refusal};

use super::super::query;
use super::{Step, audit, no_place, people};

/// What this page is about.
pub(super) fn apply(db: &Connection, envelope: &Envelope) -> Step<Outcome> {
    match &envelope.command {
        Command::ChangePassword { person, password_hash, keep } => {
            change_password(db, envelope, *person, password_hash, *keep)
        }
        Command::BeginTotp { person, secret } => begin(db, envelope, *person, secret),
        Command::ConfirmTotp { person, step, recovery } => {
            confirm(db, envelope, *person, *step, recovery)
        }
        Command::DropTotp { person } => remove(db, envelope, *person),
        Command::OpenSessionWith { session, factor } => open(db, envelope, session, factor),
        _ => Err(no_place()),
    }
}

fn change_password(
    db: &Connection,
    envelope: &Envelope,
    id: PersonId,
    password_hash: &str,
    keep: Option<SessionId>,
) -> Step<Outcome> {
    let person = people::existing(db, id)?;
    db.execute(
        "UPDATE person SET password_hash = ?2, invite_generation = invite_generation + 1,
         invite_expires_at = NULL WHERE id = ?1",
        params![id.to_string(), password_hash],
    )?;
    db.execute(
        "UPDATE session SET revoked_at = ?2
         WHERE person = ?1 AND revoked_at IS NULL AND id IS NOT ?3",
        params![id.to_string(), envelope.at.0, keep.map(|session| session.to_string())],
    )?;
    audit::record(db, envelope, "person.password", &id.to_string())?;
    Ok(Outcome::Person { person: Box::new(person) })
}

fn begin(db: &Connection, envelope: &Envelope, id: PersonId, secret: &str) -> Step<Outcome> {
    people::existing(db, id)?;
    if query::totp::of(db, id)?.is_some_and(|totp| totp.confirmed) {
        let detail = "there is a second factor already; remove it first";
        return Err(Refusal::conflict(detail).into());
    }
    db.execute(
        "INSERT OR REPLACE INTO totp (person, secret, begun_at, last_step, recovery)
         VALUES (?1, ?2, ?3, 0, '[]')",
        params![id.to_string(), secret, envelope.at.0],
    )?;
    Ok(Outcome::Done)
}

fn confirm(
    db: &Connection,
    envelope: &Envelope,
    id: PersonId,
    step: u64,
    recovery: &[String],
) -> Step<Outcome> {
    let confirmed = db.execute(
        "UPDATE totp SET confirmed_at = ?2, last_step = ?3, recovery = ?4
         WHERE person = ?1 AND confirmed_at IS NULL",
        params![id.to_string(), envelope.at.0, step as i64, serde_json::to_string(recovery)?],
    )?;
    if confirmed == 0 {
        return Err(Refusal::conflict("nobody is setting up a second factor here").into());
    }
    audit::record(db, envelope, "totp.add", &id.to_string())?;
    Ok(Outcome::Done)
}

fn remove(db: &Connection, envelope: &Envelope, id: PersonId) -> Step<Outcome> {
    if db.execute("DELETE FROM totp WHERE person = ?1", [id.to_string()])? == 0 {
        return Err(Refusal::not_found("second factor").into());
    }
    audit::record(db, envelope, "totp.remove", &id.to_string())?;
    Ok(Outcome::Done)
}

fn open(db: &Connection, envelope: &Envelope, session: &Session, factor: &Factor) -> Step<Outcome> {
    let wrong = || Refusal::new(Code::AuthInvalid, "this code is wrong, or was used before");
    let totp = query::totp::of(db, session.person)?.ok_or_else(wrong)?;
    let (step, recovery) = match factor {
        Factor::Step(step) if *step > totp.last_step => (*step, totp.recovery),
        Factor::Recovery(hash) if totp.recovery.contains(hash) => {
            let left = totp.recovery.into_iter().filter(|other| other != hash).collect();
            (totp.last_step, left)
        }
        _ => return Err(wrong().into()),
    };
    db.execute(
        "UPDATE totp SET last_step = ?2, recovery = ?3 WHERE person = ?1",
        params![session.person.to_string(), step as i64, serde_json::to_string(&recovery)?],
    )?;
    people::open_session(db, envelope, session)
}
