//! Tokens of programs, and signing keys that follow each other.

use rusqlite::{Connection, params};

use crate::domain::command::{Command, Envelope, Outcome};
use crate::domain::limit::door as limit;
use crate::domain::person::Session;
use crate::domain::refusal::Refusal;
use crate::domain::time::Time;

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
    db.execute("UPDATE cluster SET signing_key = ?1", [signing_key])?;
    db.execute(
        "INSERT OR REPLACE INTO signing_key_age (one, made_at) VALUES (1, ?1)",
        [envelope.at.0],
    )?;
    audit::record(db, envelope, "key.rotate", former)?;
    Ok(Outcome::Done)
}
