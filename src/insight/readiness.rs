//! The practice readiness index: where a person's practices stand, from their stored reports alone.
//!
//! The index is the mean of the newest practices' scores, in which a practice counts half as much
//! as the one four later. So it is on the scale of a score, its drivers are the same mean of the
//! reports' drivers, and `baseline + sum(points) = index` exactly. It is no chance of an offer.
//!
//! **Invariant:** an index that was told stays true: it depends on the practices up to then only.

pub mod seed;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::Finding;
use crate::domain::analysis::Driver;
use crate::domain::number::Milli;

/// What a report says to the index.
#[derive(Clone, Debug, Deserialize)]
pub struct Practice {
    /// Which.
    pub interview_id: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Its score; one without does not count.
    pub score: Option<Milli>,
    /// What a middling interview would have had.
    pub baseline: Option<Milli>,
    /// What each signal gained or lost.
    #[serde(default)]
    pub drivers: Vec<Driver>,
    /// What weighed on it.
    #[serde(default)]
    pub risks: Vec<Finding>,
}

/// The index of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// 0 to 100; null without a scored practice.
    pub index: Option<Milli>,
    /// The lower and the upper end of where it may stand.
    pub interval: Option<[Milli; 2]>,
    /// Where a middling person would stand.
    pub baseline: Option<Milli>,
    /// What each signal gained or lost, largest first.
    pub drivers: Vec<Driver>,
    /// Each practice that counts, oldest first, with the index after it.
    pub points: Vec<Point>,
    /// The newest practice against the index before it.
    pub change: Option<Milli>,
    /// What to work on, most costly first.
    pub fix_next: Vec<Fix>,
    /// What this number is.
    pub about: &'static str,
}

/// A practice on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Which practice.
    pub interview_id: String,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Its score.
    pub score: Milli,
    /// The index after it.
    pub index: Milli,
}

/// Something to work on, with the words that show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// The signal.
    pub signal: String,
    /// What it costs the index.
    pub points: Milli,
    /// What would help, in words.
    pub text: String,
    /// The practice that shows it.
    pub interview_id: String,
    /// The answer.
    pub answer_id: String,
    /// First code point of the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// One past the last code point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

/// Practices that an index is made of: all older ones together would weigh a sixteenth.
const PRACTICES_MAX: usize = 16;

/// Practices on the way that is shown.
const POINTS_MAX: usize = 16;

/// Practices to hand in at most: the oldest point shown has as many behind it as the newest.
pub const READ_MAX: usize = PRACTICES_MAX + POINTS_MAX - 1;

/// Practices after which one counts half.
const HALF_LIFE: usize = 4;

/// The weight of the newest practice: enough that halves stay whole numbers.
const WEIGHT: i64 = 1 << 10;

/// How far one practice may lie from where a person stands, in thousandths, before that person's
/// own practices say it: 12 of 100. An assumption, counted as if two practices had shown it.
const SPREAD: i64 = 12_000;
const SPREAD_COUNTS: i64 = 2;

/// Things to work on at once: more are not kept in mind.
const FIXES_MAX: usize = 3;

const ABOUT: &str = "The mean of your practices' scores; a practice counts half as much as the \
    one four later. The interval says where your next practices may lead it, from how much yours \
    differ. It describes the words of answers in practice, and is no chance of an offer.";

/// The index from practices, oldest first.
pub fn readiness(practices: &[Practice]) -> Readiness {
    let counted: Vec<&Practice> =
        practices.iter().filter(|p| p.score.is_some() && p.baseline.is_some()).collect();
    let points: Vec<Point> = (1..=counted.len())
        .skip(counted.len().saturating_sub(POINTS_MAX))
        .filter_map(|n| {
            let newest = counted[n - 1];
            Some(Point {
                interview_id: newest.interview_id.clone(),
                finished_at: newest.finished_at.clone(),
                score: newest.score?,
                index: mean(last(&counted[..n]), |p| p.score)?,
            })
        })
        .collect();
    let counted = last(&counted);
    let (index, baseline) = (mean(counted, |p| p.score), mean(counted, |p| p.baseline));
    let drivers = drivers(counted, index, baseline);
    let change = match &points[..] {
        [.., before, last] => Some(last.score - before.index),
        _ => None,
    };
    Readiness {
        index,
        interval: index.map(|index| interval(counted, index)),
        baseline,
        fix_next: fixes(counted, &drivers),
        drivers,
        points,
        change,
        about: ABOUT,
    }
}

fn last<'a>(practices: &'a [&'a Practice]) -> &'a [&'a Practice] {
    &practices[practices.len().saturating_sub(PRACTICES_MAX)..]
}

/// The weight of the n-th practice before the newest.
fn weight(n: usize) -> i64 {
    let (halvings, quarter) = (n / HALF_LIFE, n % HALF_LIFE);
    let within = [1_000, 841, 707, 595][quarter];
    (WEIGHT >> halvings.min(10)) * within / 1_000
}

fn weights(practices: &[&Practice]) -> impl Iterator<Item = i64> {
    let count = practices.len();
    (0..count).map(move |n| weight(count - 1 - n))
}

fn mean(practices: &[&Practice], value: impl Fn(&Practice) -> Option<Milli>) -> Option<Milli> {
    let (mut sum, mut whole) = (0, 0);
    for (practice, weight) in practices.iter().zip(weights(practices)) {
        sum += value(practice)?.0 * weight;
        whole += weight;
    }
    (whole > 0).then(|| Milli(sum.div_euclid(whole)))
}

/// Two standard errors to each side, within the scale.
fn interval(practices: &[&Practice], index: Milli) -> [Milli; 2] {
    let (mut whole, mut squares, mut spread) = (0, 0, 0);
    for (practice, weight) in practices.iter().zip(weights(practices)) {
        let off = practice.score.map_or(0, |score| score.0 - index.0);
        whole += weight;
        squares += weight * weight;
        spread += off * off;
    }
    let count = practices.len() as i64;
    let variance = (spread + SPREAD_COUNTS * SPREAD * SPREAD) / (count - 1 + SPREAD_COUNTS).max(1);
    // The practices count as many as if so many had the same weight.
    let error = (variance / whole * squares / whole).isqrt();
    let end = |off: i64| Milli((index.0 + off).clamp(0, 100_000));
    [end(-2 * error), end(2 * error)]
}

/// Mean points of each signal, which with the baseline make the index exactly.
fn drivers(practices: &[&Practice], index: Option<Milli>, baseline: Option<Milli>) -> Vec<Driver> {
    let (Some(index), Some(baseline)) = (index, baseline) else { return Vec::new() };
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    let mut whole = 0;
    for (practice, weight) in practices.iter().zip(weights(practices)) {
        whole += weight;
        for driver in &practice.drivers {
            *sums.entry(&driver.signal).or_default() += driver.points.0 * weight;
        }
    }
    let points = |sum: i64| Milli(sum.div_euclid(whole.max(1)));
    let mut drivers: Vec<Driver> = sums
        .into_iter()
        .map(|(signal, sum)| Driver { signal: signal.to_owned(), points: points(sum) })
        .collect();
    let told: Milli = drivers.iter().map(|driver| driver.points).sum();
    // What cutting down to whole thousandths has lost.
    if let Some(largest) = drivers.iter_mut().max_by_key(|driver| driver.points.0.abs()) {
        largest.points += index - baseline - told;
    }
    drivers.sort_by(|a, b| {
        b.points.0.abs().cmp(&a.points.0.abs()).then_with(|| a.signal.cmp(&b.signal))
    });
    drivers
}

/// The signals that cost most, each with the newest words that show it.
fn fixes(practices: &[&Practice], drivers: &[Driver]) -> Vec<Fix> {
    let mut costly: Vec<&Driver> = drivers.iter().filter(|d| d.points < Milli::ZERO).collect();
    costly.sort_by(|a, b| a.points.cmp(&b.points).then_with(|| a.signal.cmp(&b.signal)));
    let shown = |driver: &&Driver| {
        let newest = practices.iter().rev();
        newest.clone().find_map(|practice| {
            let risk = practice.risks.iter().find(|risk| risk.signal == driver.signal)?;
            Some(Fix {
                signal: driver.signal.clone(),
                points: driver.points,
                text: risk.text.clone(),
                interview_id: practice.interview_id.clone(),
                answer_id: risk.answer_id.clone(),
                from: risk.from,
                to: risk.to,
            })
        })
    };
    // Advice without words to show would be a claim without evidence.
    costly.iter().filter_map(shown).take(FIXES_MAX).collect()
}

#[cfg(test)]
mod tests;
