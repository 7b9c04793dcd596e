//! Tokens of programs, and signing keys that follow each other.

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::command::{Command, Envelope, KeyStep, Outcome};
use crate::domain::id::SessionId;
use crate::domain::level::SUCCESSORS;
use crate::domain::limit::door as limit;
use crate::domain::person::Session;
use crate::domain::refusal::Refusal;
use crate::domain::time::{Day, Time};

use super::super::query;
use super::{Step, audit, no_place, people};

/// What this page is about.
pub(super) fn apply(db: &Connection, envelope: &Envelope) -> Step<Outcome> {
    match &envelope.command {
        Command::OpenToken { session, name, read_only } => {
            open(db, envelope, session, name, *read_only)
        }
        Command::RotateKey { signing_key, former, until } => {
            rotate(db, envelope, signing_key, former, *until)
        }
        Command::NextKey { step: KeyStep::Prepare { signing_key, public_key } } => {
            prepare(db, envelope, signing_key, public_key)
        }
        Command::NextKey { step: KeyStep::Turn { public_key, former, until } } => {
            turn(db, envelope, public_key, former, *until)
        }
        Command::NoteUses { day, tokens } => note_uses(db, *day, tokens),
        _ => Err(no_place()),
    }
}

fn open(
    db: &Connection,
    envelope: &Envelope,
    session: &Session,
    name: &str,
    read_only: bool,
) -> Step<Outcome> {
    let person = people::existing(db, session.person)?;
    if person.disabled {
        return Err(Refusal::conflict("this account is disabled; enable it first").into());
    }
    let held = query::keys::tokens(db, person.id, envelope.at)?.len();
    if held >= limit::TOKENS_PER_PERSON_MAX {
        let max = limit::TOKENS_PER_PERSON_MAX;
        let detail = format!("one account has at most {max} tokens; take one back first");
        return Err(Refusal::conflict(detail).into());
    }
    people::insert_session(db, session)?;
    db.execute(
        "INSERT INTO api_token (session, person, name, read_only) VALUES (?1, ?2, ?3, ?4)",
        params![session.id.to_string(), person.id.to_string(), name, read_only],
    )?;
    audit::record(db, envelope, "token.add", &session.id.to_string())?;
    Ok(Outcome::SignedIn { person: Box::new(person), session: session.clone() })
}

fn rotate(
    db: &Connection,
    envelope: &Envelope,
    signing_key: &str,
    former: &str,
    until: Time,
) -> Step<Outcome> {
    // Two at once would leave a key in between of which nobody knows the public half.
    let taken: bool = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM former_key WHERE public_key = ?1)",
        [former],
        |row| row.get(0),
    )?;
    if taken {
        let detail = "somebody else has just changed the key; look at it, then try again";
        return Err(Refusal::conflict(detail).into());
    }
    db.execute("DELETE FROM former_key WHERE until <= ?1", [envelope.at.0])?;
    db.execute(
        "INSERT INTO former_key (public_key, until) VALUES (?1, ?2)",
        params![former, until.0],
    )?;
    // One that waited has signed by now, or may have leaked with the present one.
    if query::level::current(db)? >= SUCCESSORS {
        db.execute("DELETE FROM next_key", [])?;
    }
    db.execute("UPDATE cluster SET signing_key = ?1", [signing_key])?;
    db.execute(
        "INSERT OR REPLACE INTO signing_key_age (one, made_at) VALUES (1, ?1)",
        [envelope.at.0],
    )?;
    audit::record(db, envelope, "key.rotate", former)?;
    Ok(Outcome::Done)
}

fn prepare(
    db: &Connection,
    envelope: &Envelope,
    signing_key: &str,
    public_key: &str,
) -> Step<Outcome> {
    // Another one in its place would take back what programs elsewhere have been told.
    let waits: bool =
        db.query_row("SELECT EXISTS (SELECT 1 FROM next_key)", [], |row| row.get(0))?;
    if waits {
        return Err(Refusal::conflict("the next key was made already; look at it").into());
    }
    db.execute(
        "INSERT INTO next_key (one, signing_key, public_key, made_at) VALUES (1, ?1, ?2, ?3)",
        params![signing_key, public_key, envelope.at.0],
    )?;
    audit::record(db, envelope, "key.prepare", public_key)?;
    Ok(Outcome::Done)
}

fn turn(
    db: &Connection,
    envelope: &Envelope,
    public_key: &str,
    former: &str,
    until: Time,
) -> Step<Outcome> {
    let waiting: Option<String> = db
        .query_row("SELECT signing_key FROM next_key WHERE public_key = ?1", [public_key], |row| {
            row.get(0)
        })
        .optional()?;
    let Some(signing_key) = waiting else {
        let detail = "the key that was to sign next is gone; look at the keys, then try again";
        return Err(Refusal::conflict(detail).into());
    };
    rotate(db, envelope, &signing_key, former, until)
}

/// Not in the audit log: it would become one of what programs do.
fn note_uses(db: &Connection, day: Day, tokens: &[SessionId]) -> Step<Outcome> {
    let mut note = db.prepare_cached(
        "UPDATE api_token SET last_used_on = ?1
         WHERE session = ?2 AND (last_used_on IS NULL OR last_used_on < ?1)",
    )?;
    for token in tokens {
        note.execute(params![day.0, token.to_string()])?;
    }
    Ok(Outcome::Done)
}
