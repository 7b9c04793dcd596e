//! The golden set: answers written for it, whose results are kept with every calibration.
//!
//! A calibration's snapshot says what it made of them when it was taken in. So a later engine that
//! makes something else of them under the same version cannot go unseen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::analysis::Analysis;
use crate::domain::number::Milli;
use crate::insight::engine::Engine;
use crate::insight::score_line::read;

/// The answers, one line of the scoring protocol each.
const ANSWERS: &str = include_str!("../../../assets/calibration/golden.ndjson");

/// What a calibration made of one golden answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Golden {
    /// The answer's id in the set.
    pub id: String,
    /// Its score; null where there was too little to say.
    pub score: Option<Milli>,
    /// The values of its signals.
    pub values: BTreeMap<String, Option<Milli>>,
    /// The points of its signals.
    pub points: BTreeMap<String, Milli>,
}

/// One number that differs between two snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The answer's id in the set.
    pub id: String,
    /// `score`, `value.SIGNAL` or `points.SIGNAL`.
    pub what: String,
    /// In the first snapshot; null where it has none.
    pub from: Option<Milli>,
    /// In the second one.
    pub to: Option<Milli>,
}

/// What an engine makes of the golden set.
pub fn snapshot(engine: &Engine) -> Vec<Golden> {
    let read = ANSWERS.lines().filter_map(|line| read(line).ok());
    read.map(|(id, input)| golden(id, &engine.analyse(&input))).collect()
}

/// Every number that differs, in the order of the first snapshot.
pub fn differences(from: &[Golden], to: &[Golden]) -> Vec<Difference> {
    let find = |all: &[Golden], id: &str| all.iter().find(|golden| golden.id == id).cloned();
    let ids = from.iter().chain(to.iter().filter(|golden| find(from, &golden.id).is_none()));
    let mut found = Vec::new();
    for id in ids.map(|golden| golden.id.clone()) {
        let (a, b) = (numbers(find(from, &id)), numbers(find(to, &id)));
        let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
        for what in names {
            let of = |all: &BTreeMap<String, Option<Milli>>| all.get(what).copied().flatten();
            if of(&a) != of(&b) {
                let what = what.clone();
                let (from, to) = (of(&a), of(&b));
                found.push(Difference { id: id.clone(), what, from, to });
            }
        }
    }
    found
}

fn golden(id: String, analysis: &Analysis) -> Golden {
    let signals = analysis.signals.iter();
    Golden {
        id,
        score: analysis.score,
        values: signals.map(|(name, signal)| (name.clone(), signal.value)).collect(),
        points: analysis.drivers.iter().map(|d| (d.signal.clone(), d.points)).collect(),
    }
}

fn numbers(golden: Option<Golden>) -> BTreeMap<String, Option<Milli>> {
    let Some(golden) = golden else { return BTreeMap::new() };
    let mut numbers = BTreeMap::from([("score".to_owned(), golden.score)]);
    let values = golden.values.into_iter();
    numbers.extend(values.map(|(name, value)| (format!("value.{name}"), value)));
    let points = golden.points.into_iter();
    numbers.extend(points.map(|(name, points)| (format!("points.{name}"), Some(points))));
    numbers
}

#[cfg(test)]
mod tests;
