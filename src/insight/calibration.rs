//! Calibration: how values become points. A TOML file, checked when it is read, named by its hash.
//!
//! A signal's points are `weight x curve(value)`; the baseline is the same at every signal's
//! reference value, and a driver is the difference. Weights add up to 100 and curves stay in
//! 0..=1000, so a score stays in 0..=100 without being cut, and the sum is exact. Modes shift
//! weights from one signal to another, so that they add up in every mode and in any mix of modes.
//!
//! **Invariant:** the hash covers every value, those of a mode list that a file names too, and no
//! comment: same hash, same scores.

pub mod built_in;
mod check;
pub mod drift;
pub mod golden;
mod modes;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::analysis::{CalibrationId, Driver, SIGNAL_NAMES};
use crate::domain::number::Milli;

pub use modes::Mode;
use modes::Overlay;

/// Weights and curves with their identity.
#[derive(Clone, Debug)]
pub struct Calibration {
    id: CalibrationId,
    source: String,
    file: File,
    modes: Vec<Mode>,
}

/// Why a calibration was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalibrationError(String);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    engine: u32,
    /// A list of modes in the binary, by its name; own modes stand beside it or in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modes: Option<String>,
    signal: Vec<Curve>,
    #[serde(default)]
    mode: Vec<Overlay>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Curve {
    name: String,
    weight: i64,
    direction: Direction,
    reference: Milli,
    points: Vec<(Milli, i64)>,
    why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Up,
    Down,
}

/// The revision of the signals' definitions that a file is written for.
const ENGINE: u32 = 1;

/// A file as it is sent has at most this many bytes; the built-in ones have some ten thousand.
pub const FILE_BYTES_MAX: usize = 256 << 10;

impl fmt::Display for CalibrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CalibrationError {}

impl Calibration {
    /// Reads and checks a calibration file.
    ///
    /// # Errors
    /// Says which rule the file breaks, and where.
    pub fn parse(text: &str) -> Result<Calibration, CalibrationError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(CalibrationError(format!("larger than {FILE_BYTES_MAX} bytes")));
        }
        let mut file: File = toml::from_str(text)
            .map_err(|error| CalibrationError(format!("not a calibration file: {error}")))?;
        file.mode = modes::resolve(file.modes.as_deref(), file.mode).map_err(CalibrationError)?;
        check::file(&file).map_err(CalibrationError)?;
        let canonical = serde_json::to_vec(&file)
            .map_err(|error| CalibrationError(format!("cannot be written again: {error}")))?;
        let digest = Sha256::digest(canonical);
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let id = CalibrationId { version: file.version.clone(), sha256 };
        let modes = file.mode.iter().map(|mode| mode.described(&file.signal)).collect();
        Ok(Calibration { id, source: text.to_owned(), file, modes })
    }

    /// Version and hash.
    pub fn id(&self) -> &CalibrationId {
        &self.id
    }

    /// The file as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The modes in the order of the file.
    pub fn modes(&self) -> &[Mode] {
        &self.modes
    }

    /// The weight of each signal in a mode or a mix of modes.
    pub fn weights_by_name(&self, mode: Option<&str>) -> BTreeMap<String, i64> {
        let names = self.file.signal.iter().map(|curve| curve.name.clone());
        names.zip(self.weights(mode)).collect()
    }

    /// Whether a mode, or several joined by `+`, can be used.
    ///
    /// # Errors
    /// Says which one is not known, or which two cannot be mixed.
    pub fn check_mode(&self, mode: &str) -> Result<(), String> {
        modes::check_mix(&self.file.mode, mode)
    }

    /// What a mode or a mix changes, in plain words; empty if nothing.
    pub fn changes(&self, mode: &str) -> Vec<String> {
        modes::told(&self.file.signal, &self.weights(Some(mode)))
    }

    /// The weights of a mode or a mix; an unknown mode changes nothing.
    pub(super) fn weights(&self, mode: Option<&str>) -> Vec<i64> {
        let Some(mode) = mode else {
            return self.file.signal.iter().map(|curve| curve.weight).collect();
        };
        let mixed: Vec<&Overlay> = modes::mixed(&self.file.mode, mode).collect();
        modes::shifted(&self.file.signal, &mixed)
    }

    /// Baseline and drivers; a signal without a value stands at its reference.
    pub(super) fn drivers(
        &self,
        weights: &[i64],
        value: impl Fn(&str) -> Option<Milli>,
    ) -> (Milli, Vec<Driver>) {
        let mut baseline = Milli::ZERO;
        let mut drivers = Vec::new();
        for (curve, &weight) in self.file.signal.iter().zip(weights) {
            let reference = curve.worth(curve.reference, weight);
            baseline += reference;
            if weight > 0 {
                let reached = value(&curve.name).map_or(reference, |v| curve.worth(v, weight));
                drivers.push(Driver { signal: curve.name.clone(), points: reached - reference });
            }
        }
        (baseline, drivers)
    }
}

impl Curve {
    /// Points of a value: the curve between its corners is straight, outside them level.
    fn worth(&self, value: Milli, weight: i64) -> Milli {
        let after = self.points.partition_point(|(x, _)| *x <= value);
        let permille_by_thousand = match (after.checked_sub(1), self.points.get(after)) {
            (None, Some((_, y))) => y * 1000,
            (Some(last), None) => self.points[last].1 * 1000,
            (Some(before), Some((x1, y1))) => {
                let (x0, y0) = self.points[before];
                let run = i128::from(x1.0 - x0.0);
                let step = i128::from(y1 - y0) * i128::from(value.0 - x0.0) * 1000 / run;
                y0 * 1000 + i64::try_from(step).expect("invariant: a step stays on the curve")
            }
            (None, None) => 0,
        };
        // Permille of a weight in points are thousandths of a point.
        Milli(permille_by_thousand * weight / 1000)
    }
}

#[cfg(test)]
mod tests;
