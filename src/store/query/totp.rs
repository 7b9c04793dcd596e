//! Second factors.

use rusqlite::{Connection, OptionalExtension};

use super::{Fault, level};
use crate::domain::id::PersonId;
use crate::domain::level::TRUST;

/// Somebody's second factor.
#[derive(Clone, Debug)]
pub struct Totp {
    /// The secret (base32).
    pub secret: String,
    /// Whether their device has shown that it knows it.
    pub confirmed: bool,
    /// The newest step whose code was used.
    pub last_step: u64,
    /// SHA-256 of the recovery codes that are left.
    pub recovery: Vec<String>,
}

/// Somebody's second factor, begun or in use.
pub fn of(db: &Connection, person: PersonId) -> Result<Option<Totp>, Fault> {
    if level::current(db)? < TRUST {
        return Ok(None);
    }
    let found = db
        .prepare_cached(
            "SELECT secret, confirmed_at, last_step, recovery FROM totp WHERE person = ?1",
        )?
        .query_row([person.to_string()], |row| {
            let confirmed: Option<i64> = row.get(1)?;
            let recovery: String = row.get(3)?;
            let (secret, step) = (row.get(0)?, row.get::<_, i64>(2)?);
            Ok((secret, confirmed.is_some(), step as u64, recovery))
        })
        .optional()?;
    let Some((secret, confirmed, last_step, recovery)) = found else { return Ok(None) };
    Ok(Some(Totp { secret, confirmed, last_step, recovery: serde_json::from_str(&recovery)? }))
}
