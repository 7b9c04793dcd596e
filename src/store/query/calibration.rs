//! Calibrations of the organisation.

use rusqlite::{Connection, OptionalExtension, Row};

use super::{Fault, level, optional_id, time};
use crate::domain::id::PersonId;
use crate::domain::level::CALIBRATIONS;
use crate::domain::time::Time;

/// A calibration that was taken in.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its version.
    pub version: String,
    /// SHA-256 of its canonical form.
    pub sha256: String,
    /// The file.
    pub toml: String,
    /// What it made of the golden set when it was taken in, as JSON.
    pub golden: String,
    /// By whom; `None` for the operator.
    pub by: Option<PersonId>,
    /// When.
    pub at: Time,
}

/// A moment from which a calibration was in force.
#[derive(Clone, Debug)]
pub struct Activation {
    /// Which.
    pub version: String,
    /// By whom; `None` for the operator.
    pub by: Option<PersonId>,
    /// When.
    pub at: Time,
}

/// All of them, oldest first.
pub fn list(db: &Connection) -> Result<Vec<Stored>, Fault> {
    if level::current(db)? < CALIBRATIONS {
        return Ok(Vec::new());
    }
    let all = db
        .prepare_cached("SELECT * FROM calibration ORDER BY at, version")?
        .query_map([], stored)?
        .collect::<Result<_, _>>()?;
    Ok(all)
}

/// One of them.
pub fn find(db: &Connection, version: &str) -> Result<Option<Stored>, Fault> {
    if level::current(db)? < CALIBRATIONS {
        return Ok(None);
    }
    let found = db
        .prepare_cached("SELECT * FROM calibration WHERE version = ?1")?
        .query_row([version], stored)
        .optional()?;
    Ok(found)
}

/// How many there are.
pub fn count(db: &Connection) -> Result<usize, Fault> {
    let count: i64 = db.query_row("SELECT count(*) FROM calibration", [], |row| row.get(0))?;
    Ok(count as usize)
}

/// The version in force; `None` while nobody activated any.
pub fn in_force(db: &Connection) -> Result<Option<String>, Fault> {
    Ok(activations(db, 1)?.into_iter().next().map(|newest| newest.version))
}

/// The newest activations, newest first.
pub fn activations(db: &Connection, items_max: usize) -> Result<Vec<Activation>, Fault> {
    if level::current(db)? < CALIBRATIONS {
        return Ok(Vec::new());
    }
    let newest = db
        .prepare_cached("SELECT * FROM calibration_in_force ORDER BY seq DESC LIMIT ?1")?
        .query_map([items_max as i64], |row| {
            Ok(Activation {
                version: row.get("version")?,
                by: optional_id(row, "by")?,
                at: time(row, "at")?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(newest)
}

fn stored(row: &Row<'_>) -> Result<Stored, rusqlite::Error> {
    Ok(Stored {
        version: row.get("version")?,
        sha256: row.get("sha256")?,
        toml: row.get("toml")?,
        golden: row.get("golden")?,
        by: optional_id(row, "by")?,
        at: time(row, "at")?,
    })
}
