//! Calibration: how values become points. A TOML file, checked when it is read, named by its hash.
//!
//! A signal's points are `weight x curve(value)`; the baseline is the same at every signal's
//! reference value, and a driver is the difference. Weights add up to 100 and curves stay in
//! 0..=1000, so a score stays in 0..=100 without being cut, and the sum is exact.
//!
//! **Invariant:** the hash covers every value and no comment: same hash, same scores.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::analysis::{CalibrationId, Driver, SIGNAL_NAMES};
use crate::domain::number::Milli;

/// Weights and curves with their identity.
#[derive(Clone, Debug)]
pub struct Calibration {
    id: CalibrationId,
    file: File,
    modes: Vec<Mode>,
    default_weights: Vec<i64>,
    mode_weights: BTreeMap<String, Vec<i64>>,
}

/// A named set of weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mode {
    /// Stable id.
    pub id: String,
    /// `company`, `role` or `round`.
    pub kind: String,
    /// The name that people read.
    pub label: String,
    /// What it changes, in plain words.
    pub changes: Vec<String>,
}

/// Why a calibration was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalibrationError(String);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    engine: u32,
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

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Overlay {
    id: String,
    kind: String,
    label: String,
    changes: Vec<String>,
    #[serde(default)]
    weights: BTreeMap<String, i64>,
}

/// The revision of the signals' definitions that a file is written for.
const ENGINE: u32 = 1;

/// All weights together.
const WHOLE: i64 = 100;

/// A file holds no more modes and no more points on a curve than anybody would read.
const MODES_MAX: usize = 200;
const POINTS_MAX: usize = 20;

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
        let file: File = toml::from_str(text)
            .map_err(|error| CalibrationError(format!("not a calibration file: {error}")))?;
        check(&file).map_err(CalibrationError)?;
        let canonical = serde_json::to_vec(&file)
            .map_err(|error| CalibrationError(format!("cannot be written again: {error}")))?;
        let digest = Sha256::digest(canonical);
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let id = CalibrationId { version: file.version.clone(), sha256 };
        let modes = file.mode.iter().map(Overlay::described).collect();
        let default_weights = file.signal.iter().map(|curve| curve.weight).collect();
        let mode_weights =
            file.mode.iter().map(|mode| (mode.id.clone(), overlaid(&file.signal, mode))).collect();
        Ok(Calibration { id, file, modes, default_weights, mode_weights })
    }

    /// Version and hash.
    pub fn id(&self) -> &CalibrationId {
        &self.id
    }

    /// The modes in the order of the file.
    pub fn modes(&self) -> &[Mode] {
        &self.modes
    }

    /// The weights of a mode; the default ones for an unknown mode or none.
    pub(super) fn weights(&self, mode: Option<&str>) -> &[i64] {
        mode.and_then(|id| self.mode_weights.get(id)).unwrap_or(&self.default_weights)
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

impl Overlay {
    fn described(&self) -> Mode {
        Mode {
            id: self.id.clone(),
            kind: self.kind.clone(),
            label: self.label.clone(),
            changes: self.changes.clone(),
        }
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

fn overlaid(signals: &[Curve], mode: &Overlay) -> Vec<i64> {
    let weight = |curve: &Curve| mode.weights.get(&curve.name).copied().unwrap_or(curve.weight);
    signals.iter().map(weight).collect()
}

fn check(file: &File) -> Result<(), String> {
    if !is_name(&file.version) {
        return Err("version: 1 to 40 of a-z, 0-9, dot and hyphen".to_owned());
    }
    if file.engine != ENGINE {
        return Err(format!("engine: written for {}, this engine is {ENGINE}", file.engine));
    }
    let names: BTreeSet<&str> = file.signal.iter().map(|curve| curve.name.as_str()).collect();
    let all = file.signal.len() == names.len() && SIGNAL_NAMES.iter().all(|n| names.contains(n));
    if !all || names.len() != SIGNAL_NAMES.len() {
        return Err(format!("signal: each of {} once", SIGNAL_NAMES.join(", ")));
    }
    for curve in &file.signal {
        check_curve(curve).map_err(|why| format!("signal {}: {why}", curve.name))?;
    }
    check_weights(file.signal.iter().map(|curve| curve.weight))?;
    if file.mode.len() > MODES_MAX {
        return Err(format!("mode: at most {MODES_MAX}"));
    }
    let mut ids = BTreeSet::new();
    for mode in &file.mode {
        let fault = |why: String| format!("mode {}: {why}", mode.id);
        if !is_name(&mode.id) || !ids.insert(&mode.id) {
            return Err(fault("id: unique, 1 to 40 of a-z, 0-9, dot and hyphen".to_owned()));
        }
        if !matches!(mode.kind.as_str(), "company" | "role" | "round") {
            return Err(fault("kind: company, role or round".to_owned()));
        }
        if mode.label.trim().is_empty() || mode.changes.is_empty() {
            return Err(fault("label and changes: say what the mode is and does".to_owned()));
        }
        if let Some(unknown) = mode.weights.keys().find(|name| !names.contains(name.as_str())) {
            return Err(fault(format!("weights: no signal is called {unknown}")));
        }
        check_weights(overlaid(&file.signal, mode).into_iter()).map_err(fault)?;
    }
    Ok(())
}

fn check_curve(curve: &Curve) -> Result<(), String> {
    if !(2..=POINTS_MAX).contains(&curve.points.len()) {
        return Err(format!("points: 2 to {POINTS_MAX}"));
    }
    for pair in curve.points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if x1 <= x0 {
            return Err("points: values must rise".to_owned());
        }
        let follows = if curve.direction == Direction::Up { y1 >= y0 } else { y1 <= y0 };
        if !follows {
            return Err("points: the curve must follow its direction".to_owned());
        }
    }
    if curve.points.iter().any(|(_, y)| !(0..=1000).contains(y)) {
        return Err("points: 0 to 1000 of the weight".to_owned());
    }
    let (first, last) = (curve.points[0].0, curve.points[curve.points.len() - 1].0);
    if curve.reference < first || curve.reference > last {
        return Err("reference: within the curve".to_owned());
    }
    if curve.why.trim().is_empty() {
        return Err("why: say why the signal weighs what it weighs".to_owned());
    }
    Ok(())
}

fn check_weights(weights: impl Iterator<Item = i64> + Clone) -> Result<(), String> {
    if weights.clone().any(|weight| !(0..=WHOLE).contains(&weight)) {
        return Err(format!("weights: each 0 to {WHOLE}"));
    }
    let sum: i64 = weights.sum();
    if sum == WHOLE { Ok(()) } else { Err(format!("weights: add up to {sum}, not {WHOLE}")) }
}

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    (1..=40).contains(&text.len()) && text.chars().all(allowed)
}

#[cfg(test)]
mod tests;
