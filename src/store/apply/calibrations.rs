//! Calibrations of the organisation, and which one is in force.

use rusqlite::{Connection, params};

use crate::domain::command::{Envelope, Outcome};
use crate::domain::limit;
use crate::domain::refusal::Refusal;

use super::super::query;
use super::{Step, audit};

pub(super) fn put(
    db: &Connection,
    envelope: &Envelope,
    version: &str,
    sha256: &str,
    toml: &str,
    golden: &str,
) -> Step<Outcome> {
    if query::calibration::find(db, version)?.is_some() {
        let detail =
            format!("there is a calibration {version}, and none ever changes; take a new version");
        return Err(Refusal::conflict(detail).into());
    }
    if query::calibration::count(db)? >= limit::CALIBRATIONS_MAX {
        let detail =
            format!("there are {} calibrations, as many as can be kept", limit::CALIBRATIONS_MAX);
        return Err(Refusal::conflict(detail).into());
    }
    db.prepare_cached(
        "INSERT INTO calibration (version, sha256, toml, golden, by, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        version,
        sha256,
        toml,
        golden,
        envelope.by.map(|person| person.to_string()),
        envelope.at.0
    ])?;
    audit::record(db, envelope, "calibration.add", version)?;
    Ok(Outcome::Done)
}

/// Whether a version that is not stored is a built-in one, the proposer has looked.
pub(super) fn activate(db: &Connection, envelope: &Envelope, version: &str) -> Step<Outcome> {
    let before = query::calibration::in_force(db)?;
    if before.is_some_and(|before| before == version) {
        return Ok(Outcome::Done);
    }
    db.prepare_cached("INSERT INTO calibration_in_force (version, by, at) VALUES (?1, ?2, ?3)")?
        .execute(params![version, envelope.by.map(|person| person.to_string()), envelope.at.0])?;
    audit::record(db, envelope, "calibration.activate", version)?;
    Ok(Outcome::Done)
}
