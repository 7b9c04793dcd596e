//! Tokens of programs, and the keys that sign and have signed.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Fault, cluster, id, level, time};
use crate::domain::id::{PersonId, SessionId};
use crate::domain::level::{KEYS, SUCCESSORS};
use crate::domain::time::{Day, Time};

/// A token of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// The login that it stands for.
    pub session: SessionId,
    /// What it is for.
    pub name: String,
    /// Whether it may only read.
    pub read_only: bool,
    /// Since when.
    pub created_at: Time,
    /// Until when.
    pub expires_at: Time,
    /// The last day on which somebody used it, as far as that was noted.
    pub last_used_on: Option<Day>,
}

/// The key that signs, and those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The key that signs (PKCS #8, base64).
    pub signing_key: String,
    /// Since when it does.
    pub made_at: Time,
    /// Public halves of former ones (base64), and until when their tokens are taken.
    pub former: Vec<(String, Time)>,
    /// The key that signs next.
    pub next: Option<NextKey>,
}

/// A key that signs nothing yet. Its private half stays in the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextKey {
    /// The public half (base64).
    pub public_key: String,
    /// Since when it is told.
    pub made_at: Time,
}

/// The token of a program that a login is, if it is one.
pub fn token(db: &Connection, session: SessionId) -> Result<Option<ApiToken>, Fault> {
    let level = level::current(db)?;
    if level < KEYS {
        return Ok(None);
    }
    let found = db
        .prepare_cached(
            "SELECT t.*, s.created_at, s.expires_at FROM api_token AS t
             JOIN session AS s ON s.id = t.session WHERE t.session = ?1",
        )?
        .query_row([session.to_string()], |row| of_row(row, level))
        .optional()?;
    Ok(found)
}

/// The tokens of somebody that hold, the newest first. There are few, by a bound where they are
/// made.
pub fn tokens(db: &Connection, person: PersonId, now: Time) -> Result<Vec<ApiToken>, Fault> {
    let level = level::current(db)?;
    if level < KEYS {
        return Ok(Vec::new());
    }
    let found = db
        .prepare_cached(
            "SELECT t.*, s.created_at, s.expires_at FROM api_token AS t
             JOIN session AS s ON s.id = t.session
             WHERE t.person = ?1 AND s.expires_at > ?2 AND s.revoked_at IS NULL
             ORDER BY s.created_at DESC, t.session DESC",
        )?
        .query_map(params![person.to_string(), now.0], |row| of_row(row, level))?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

fn of_row(row: &rusqlite::Row<'_>, level: u32) -> Result<ApiToken, rusqlite::Error> {
    let last_used_on = match level < SUCCESSORS {
        true => None,
        false => row.get::<_, Option<i64>>("last_used_on")?.map(Day),
    };
    Ok(ApiToken {
        session: id(row, "session")?,
        name: row.get("name")?,
        read_only: row.get("read_only")?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
        last_used_on,
    })
}

/// The keys, once the cluster was founded.
pub fn keys(db: &Connection) -> Result<Option<Keys>, Fault> {
    let Some(identity) = cluster::identity(db)? else { return Ok(None) };
    let signing_key = identity.signing_key;
    let founded = cluster::founded_at(db)?.unwrap_or(Time(0));
    let level = level::current(db)?;
    if level < KEYS {
        return Ok(Some(Keys { signing_key, made_at: founded, former: Vec::new(), next: None }));
    }
    let made: Option<i64> = db
        .prepare_cached("SELECT made_at FROM signing_key_age")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let former = db
        .prepare_cached("SELECT public_key, until FROM former_key ORDER BY until DESC")?
        .query_map([], |row| Ok((row.get(0)?, time(row, "until")?)))?
        .collect::<Result<_, _>>()?;
    let next = match level < SUCCESSORS {
        true => None,
        false => next(db)?,
    };
    Ok(Some(Keys { signing_key, made_at: made.map_or(founded, Time), former, next }))
}

fn next(db: &Connection) -> Result<Option<NextKey>, Fault> {
    let found = db
        .prepare_cached("SELECT public_key, made_at FROM next_key")?
        .query_row([], |row| {
            Ok(NextKey { public_key: row.get("public_key")?, made_at: time(row, "made_at")? })
        })
        .optional()?;
    Ok(found)
}
