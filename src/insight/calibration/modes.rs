//! Modes: overlays over the weights, one of each kind at a time.
//!
//! A mode takes weight from some signals and gives it to others, so weights add up to 100 in every
//! mode and in every mix. What it changes is told from the numbers themselves, so that the words
//! cannot say something else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Curve;

/// What modes there can be; a mix has at most one of each.
pub(super) const KINDS: [&str; 4] = ["company", "role", "round", "purpose"];

/// The mode of a hiring decision: no fact about delivery weighs anything in it.
pub(super) const HIRING: &str = "hiring";

/// What stands between the modes of a mix.
const JOINT: char = '+';

/// A file holds no more modes than anybody would read.
pub(super) const MODES_MAX: usize = 200;

/// The lists in the binary, by name. Like a calibration, a list never changes once it is released.
const LISTS: [(&str, &str); 1] =
    [("modes-1", include_str!("../../../assets/calibration/modes-1.toml"))];

/// A named overlay as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mode {
    /// Stable id.
    pub id: String,
    /// `company`, `role`, `round` or `purpose`.
    pub kind: String,
    /// The name that people read.
    pub label: String,
    /// What it changes, in plain words; that it changes nothing, if so.
    pub changes: Vec<String>,
    /// Why it is so.
    pub why: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Overlay {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) label: String,
    pub(super) why: String,
    /// What is given to and taken from each weight.
    #[serde(default)]
    pub(super) shift: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    mode: Vec<Overlay>,
}

impl Overlay {
    pub(super) fn shift_of(&self, signal: &str) -> i64 {
        self.shift.get(signal).copied().unwrap_or(0)
    }

    /// The mode in words, over the weights that it shifts.
    pub(super) fn described(&self, signals: &[Curve]) -> Mode {
        let mut changes = told(signals, &shifted(signals, &[self]));
        if changes.is_empty() {
            changes.push("Changes nothing: the weights are the default ones.".to_owned());
        }
        Mode {
            id: self.id.clone(),
            kind: self.kind.clone(),
            label: self.label.clone(),
            changes,
            why: self.why.clone(),
        }
    }
}

/// The weights under a mix. A signal gives no more than it has: what it lacks is taken back from
/// those that gain, the largest gain first, so that weights add up whatever is mixed.
pub(super) fn shifted(signals: &[Curve], mixed: &[&Overlay]) -> Vec<i64> {
    let shift = |curve: &Curve| mixed.iter().map(|mode| mode.shift_of(&curve.name)).sum::<i64>();
    let mut weights: Vec<i64> = signals.iter().map(|curve| curve.weight + shift(curve)).collect();
    let mut lacking: i64 = weights.iter().map(|weight| (-weight).max(0)).sum();
    weights.iter_mut().for_each(|weight| *weight = (*weight).max(0));
    let mut gains: Vec<(i64, usize)> =
        signals.iter().enumerate().map(|(at, curve)| (shift(curve), at)).collect();
    gains.sort_by_key(|(gain, at)| (-gain, *at));
    for (gain, at) in gains {
        let back = lacking.min(gain.max(0));
        weights[at] -= back;
        lacking -= back;
    }
    weights
}

/// Which weights differ from the default ones, in words.
pub(super) fn told(signals: &[Curve], weights: &[i64]) -> Vec<String> {
    let differ = signals.iter().zip(weights).filter(|(curve, now)| curve.weight != **now);
    let told = differ.map(|(curve, now)| {
        format!("{}: weight {now} instead of {}.", title(&curve.name), curve.weight)
    });
    told.collect()
}

/// A signal's name for people.
fn title(signal: &str) -> String {
    let words = match signal {
        "trade_off" => "trade-offs".to_owned(),
        "causal" => "causal links".to_owned(),
        "filler_rate" => "fillers".to_owned(),
        other => other.replace('_', " "),
    };
    let mut letters = words.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// The modes of a file: those of the list that it names, and its own, which replace namesakes.
pub(super) fn resolve(list: Option<&str>, own: Vec<Overlay>) -> Result<Vec<Overlay>, String> {
    let Some(name) = list else { return Ok(own) };
    let Some((_, text)) = LISTS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = LISTS.iter().map(|(known, _)| *known).collect();
        return Err(format!("modes: there is no list {name}; there is {}", known.join(", ")));
    };
    let list: List = toml::from_str(text).map_err(|error| format!("modes {name}: {error}"))?;
    let mut modes = list.mode;
    for overlay in own {
        match modes.iter_mut().find(|mode| mode.id == overlay.id) {
            Some(namesake) => *namesake = overlay,
            None => modes.push(overlay),
        }
    }
    Ok(modes)
}

/// The modes of a mix that are known.
pub(super) fn mixed<'a>(
    modes: &'a [Overlay],
    mix: &'a str,
) -> impl Iterator<Item = &'a Overlay> + 'a {
    let mut kinds: Vec<&str> = Vec::new();
    let known = move |id: &str| {
        let mode = modes.iter().find(|mode| mode.id == id)?;
        // A second mode of a kind is left out, so that no weight can fall below nothing.
        let fresh = !kinds.contains(&mode.kind.as_str());
        kinds.push(&mode.kind);
        fresh.then_some(mode)
    };
    mix.split(JOINT).take(KINDS.len()).filter_map(known)
}

/// Whether each mode of a mix is known, and no two are of one kind.
pub(super) fn check_mix(modes: &[Overlay], mix: &str) -> Result<(), String> {
    let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
    for id in mix.split(JOINT) {
        let Some(mode) = modes.iter().find(|mode| mode.id == id) else {
            return Err(format!("no such mode: {id}; GET /api/v1/modes lists them"));
        };
        if let Some(other) = kinds.insert(&mode.kind, id) {
            let kind = &mode.kind;
            return Err(format!("{other} and {id} are both of kind {kind}; choose one of them"));
        }
    }
    Ok(())
}
