//! Quantified evidence: what was claimed in numbers, and how completely.
//!
//! A claim is a number with a unit, said about work or its outcome: one point, and one more each
//! for the change, the baseline and the period. A number without a unit is no claim, the same claim
//! said twice counts once, what cannot be (a fall by 300 per cent) is flagged instead of counted,
//! and a figure that the speaker takes back counts no longer.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Amount, Reading, Unit, signal};
use crate::domain::analysis::{Evidence, Signal};
use crate::domain::number::Milli;
use crate::insight::lexicon::{Bits, Cue};

/// How far apart the two ends of "from … to …" may stand, in words.
const FROM_TO_WORDS: usize = 10;

/// So many sentences after a number may still take it back; later ones mean something else.
const TAKEN_BACK_SENTENCES: usize = 3;

/// A rise beyond this is a slip or an exception; either way it needs a question, not points.
const PERCENT_MAX: i64 = 1_000_000;

/// A fall by more than everything cannot be.
const FALL_PERCENT_MAX: i64 = 100_000;

const CHANGE: Bits =
    Bits::UP.or(Bits::DOWN).or(Bits::GAIN).or(Bits::ATTAIN).or(Bits::LOSS).or(Bits::CHANGE);

pub(super) fn measure(reading: &Reading) -> Signal {
    let mut claims: BTreeMap<(i64, Unit), i64> = BTreeMap::new();
    let mut evidence: Vec<Evidence> = Vec::new();
    let mut clause = 0;
    let mut sentence = 0;
    for (index, amount) in reading.amounts.iter().enumerate() {
        while reading.story[clause].range.end <= amount.range.start {
            clause += 1;
        }
        while reading.document.sentences[sentence].end <= amount.range.start {
            sentence += 1;
        }
        let mut judged = weigh(reading, index, clause, sentence);
        if judged.0 > 0 && is_taken_back(reading, index, sentence) {
            judged = (0, "quantified.taken_back");
        }
        let (points, rule) = judged;
        if !rule.is_empty() {
            evidence.push(reading.evidence(amount.range.clone(), rule));
        }
        if points > 0 {
            let best = claims.entry((amount.value, amount.unit)).or_default();
            *best = points.max(*best);
        }
    }
    signal(Milli::whole(claims.values().sum()), evidence)
}

/// Whether the speaker withdraws this number: in its own sentence, or in a later one that speaks of
/// "that figure" before another number is given.
fn is_taken_back(reading: &Reading, index: usize, sentence: usize) -> bool {
    const NAMES: &str = "figure figures number numbers percentage metric statistic estimate";
    let document = &reading.document;
    let following = reading.amounts.get(index + 1).map_or(usize::MAX, |next| next.range.start);
    let named = |range: &Range<usize>| {
        range.clone().any(|at| NAMES.split(' ').any(|name| name == document.fold_at(at)))
    };
    let later = document.sentences[sentence + 1..].iter();
    document.has(&document.sentences[sentence], Cue::Retraction)
        || later
            .take(TAKEN_BACK_SENTENCES)
            .take_while(|range| range.end <= following)
            .any(|range| document.has(range, Cue::Retraction) && named(range))
}

/// Points of one number, and the rule that gave them.
fn weigh(reading: &Reading, index: usize, clause: usize, sentence: usize) -> (i64, &'static str) {
    let document = &reading.document;
    let amount = &reading.amounts[index];
    let clause = &reading.story[clause];
    let sentence = &document.sentences[sentence];
    let tokens = &document.tokens[clause.range.clone()];
    let changed = tokens.iter().any(|token| token.bits.any(CHANGE))
        || document.has(&clause.range, Cue::Effect)
        || reading.is_to(index, sentence.start);
    let falls = tokens.iter().any(|token| token.bits.any(Bits::DOWN));
    let work = clause.verb.does_work() && !clause.verb.negated;
    if clause.aside {
        return (0, "");
    }
    match amount.unit {
        Unit::Year => return (0, ""),
        // "Gaps fell from six to one": the subject is the unit of both ends.
        Unit::Bare if !reading.is_to(index, sentence.start) || !work => return (0, ""),
        Unit::Percent | Unit::Times if amount.value > PERCENT_MAX => {
            return (0, "quantified.implausible");
        }
        Unit::Percent if falls && amount.value > FALL_PERCENT_MAX => {
            return (0, "quantified.implausible");
        }
        Unit::Period(_) if !changed || is_frame(reading, amount) => {
            return (0, "quantified.period");
        }
        Unit::Count(_) | Unit::People(_) if !work && !changed => return (0, "quantified.context"),
        _ => {}
    }
    if is_emphasis(reading, amount) {
        return (0, "");
    }
    // The first half of "from 9 to 4" is the baseline of the second.
    if reading.is_from(index, sentence.end) {
        return (0, "quantified.baseline");
    }
    let baseline = reading.is_to(index, sentence.start) || document.has(sentence, Cue::Baseline);
    let timed = document.has(sentence, Cue::Period)
        || document.tokens[sentence.clone()].iter().any(|token| token.bits.any(Bits::MONTH))
        || reading.in_sentence(sentence).any(|(other, period)| {
            other != index
                && matches!(period.unit, Unit::Period(_) | Unit::Year)
                && is_frame(reading, period)
        });
    let points = 1 + i64::from(changed) + i64::from(baseline) + i64::from(timed);
    let rule = match points {
        1 => "quantified.number_and_unit",
        2 => "quantified.one_part_more",
        3 => "quantified.two_parts_more",
        _ => "quantified.complete",
    };
    (points, rule)
}

/// Whether a stretch of time says when, not how much: "within two weeks", "over 3 months".
fn is_frame(reading: &Reading, amount: &Amount) -> bool {
    let Some(before) = amount.range.start.checked_sub(1) else {
        return false;
    };
    const OPENERS: &str = "in within over after during for per every each first last next about by \
        past the under since";
    let word = reading.document.fold_at(before);
    OPENERS.split_whitespace().any(|opener| opener == word)
}

/// "100 % my own work": stress, not measure, unless a word such as "by" or "to" leads to it.
fn is_emphasis(reading: &Reading, amount: &Amount) -> bool {
    const GIVE: &str = "give gives gave given giving";
    /// "I give it a good 110 percent": so many words may stand between.
    const BETWEEN: usize = 3;
    let document = &reading.document;
    let start = amount.range.start;
    let before = start.checked_sub(1).map(|at| document.bits_at(at));
    let all = amount.value == 100_000
        && document.tokens[start].percent
        && !before.is_some_and(|bits| bits.any(Bits::PREPOSITION));
    let gives = |at: usize| GIVE.split(' ').any(|word| word == document.fold_at(at));
    let more_than_all = amount.value >= 100_000
        && amount.value % 10_000 == 0
        && (start.saturating_sub(BETWEEN)..start).any(gives);
    amount.unit == Unit::Percent && (all || more_than_all)
}

impl Reading {
    /// The numbers of one sentence with their index.
    fn in_sentence(&self, sentence: &Range<usize>) -> impl Iterator<Item = (usize, &Amount)> {
        let before =
            |place: usize| self.amounts.partition_point(|amount| amount.range.start < place);
        let (first, end) = (before(sentence.start), before(sentence.end));
        (first..end).zip(&self.amounts[first..end])
    }

    /// Whether this is the end of "from … to …" that begins in the same sentence.
    fn is_to(&self, index: usize, sentence_start: usize) -> bool {
        index > 0
            && self.amounts[index - 1].range.start >= sentence_start
            && self.joined(index - 1, index)
    }

    /// Whether this is the beginning of "from … to …" that ends in the same sentence.
    fn is_from(&self, index: usize, sentence_end: usize) -> bool {
        index + 1 < self.amounts.len()
            && self.amounts[index + 1].range.start < sentence_end
            && self.joined(index, index + 1)
    }

    fn joined(&self, first: usize, second: usize) -> bool {
        let (a, b) = (&self.amounts[first].range, &self.amounts[second].range);
        let opened =
            (a.start.saturating_sub(2)..a.start).any(|at| self.document.fold_at(at) == "from");
        let closed = (b.start.saturating_sub(2).max(a.end)..b.start)
            .any(|at| matches!(self.document.fold_at(at), "to" | "down" | "up"));
        opened && closed && b.start - a.end <= FROM_TO_WORDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::lexicon::Lexicon;

    fn value(text: &str) -> i64 {
        measure(&Reading::new(&Lexicon::new(), text)).value.expect("always given").0 / 1000
    }

    #[test]
    fn completeness_is_number_with_unit_then_change_baseline_and_period() {
        assert_eq!(value("Room 7, line 4, number 12."), 0);
        assert_eq!(value("I trained 40 nurses."), 1);
        assert_eq!(value("Errors fell by 40 %."), 2);
        assert_eq!(value("Errors fell from 9 % to 4 %."), 3);
        assert_eq!(value("Errors fell from 9 % to 4 % within two weeks."), 4);
    }

    #[test]
    fn a_figure_that_is_taken_back_counts_no_longer() {
        let claim = "Errors fell by 40 %.";
        assert_eq!(value(&format!("{claim} Actually I made that figure up, it was a guess.")), 0);
        assert_eq!(value(&format!("{claim} I might be wrong about that number.")), 0);
        assert_eq!(value(&format!("{claim} The number hangs on the wall.")), value(claim));
    }

    #[test]
    fn a_claim_counts_once_and_what_cannot_be_does_not_count() {
        let once = value("Errors fell by 40 %.");
        assert_eq!(value("Errors fell by 40 %. So errors really fell by 40 %."), once);
        assert_eq!(value("Costs fell by 300 %."), 0);
        assert_eq!(value("Sales grew by 90000 percent."), 0);
    }
}
