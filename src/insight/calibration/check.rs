//! The rules that a calibration keeps, whoever wrote it.

use std::collections::BTreeSet;

use super::modes::{self, Overlay};
use super::{Curve, Direction, ENGINE, File, SIGNAL_NAMES};

/// All weights together.
const WHOLE: i64 = 100;

/// A curve holds no more points than anybody would read.
const POINTS_MAX: usize = 20;

/// Facts that are shown and never weighed: neither pace nor pauses say anything about a person's
/// fitness, and length as such earns nothing.
const NEVER_WEIGHED: [&str; 3] = ["words_per_minute", "pause_share", "length_words"];

/// What more of is better, so that adding a stated result can lower nothing.
const UP: [&str; 7] = [
    "structure",
    "ownership",
    "quantified_evidence",
    "specificity",
    "trade_off",
    "causal",
    "relevance",
];

pub(super) fn file(file: &File) -> Result<(), String> {
    if !is_name(&file.version) {
        return Err("version: 1 to 40 of a-z, 0-9, dot, hyphen and underscore".to_owned());
    }
    if file.engine != ENGINE {
        return Err(format!("engine: written for {}, this engine is {ENGINE}", file.engine));
    }
    let names: BTreeSet<&str> = file.signal.iter().map(|curve| curve.name.as_str()).collect();
    let all = file.signal.len() == names.len() && SIGNAL_NAMES.iter().all(|n| names.contains(n));
    if !all || names.len() != SIGNAL_NAMES.len() {
        return Err(format!("signal: each of {} once", SIGNAL_NAMES.join(", ")));
    }
    for signal in &file.signal {
        curve(signal).map_err(|why| format!("signal {}: {why}", signal.name))?;
    }
    let sum: i64 = file.signal.iter().map(|curve| curve.weight).sum();
    if sum != WHOLE {
        return Err(format!("weights: add up to {sum}, not {WHOLE}"));
    }
    overlays(file)
}

fn overlays(file: &File) -> Result<(), String> {
    let names: BTreeSet<&str> = file.signal.iter().map(|curve| curve.name.as_str()).collect();
    if file.mode.len() > modes::MODES_MAX {
        return Err(format!("mode: at most {}", modes::MODES_MAX));
    }
    let mut ids = BTreeSet::new();
    for mode in &file.mode {
        overlay(mode, &names, &mut ids).map_err(|why| format!("mode {}: {why}", mode.id))?;
    }
    hiring(file)
}

fn overlay<'a>(
    mode: &'a Overlay,
    names: &BTreeSet<&str>,
    ids: &mut BTreeSet<&'a str>,
) -> Result<(), String> {
    if !is_name(&mode.id) || !ids.insert(&mode.id) {
        return Err("id: unique, 1 to 40 of a-z, 0-9, dot, hyphen and underscore".to_owned());
    }
    if !modes::KINDS.contains(&mode.kind.as_str()) {
        return Err(format!("kind: one of {}", modes::KINDS.join(", ")));
    }
    if mode.label.trim().is_empty() || mode.why.trim().is_empty() {
        return Err("label and why: say what the mode is and why it is so".to_owned());
    }
    if let Some(unknown) = mode.shift.keys().find(|name| !names.contains(name.as_str())) {
        return Err(format!("shift: no signal is called {unknown}"));
    }
    if let Some(raised) = NEVER_WEIGHED.iter().find(|name| mode.shift_of(name) != 0) {
        return Err(format!("shift: {raised} is shown and never weighed"));
    }
    let sum: i64 = mode.shift.values().sum();
    if sum != 0 {
        return Err(format!("shift: what is given and taken adds up to {sum}, not 0"));
    }
    Ok(())
}

/// In a hiring decision no fact about delivery weighs anything.
fn hiring(file: &File) -> Result<(), String> {
    let mode = file.mode.iter().find(|mode| mode.id == modes::HIRING);
    let fillers = file.signal.iter().find(|curve| curve.name == "filler_rate");
    let left = fillers.map_or(0, |curve| curve.weight)
        + mode.map_or(0, |mode| mode.shift_of("filler_rate"));
    if left > 0 {
        return Err(format!(
            "mode {}: fillers weigh {left} there; no fact about delivery may enter a hiring score",
            modes::HIRING
        ));
    }
    let rises = |mode: &&Overlay| mode.shift_of("filler_rate") > 0;
    match file.mode.iter().find(rises) {
        Some(mode) => Err(format!(
            "mode {}: shift: fillers may weigh less than in general, never more",
            mode.id
        )),
        None => Ok(()),
    }
}

fn curve(curve: &Curve) -> Result<(), String> {
    if !(0..=WHOLE).contains(&curve.weight) {
        return Err(format!("weight: 0 to {WHOLE}"));
    }
    if NEVER_WEIGHED.contains(&curve.name.as_str()) && curve.weight != 0 {
        return Err("weight: this is shown and never weighed, so it must be 0".to_owned());
    }
    if UP.contains(&curve.name.as_str()) && curve.direction != Direction::Up {
        return Err("direction: more of this is better, so it must be up".to_owned());
    }
    if curve.name == "filler_rate" && curve.direction != Direction::Down {
        return Err("direction: fewer are better, so it must be down".to_owned());
    }
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

fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    (1..=40).contains(&text.len()) && text.chars().all(allowed)
}
