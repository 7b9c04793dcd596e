//! The audit log: who did what to accounts and shares, each row's hash over the one before, so that
//! a row cannot be changed or taken out without the chain showing it.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::command::Envelope;

use super::super::Fault;
use super::super::schema::hexadecimal;

/// Adds a row about this command.
pub(super) fn record(
    db: &Connection,
    envelope: &Envelope,
    action: &str,
    subject: &str,
) -> Result<(), Fault> {
    let last: Option<(i64, String)> = db
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (seq, before) = last.map_or((1, String::new()), |(seq, hash)| (seq + 1, hash));
    let by = envelope.by.map(|person| person.to_string());
    let row = (seq, envelope.at.0, &by, &envelope.request_id, action, subject);
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(serde_json::to_vec(&row)?);
    db.prepare_cached(
        "INSERT INTO audit (seq, at, by, request_id, action, subject, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        seq,
        envelope.at.0,
        by,
        envelope.request_id,
        action,
        subject,
        hexadecimal(&hash.finalize())
    ])?;
    Ok(())
}
