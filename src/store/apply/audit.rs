//! The audit log: who did what to accounts and shares, each row's hash over the one before, so that
//! a row cannot be changed or taken out without the chain showing it.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::domain::command::Envelope;

use super::super::Fault;
use super::super::schema::hexadecimal;

/// What of a row its hash covers: seq, at, by, request id, action, subject.
type Row<'a> = (i64, i64, Option<&'a str>, Option<&'a str>, &'a str, &'a str);

/// The audit log as one chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Chain {
    /// Its rows up to the break, or all.
    pub(in crate::store) rows: i64,
    /// The hash of the last of them.
    pub(in crate::store) head: String,
    /// The first row that does not follow from the one before.
    pub(in crate::store) broken_at: Option<i64>,
}

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
    let row = (seq, envelope.at.0, by.as_deref(), envelope.request_id.as_deref(), action, subject);
    let hash = link(&before, row)?;
    db.prepare_cached(
        "INSERT INTO audit (seq, at, by, request_id, action, subject, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![seq, envelope.at.0, by, envelope.request_id, action, subject, hash])?;
    Ok(())
}

/// Computes every hash again.
pub(in crate::store) fn follow(db: &Connection) -> Result<Chain, Fault> {
    let mut chain = Chain::default();
    let mut statement = db
        .prepare("SELECT seq, at, by, request_id, action, subject, hash FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, by, request_id): (i64, Option<String>, Option<String>) =
            (row.get(0)?, row.get(2)?, row.get(3)?);
        let (action, subject, stored): (String, String, String) =
            (row.get(4)?, row.get(5)?, row.get(6)?);
        let covered = (seq, row.get(1)?, by.as_deref(), request_id.as_deref(), &*action, &*subject);
        // A row that was taken out of the middle leaves a gap; its hash is missing too.
        if seq != chain.rows + 1 || link(&chain.head, covered)? != stored {
            chain.broken_at = Some(seq);
            return Ok(chain);
        }
        (chain.rows, chain.head) = (seq, stored);
    }
    Ok(chain)
}

fn link(before: &str, row: Row<'_>) -> Result<String, Fault> {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(serde_json::to_vec(&row)?);
    Ok(hexadecimal(&hash.finalize()))
}
