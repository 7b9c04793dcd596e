//! Rate policies that were set, and people by the name that an outside issuer has for them.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Fault, id, level, time, word};
use crate::domain::id::PersonId;
use crate::domain::level::DOORS;
use crate::domain::person::Role;
use crate::domain::rate::Rule;
use crate::domain::time::Time;

/// Somebody whom an outside issuer vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideIdentity {
    /// Who that is here.
    pub person: PersonId,
    /// The role that the issuer said last.
    pub role: Role,
    /// When.
    pub said_at: Time,
}

/// The policies that an admin has set; none below the level that knows them.
pub fn rules(db: &Connection) -> Result<Vec<Rule>, Fault> {
    if level::current(db)? < DOORS {
        return Ok(Vec::new());
    }
    let rules = db
        .prepare_cached(
            "SELECT class, tier, requests, window_seconds FROM rate_limit ORDER BY class, tier",
        )?
        .query_map([], |row| {
            Ok(Rule {
                class: word(row, "class")?,
                tier: word(row, "tier")?,
                requests: row.get("requests")?,
                window_seconds: row.get("window_seconds")?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(rules)
}

/// Who an outside identity is; nobody below the level that knows them.
pub fn identity(
    db: &Connection,
    issuer: &str,
    subject: &str,
) -> Result<Option<OutsideIdentity>, Fault> {
    if level::current(db)? < DOORS {
        return Ok(None);
    }
    let found = db
        .prepare_cached(
            "SELECT person, role, said_at FROM outside_identity
             WHERE issuer = ?1 AND subject = ?2",
        )?
        .query_row(params![issuer, subject], |row| {
            Ok(OutsideIdentity {
                person: id(row, "person")?,
                role: word(row, "role")?,
                said_at: time(row, "said_at")?,
            })
        })
        .optional()?;
    Ok(found)
}
