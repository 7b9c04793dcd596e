//! The readiness index: exact sums, weights of age, an interval that narrows, advice with words.

use proptest::prelude::*;

use super::*;

fn practice(n: usize, score: i64, drivers: &[(&str, i64)]) -> Practice {
    let gained: i64 = drivers.iter().map(|(_, points)| points).sum();
    let risk = |(signal, _): &&(&str, i64)| Finding {
        signal: (*signal).to_owned(),
        text: format!("Work on {signal}."),
        answer_id: format!("answer-{n}"),
        from: Some(3),
        to: Some(9),
    };
    Practice {
        interview_id: format!("practice-{n}"),
        finished_at: None,
        score: Some(Milli(score)),
        baseline: Some(Milli(score - gained)),
        drivers: drivers
            .iter()
            .map(|(signal, points)| Driver { signal: (*signal).to_owned(), points: Milli(*points) })
            .collect(),
        risks: drivers.iter().filter(|(_, points)| *points < 0).map(|d| risk(&d)).collect(),
    }
}

#[test]
fn without_a_practice_there_is_no_number() {
    let none = readiness(&[]);
    assert_eq!((none.index, none.interval, none.change), (None, None, None));
    assert!(none.drivers.is_empty() && none.points.is_empty() && none.fix_next.is_empty());
    let unscored = Practice { score: None, ..practice(1, 50_000, &[]) };
    assert_eq!(readiness(&[unscored]).index, None);
}

#[test]
fn a_practice_counts_half_as_much_as_the_one_four_later() {
    let old = practice(0, 20_000, &[]);
    let mut practices = vec![old];
    practices.extend((1..5).map(|n| practice(n, 80_000, &[])));
    let index = readiness(&practices).index.unwrap();
    // 20 with a half, and 80 with 0.595 + 0.707 + 0.841 + 1.
    let expected = (20.0 * 0.5 + 80.0 * 3.143) / 3.643 * 1_000.0;
    assert!((index.0 as f64 - expected).abs() < 50.0, "{index:?} {expected}");
}

#[test]
fn more_practices_that_agree_narrow_the_interval() {
    let width = |count: usize, away: i64| {
        let scores = (0..count).map(|n| 60_000 + if n % 2 == 0 { away } else { -away });
        let practices: Vec<Practice> =
            scores.enumerate().map(|(n, score)| practice(n, score, &[])).collect();
        let [low, high] = readiness(&practices).interval.unwrap();
        high.0 - low.0
    };
    assert!(width(1, 0) > width(3, 0) && width(3, 0) > width(8, 0));
    assert!(width(8, 20_000) > width(8, 1_000), "who differs from day to day is less certain");
}

#[test]
fn what_costs_most_comes_first_with_its_newest_words() {
    let weak = [("structure", -4_000), ("causal", -1_000), ("ownership", 2_000)];
    let found = readiness(&[practice(0, 40_000, &weak), practice(1, 45_000, &weak)]);
    let signals: Vec<&str> = found.fix_next.iter().map(|fix| fix.signal.as_str()).collect();
    assert_eq!(signals, ["structure", "causal"]);
    let first = &found.fix_next[0];
    assert_eq!((first.answer_id.as_str(), first.from), ("answer-1", Some(3)));
    assert_eq!(found.change, Some(Milli(5_000)));
}

proptest! {
    #[test]
    fn drivers_make_the_index_and_the_past_stays(
        drawn in prop::collection::vec(
            (0_i64..=100_000, -20_000_i64..20_000, -20_000_i64..20_000), 1..50)
    ) {
        let practices: Vec<Practice> = drawn
            .iter()
            .enumerate()
            .map(|(n, (score, a, b))| practice(n, *score, &[("structure", *a), ("causal", *b)]))
            .collect();
        let found = readiness(&practices);
        let (index, baseline) = (found.index.unwrap(), found.baseline.unwrap());
        let told: Milli = found.drivers.iter().map(|driver| driver.points).sum();
        prop_assert_eq!(baseline + told, index);
        let [low, high] = found.interval.unwrap();
        prop_assert!(low <= index && index <= high);
        prop_assert!((0..=100_000).contains(&low.0) && (0..=100_000).contains(&high.0));
        // What was told after each practice is what is told of it now, also by a reader that hands
        // in no more than it has to.
        let handed = &practices[practices.len().saturating_sub(READ_MAX)..];
        prop_assert_eq!(&readiness(handed), &found);
        prop_assert_eq!(found.points.len(), practices.len().min(POINTS_MAX));
        let first = practices.len() - found.points.len();
        for (n, point) in (first..).zip(&found.points) {
            prop_assert_eq!(readiness(&practices[..=n]).index, Some(point.index));
        }
    }
}
