//! Progress: a person's own practices one after the other, and where each number is heading.
//!
//! A trend is Theil and Sen's: the median of the slopes between all pairs of practices, so that one
//! odd day does not turn it. It is told only where most pairs agree on its direction. Everything is
//! compared with the person's own past, never with others.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::number::Milli;

/// The numbers of one practice, by name; `score` among them.
pub type Numbers = BTreeMap<String, Option<Milli>>;

/// Where a number is heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It rises.
    Up,
    /// It falls.
    Down,
    /// It stays, or goes up and down without a direction.
    Stable,
}

/// How one number moves over a person's practices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trend {
    /// `score`, `consistency`, or a signal.
    pub name: String,
    /// Practices that have it.
    pub practices: u64,
    /// In the first of those that count.
    pub first: Milli,
    /// In the newest.
    pub latest: Milli,
    /// What the trend makes over all of them; null with fewer than three.
    pub change: Option<Milli>,
    /// Where it is heading; null with fewer than three.
    pub direction: Option<Direction>,
    /// Share of pairs of practices that move the way of the trend, 0 to 1.
    pub agreement: Option<Milli>,
    /// Share of the earlier practices that the newest one beats, 0 to 100; null with fewer than
    /// four earlier ones. Only the own past is compared.
    pub own_percentile: Option<Milli>,
}

/// Practices that a trend is made of; older ones say little about where somebody is heading.
pub const PRACTICES_MAX: usize = 16;

/// With fewer there is no direction to speak of.
const PRACTICES_MIN: usize = 3;

/// Earlier practices that a percentile needs: with fewer it could only be 0, 33, 67 or 100.
const EARLIER_MIN: usize = 4;

/// A direction is told if two of three pairs agree on it.
const AGREEMENT_MIN: Milli = Milli(667);

/// Less than this over all practices is no change: three points of a hundred, and the same share of
/// scales of other lengths.
fn least_change(name: &str) -> Milli {
    match name {
        "quantified_evidence" | "trade_off" | "causal" => Milli(500),
        "filler_rate" => Milli(500),
        "pause_share" => Milli(30),
        "length_words" | "words_per_minute" => Milli::whole(10),
        _ => Milli::whole(3),
    }
}

/// The trend of every number that any of the practices has, oldest practice first.
pub fn trends(practices: &[Numbers]) -> Vec<Trend> {
    let newest = &practices[practices.len().saturating_sub(PRACTICES_MAX)..];
    let mut names: Vec<&String> = newest.iter().flat_map(|numbers| numbers.keys()).collect();
    // The score leads, the rest by name.
    names.sort_by_key(|name| (name.as_str() != "score", name.as_str()));
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| {
            let values: Vec<Milli> = newest.iter().filter_map(|n| *n.get(name)?).collect();
            trend(name, &values)
        })
        .collect()
}

fn trend(name: &str, values: &[Milli]) -> Option<Trend> {
    let (first, latest) = (*values.first()?, *values.last()?);
    let enough = values.len() >= PRACTICES_MIN;
    let change = enough.then(|| change(values));
    let agreement = change.map(|change| agreement(values, change));
    let direction = change.zip(agreement).map(|(change, agreement)| {
        let told = change.0.abs() >= least_change(name).0 && agreement >= AGREEMENT_MIN;
        match (told, change > Milli::ZERO) {
            (false, _) => Direction::Stable,
            (true, true) => Direction::Up,
            (true, false) => Direction::Down,
        }
    });
    let earlier = &values[..values.len() - 1];
    let beaten = earlier.iter().filter(|value| **value < latest).count() as i64;
    let own_percentile =
        (earlier.len() >= EARLIER_MIN).then(|| Milli(beaten * 100_000 / earlier.len() as i64));
    Some(Trend {
        name: name.to_owned(),
        practices: values.len() as u64,
        first,
        latest,
        change,
        direction,
        agreement,
        own_percentile,
    })
}

/// The median slope between pairs, times the steps from the first to the last.
fn change(values: &[Milli]) -> Milli {
    let steps = values.len() as i64 - 1;
    let mut slopes: Vec<i64> = pairs(values).map(|(apart, by)| by * steps / apart).collect();
    slopes.sort_unstable();
    let middle = slopes.len() / 2;
    Milli(match slopes.len() % 2 {
        0 => (slopes[middle - 1] + slopes[middle]) / 2,
        _ => slopes[middle],
    })
}

fn agreement(values: &[Milli], change: Milli) -> Milli {
    let sign = change.0.signum();
    let (mut all, mut agree) = (0, 0);
    for (_, by) in pairs(values) {
        all += 1;
        agree += i64::from(by.signum() == sign);
    }
    Milli(agree * 1000 / all.max(1))
}

/// How many practices apart, and by how much, for every pair.
fn pairs(values: &[Milli]) -> impl Iterator<Item = (i64, i64)> + '_ {
    values.iter().enumerate().flat_map(move |(a, from)| {
        let later = values.iter().enumerate().skip(a + 1);
        later.map(move |(b, to)| ((b - a) as i64, to.0 - from.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scores: &[i64]) -> Vec<Numbers> {
        let one = |score: &i64| Numbers::from([("score".to_owned(), Some(Milli::whole(*score)))]);
        scores.iter().map(one).collect()
    }

    fn told(scores: &[i64]) -> Trend {
        trends(&of(scores)).remove(0)
    }

    #[test]
    fn one_odd_day_does_not_turn_a_trend() {
        let steady = told(&[40, 44, 48, 52, 56]);
        assert_eq!(
            (steady.change, steady.direction),
            (Some(Milli::whole(16)), Some(Direction::Up))
        );
        assert_eq!(steady.agreement, Some(Milli::whole(1)));
        assert_eq!(told(&[40, 44, 48, 90, 56]).direction, Some(Direction::Up));
        assert_eq!(told(&[40, 44, 48, 10, 56]).direction, Some(Direction::Up));
        assert_eq!(told(&[60, 56, 52, 48]).direction, Some(Direction::Down));
    }

    #[test]
    fn a_few_practices_and_a_to_and_fro_have_no_direction() {
        let two = told(&[40, 80]);
        assert_eq!((two.direction, two.change, two.practices), (None, None, 2));
        assert_eq!(told(&[40, 60, 40, 60, 41]).direction, Some(Direction::Stable));
        assert_eq!(told(&[50, 51, 52]).direction, Some(Direction::Stable), "within three points");
        assert!(trends(&[]).is_empty());
        assert!(trends(&[Numbers::from([("score".to_owned(), None)])]).is_empty());
    }

    #[test]
    fn a_percentile_is_among_the_own_earlier_practices() {
        assert_eq!(told(&[10, 20, 30, 25]).own_percentile, None);
        assert_eq!(told(&[10, 20, 30, 40, 25]).own_percentile, Some(Milli::whole(50)));
        assert_eq!(told(&[10, 20, 30, 40, 50]).own_percentile, Some(Milli::whole(100)));
        // Being as good as before is not beating it.
        assert_eq!(told(&[50, 50, 50, 50, 50]).own_percentile, Some(Milli::ZERO));
    }

    #[test]
    fn the_score_leads_and_missing_numbers_are_passed_over() {
        let mut practices = of(&[1, 2, 3]);
        practices[0].insert("causal".to_owned(), Some(Milli::whole(1)));
        practices[2].insert("causal".to_owned(), Some(Milli::whole(4)));
        let all = trends(&practices);
        assert_eq!((all[0].name.as_str(), all[1].name.as_str()), ("score", "causal"));
        assert_eq!((all[1].practices, all[1].latest), (2, Milli::whole(4)));
    }

    #[test]
    fn only_the_newest_practices_count() {
        let mut scores = vec![90; 20];
        scores.extend((0..PRACTICES_MAX as i64).map(|n| 20 + n));
        let trend = told(&scores);
        assert_eq!((trend.first, trend.practices), (Milli::whole(20), PRACTICES_MAX as u64));
        assert_eq!(trend.direction, Some(Direction::Up));
    }
}
