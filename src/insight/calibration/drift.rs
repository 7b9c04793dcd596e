//! Drift: what another calibration would say about the answers that are stored, before anybody
//! activates it.
//!
//! Every answer is read anew and weighed twice. Values of signals do not depend on weights; where
//! they differ from the stored ones, the rules have changed since the answer was given, and that is
//! told apart. Stored results stay as they are.
//!
//! Only shifts are told, no answer's own score: practices are nobody else's business.

use std::collections::BTreeMap;

use serde::Serialize;

use super::golden::{self, Difference};
use crate::domain::analysis::{Analysis, CalibrationId, Status};
use crate::domain::number::Milli;
use crate::insight::engine::{AnswerInput, Engine};

/// A stored answer with what was said about it when it was given.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The answer.
    pub input: AnswerInput,
    /// What the engine said then; none in a live interview.
    pub then: Option<Analysis>,
}

/// What differs between two calibrations.
#[derive(Clone, Debug, Serialize)]
pub struct Drift {
    /// The one that is compared against.
    pub from: CalibrationId,
    /// The one that is asked about.
    pub to: CalibrationId,
    /// Stored answers that were read.
    pub answers: u64,
    /// How many of them have a score.
    pub scored: u64,
    /// Whether there are more stored answers than were read; the newest were.
    pub truncated: bool,
    /// How scores move.
    pub score: Shift,
    /// Spearman's rank correlation of the scores, -1 to 1; null with fewer than two answers or
    /// where all scores are equal.
    pub rank_correlation: Option<Milli>,
    /// Answers whose score comes into another band.
    pub changed_bands: u64,
    /// From which band to which, and how many.
    pub bands: Vec<BandMove>,
    /// How each signal moves.
    pub signals: Vec<SignalDrift>,
    /// What differs on the golden set.
    pub golden: Vec<Difference>,
}

/// How a number moves over all answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// The mean.
    pub mean: Option<Milli>,
    /// One in twenty moves less, or further down.
    pub p05: Option<Milli>,
    /// The median.
    pub p50: Option<Milli>,
    /// One in twenty moves further up.
    pub p95: Option<Milli>,
    /// The largest move in either direction.
    pub largest: Option<Milli>,
}

/// Answers that come from one band of scores into another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BandMove {
    /// The band before, for instance `40 to 60`.
    pub from: String,
    /// The band after.
    pub to: String,
    /// How many.
    pub answers: u64,
}

/// How one signal moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignalDrift {
    /// Its name.
    pub signal: String,
    /// Its weight before.
    pub weight_from: i64,
    /// Its weight after.
    pub weight_to: i64,
    /// How its points move.
    pub points: Shift,
    /// How its value moves against the stored one: not by weights, but by rules that have changed
    /// since.
    pub value: Shift,
}

/// Answers that one report reads: some seconds of work at most.
pub const ANSWERS_MAX: usize = 5_000;

/// Bands of this width; scores are 0 to 100.
const BAND: i64 = 20_000;
const BANDS: i64 = 5;

/// Compares two calibrations over stored answers.
pub fn compare(from: &Engine, to: &Engine, stored: &[Stored], truncated: bool) -> Drift {
    let mut scores: Vec<(Milli, Milli)> = Vec::new();
    let mut points: BTreeMap<String, Vec<Milli>> = BTreeMap::new();
    let mut values: BTreeMap<String, Vec<Milli>> = BTreeMap::new();
    for Stored { input, then } in stored {
        let mode = input.mode.as_deref();
        let now = from.analyse(input);
        for (name, signal) in &now.signals {
            let before = then.as_ref().and_then(|then| then.signals.get(name)?.value);
            if let (Some(before), Some(after)) = (before, signal.value) {
                values.entry(name.clone()).or_default().push(after - before);
            }
        }
        if now.status != Status::Scored {
            continue;
        }
        let (before, _, drivers_from) = from.weigh(&now.signals, mode);
        let (after, _, drivers_to) = to.weigh(&now.signals, mode);
        scores.push((before, after));
        let mut moved: BTreeMap<String, Milli> = BTreeMap::new();
        for driver in drivers_from {
            *moved.entry(driver.signal).or_default() += -driver.points;
        }
        for driver in drivers_to {
            *moved.entry(driver.signal).or_default() += driver.points;
        }
        for (name, by) in moved {
            points.entry(name).or_default().push(by);
        }
    }
    let shifts: Vec<Milli> = scores.iter().map(|(before, after)| *after - *before).collect();
    let bands = bands(&scores);
    Drift {
        from: from.calibration().id().clone(),
        to: to.calibration().id().clone(),
        answers: stored.len() as u64,
        scored: scores.len() as u64,
        truncated,
        score: shift(shifts),
        rank_correlation: rank_correlation(&scores),
        changed_bands: bands.iter().map(|moved| moved.answers).sum(),
        bands,
        signals: signals(from, to, points, values),
        golden: golden::differences(&golden::snapshot(from), &golden::snapshot(to)),
    }
}

fn signals(
    from: &Engine,
    to: &Engine,
    mut points: BTreeMap<String, Vec<Milli>>,
    mut values: BTreeMap<String, Vec<Milli>>,
) -> Vec<SignalDrift> {
    let weights_to = to.calibration().weights_by_name(None);
    let weights = from.calibration().weights_by_name(None).into_iter();
    weights
        .map(|(signal, weight_from)| SignalDrift {
            weight_from,
            weight_to: weights_to.get(&signal).copied().unwrap_or(0),
            points: shift(points.remove(&signal).unwrap_or_default()),
            value: shift(values.remove(&signal).unwrap_or_default()),
            signal,
        })
        .collect()
}

fn shift(mut moves: Vec<Milli>) -> Shift {
    moves.sort_unstable();
    // The nearest rank: the smallest value that so many of a hundred do not exceed.
    let rank = |percent: usize| {
        let at = (moves.len() * percent).div_ceil(100).max(1) - 1;
        moves.get(at).copied()
    };
    let sum: i64 = moves.iter().map(|by| by.0).sum();
    Shift {
        mean: (!moves.is_empty()).then(|| Milli(sum / moves.len() as i64)),
        p05: rank(5),
        p50: rank(50),
        p95: rank(95),
        largest: moves.iter().copied().max_by_key(|by| (by.0.abs(), by.0)),
    }
}

fn bands(scores: &[(Milli, Milli)]) -> Vec<BandMove> {
    let band = |score: Milli| (score.0 / BAND).clamp(0, BANDS - 1);
    let mut moved: BTreeMap<(i64, i64), u64> = BTreeMap::new();
    for (before, after) in scores {
        let (a, b) = (band(*before), band(*after));
        if a != b {
            *moved.entry((a, b)).or_default() += 1;
        }
    }
    let name = |band: i64| format!("{} to {}", band * BAND / 1000, (band + 1) * BAND / 1000);
    moved
        .into_iter()
        .map(|((a, b), answers)| BandMove { from: name(a), to: name(b), answers })
        .collect()
}

/// Spearman's rho with mean ranks for ties, in whole thousandths.
fn rank_correlation(scores: &[(Milli, Milli)]) -> Option<Milli> {
    let a = doubled_ranks(scores.iter().map(|(before, _)| *before).collect());
    let b = doubled_ranks(scores.iter().map(|(_, after)| *after).collect());
    let count = a.len() as i128;
    let centred = |x: &[i128], y: &[i128]| {
        let product: i128 = x.iter().zip(y).map(|(x, y)| x * y).sum();
        count * product - x.iter().sum::<i128>() * y.iter().sum::<i128>()
    };
    let (both, first, second) = (centred(&a, &b), centred(&a, &a), centred(&b, &b));
    let whole = first.checked_mul(second).filter(|whole| *whole > 0)?;
    let rho = (both.checked_mul(both)?.checked_mul(1_000_000)? / whole).isqrt() * both.signum();
    i64::try_from(rho).ok().map(Milli)
}

/// Twice the rank of each, so that the mean rank of a tie is a whole number.
fn doubled_ranks(values: Vec<Milli>) -> Vec<i128> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&at| values[at]);
    let mut ranks = vec![0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let same = order[start..].iter().take_while(|&&at| values[at] == values[order[start]]);
        let end = start + same.count();
        for &at in &order[start..end] {
            ranks[at] = (start + 1 + end) as i128;
        }
        start = end;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::Calibration;
    use crate::insight::calibration::built_in;

    fn pairs(pairs: &[(i64, i64)]) -> Vec<(Milli, Milli)> {
        pairs.iter().map(|(a, b)| (Milli::whole(*a), Milli::whole(*b))).collect()
    }

    #[test]
    fn the_rank_correlation_is_spearmans() {
        assert_eq!(rank_correlation(&pairs(&[(1, 2), (2, 4), (3, 9)])), Some(Milli::whole(1)));
        assert_eq!(rank_correlation(&pairs(&[(1, 9), (2, 4), (3, 2)])), Some(Milli::whole(-1)));
        // By hand: ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4.
        let tied = pairs(&[(1, 1), (2, 3), (2, 2), (3, 4)]);
        assert_eq!(rank_correlation(&tied), Some(Milli(948)));
        assert_eq!(rank_correlation(&pairs(&[(1, 2), (1, 3)])), None);
        assert_eq!(rank_correlation(&[]), None);
    }

    #[test]
    fn a_shift_is_told_by_its_mean_and_its_ranks() {
        let moves = (-10..=10).map(Milli::whole).collect();
        let told = shift(moves);
        assert_eq!(told.mean, Some(Milli::ZERO));
        assert_eq!((told.p05, told.p50), (Some(Milli::whole(-9)), Some(Milli::ZERO)));
        assert_eq!((told.p95, told.largest), (Some(Milli::whole(9)), Some(Milli::whole(10))));
        assert_eq!(shift(Vec::new()), Shift::default());
    }

    #[test]
    fn bands_name_who_moves() {
        let moved = bands(&pairs(&[(19, 21), (5, 15), (90, 79), (39, 41), (100, 95)]));
        let told: Vec<_> =
            moved.iter().map(|m| (m.from.as_str(), m.to.as_str(), m.answers)).collect();
        let expected =
            [("0 to 20", "20 to 40", 1), ("20 to 40", "40 to 60", 1), ("80 to 100", "60 to 80", 1)];
        assert_eq!(told, expected);
    }

    fn stored(engine: &Engine) -> Vec<Stored> {
        let story = "In my last job our returns desk was overloaded. I mapped each step, wrote a \
            label for each shelf and trained four colleagues. Within 3 months losses fell from 20 \
            percent to 4 percent.";
        let texts = [story, &story.replace("I ", "we "), "Patience, I think."];
        let input = |text: &str| AnswerInput {
            question: Some("Tell me about a time you improved a process.".to_owned()),
            answer: text.to_owned(),
            ..AnswerInput::default()
        };
        let told = |text: &&str| {
            let input = input(text);
            Stored { then: Some(engine.analyse(&input)), input }
        };
        texts.iter().map(told).collect()
    }

    #[test]
    fn a_calibration_does_not_drift_from_itself() {
        let engine = Engine::built_in();
        let drift = compare(&engine, &engine, &stored(&engine), false);
        assert_eq!((drift.answers, drift.scored, drift.changed_bands), (3, 2, 0));
        assert_eq!(drift.score.largest, Some(Milli::ZERO));
        assert!(drift.golden.is_empty());
        for signal in &drift.signals {
            assert_eq!(signal.points.largest.unwrap_or_default(), Milli::ZERO, "{signal:?}");
            assert_eq!(signal.value.largest.unwrap_or_default(), Milli::ZERO, "{signal:?}");
        }
    }

    #[test]
    fn what_a_weight_moves_is_told_signal_by_signal_and_adds_up() {
        let engine = Engine::built_in();
        let text = built_in::DEFAULT
            .replacen("core-1", "own-1", 2)
            .replacen("weight = 22", "weight = 32", 1)
            .replacen("weight = 20", "weight = 10", 1);
        let other = engine.under(Calibration::parse(&text).expect("valid"));
        let drift = compare(&engine, &other, &stored(&engine), true);
        assert!(drift.truncated && drift.to.version == "own-1");
        let of = |name: &str| drift.signals.iter().find(|s| s.signal == name).expect(name);
        let structure = of("structure");
        assert_eq!((structure.weight_from, structure.weight_to), (22, 32));
        assert_eq!(of("ownership").points.largest, Some(Milli::ZERO));
        assert_ne!(structure.points.largest, Some(Milli::ZERO));
        assert!(drift.golden.iter().any(|d| d.what == "points.structure"));
        assert!(
            drift.golden.iter().all(|d| !d.what.starts_with("value.")),
            "weights move no value"
        );
    }
}
