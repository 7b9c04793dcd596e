//! How much there is of everything, in numbers alone.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use super::Fault;

/// Counts over the whole state; no count is of one person.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// Accounts by role; closed ones are under `disabled`.
    pub people: BTreeMap<String, u64>,
    /// Interviews by kind and state, for instance `practice.finished`.
    pub interviews: BTreeMap<String, u64>,
    /// Answers.
    pub answers: u64,
    /// Reports.
    pub reports: u64,
    /// Judgements on reports.
    pub feedback: Feedback,
    /// Bytes of the state with its free pages.
    pub state_bytes: u64,
}

/// How reports felt.
#[derive(Clone, Debug, Serialize)]
pub struct Feedback {
    /// All judgements.
    pub total: u64,
    /// Those that found their report accurate.
    pub accurate: u64,
}

/// Counts everything.
pub fn stats(db: &Connection) -> Result<Stats, Fault> {
    let one = |sql: &str| -> Result<u64, Fault> {
        let count: i64 = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(count as u64)
    };
    let by_name = |sql: &str| -> Result<BTreeMap<String, u64>, Fault> {
        let counted = db
            .prepare_cached(sql)?
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
            .collect::<Result<_, _>>()?;
        Ok(counted)
    };
    Ok(Stats {
        people: by_name(
            "SELECT CASE WHEN disabled THEN 'disabled' ELSE role END AS name, count(*)
             FROM person GROUP BY name",
        )?,
        interviews: by_name(
            "SELECT kind || '.' || state AS name, count(*) FROM interview GROUP BY name",
        )?,
        answers: one("SELECT count(*) FROM answer")?,
        reports: one("SELECT count(*) FROM report")?,
        feedback: Feedback {
            total: one("SELECT count(*) FROM feedback")?,
            accurate: one("SELECT count(*) FROM feedback WHERE accurate")?,
        },
        state_bytes: one("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?,
    })
}
