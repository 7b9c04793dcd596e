//! The audit log: who did what to accounts and shares, each row's hash over the one before, so that
//! a row cannot be changed or taken out without the chain showing it.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::command::Envelope;
use crate::domain::time::Time;

use super::super::Fault;
use super::super::schema::hexadecimal;

/// What of a row its hash covers: seq, at, by, request id, action, subject.
type Row<'a> = (i64, i64, Option<&'a str>, Option<&'a str>, &'a str, &'a str);

/// Stands between what a row is about and the network that the act came from.
const ORIGIN: char = '\t';

/// The audit log as one chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Its rows up to the break, or all.
    pub rows: i64,
    /// The hash of the last of them.
    pub head: String,
    /// The first row that does not follow from the one before.
    pub broken_at: Option<i64>,
}

/// One row, as it is told and exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from 1 without a gap.
    pub seq: i64,
    /// When.
    pub at: Time,
    /// Who; nobody where the product did it.
    pub by: Option<String>,
    /// From which network.
    pub from: Option<String>,
    /// On which request.
    pub request_id: Option<String>,
    /// What was done.
    pub action: String,
    /// To whom or what, by id.
    pub subject: String,
    /// SHA-256 over the hash before and the row.
    pub hash: String,
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
    // One column, so that the chain covers both at every level of the data.
    let subject = match &envelope.from {
        Some(from) => &*format!("{subject}{ORIGIN}{from}"),
        None => subject,
    };
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
    let mut cursor = 0;
    loop {
        let page = entries(db, cursor, PAGE)?;
        for entry in &page {
            if !chain.take(entry)? {
                return Ok(chain);
            }
            cursor = entry.seq;
        }
        if page.len() < PAGE {
            return Ok(chain);
        }
    }
}

/// Rows in one step of walking the chain.
const PAGE: usize = 1_000;

/// Rows after a place, in order.
pub fn entries(db: &Connection, after: i64, items_max: usize) -> Result<Vec<Entry>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT seq, at, by, request_id, action, subject, hash FROM audit
         WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let rows = statement.query_map(params![after, items_max as i64], entry)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Rows before a place, the newest first, of one action or all.
pub fn newest(
    db: &Connection,
    before: i64,
    action: Option<&str>,
    items_max: usize,
) -> Result<Vec<Entry>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT seq, at, by, request_id, action, subject, hash FROM audit
         WHERE seq < ?1 AND action = coalesce(?2, action) ORDER BY seq DESC LIMIT ?3",
    )?;
    let rows = statement.query_map(params![before, action, items_max as i64], entry)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn entry(row: &rusqlite::Row<'_>) -> Result<Entry, rusqlite::Error> {
    let subject: String = row.get(5)?;
    let (subject, from) = match subject.split_once(ORIGIN) {
        Some((subject, from)) => (subject.to_owned(), Some(from.to_owned())),
        None => (subject, None),
    };
    Ok(Entry {
        seq: row.get(0)?,
        at: Time(row.get(1)?),
        by: row.get(2)?,
        from,
        request_id: row.get(3)?,
        action: row.get(4)?,
        subject,
        hash: row.get(6)?,
    })
}

impl Chain {
    /// Takes the next row; false if it does not follow. A row that was taken out of the middle
    /// leaves a gap, and its hash is missing too.
    pub fn take(&mut self, entry: &Entry) -> Result<bool, Fault> {
        let subject = match &entry.from {
            Some(from) => &*format!("{}{ORIGIN}{from}", entry.subject),
            None => &*entry.subject,
        };
        let by = entry.by.as_deref();
        let request_id = entry.request_id.as_deref();
        let covered = (entry.seq, entry.at.0, by, request_id, &*entry.action, subject);
        if entry.seq != self.rows + 1 || link(&self.head, covered)? != entry.hash {
            self.broken_at = Some(entry.seq);
            return Ok(false);
        }
        (self.rows, self.head) = (entry.seq, entry.hash.clone());
        Ok(true)
    }
}

fn link(before: &str, row: Row<'_>) -> Result<String, Fault> {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(serde_json::to_vec(&row)?);
    Ok(hexadecimal(&hash.finalize()))
}
