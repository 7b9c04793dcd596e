//! Trade-offs: which of five elements of a weighed decision the answer names.
//!
//! An alternative, a choice, a criterion, a cost, and a condition that would turn the choice round.
//! The last three count only next to one of the first two: "because" alone weighs nothing.

use std::ops::Range;

use super::{Reading, signal};
use crate::domain::analysis::{Evidence, Signal};
use crate::domain::number::Milli;
use crate::insight::lexicon::{Bits, Cue};

/// How far from a choice or an alternative, in sentences, its reasons may stand.
const NEAR_SENTENCES: usize = 1;

pub(super) fn measure(reading: &Reading) -> Signal {
    let document = &reading.document;
    let sentences = &document.sentences;
    let anchors: Vec<bool> = sentences
        .iter()
        .map(|range| document.has(range, Cue::Alternative) || document.has(range, Cue::Choice))
        .collect();
    let mut found = [false; 5];
    let mut evidence: Vec<Evidence> = Vec::new();
    let mut beside = vec![false; sentences.len()];
    reading.story.iter().filter(|clause| clause.aside).for_each(|c| beside[c.sentence] = true);
    for (index, range) in sentences.iter().enumerate() {
        if document.is_repeat(range) || beside[index] {
            continue;
        }
        let near =
            index.saturating_sub(NEAR_SENTENCES)..(index + NEAR_SENTENCES + 1).min(sentences.len());
        let anchored = anchors[near].iter().any(|anchor| *anchor);
        for hit in document.hits_in(range) {
            let (element, rule) = match hit.cue {
                Cue::Alternative => (0, "trade_off.alternative"),
                Cue::Contrast if anchored => (0, "trade_off.alternative"),
                Cue::Choice => (1, "trade_off.choice"),
                Cue::Criterion if anchored => (2, "trade_off.criterion"),
                Cue::Cost if anchored => (3, "trade_off.cost"),
                Cue::Reversal if anchored => (4, "trade_off.reversal"),
                _ => continue,
            };
            found[element] = true;
            evidence.push(reading.evidence(hit.first as usize..hit.last as usize + 1, rule));
        }
        if anchored && let Some(condition) = reversal(reading, range) {
            found[4] = true;
            evidence.push(reading.evidence(condition, "trade_off.reversal"));
        }
    }
    let elements = found.iter().filter(|element| **element).count();
    signal(Milli::whole(elements as i64), evidence)
}

/// "If … would …" in one sentence: what would have made the choice another one.
fn reversal(reading: &Reading, range: &Range<usize>) -> Option<Range<usize>> {
    let document = &reading.document;
    let condition = range.clone().find(|&at| document.fold_at(at) == "if")?;
    let turned = range
        .clone()
        .any(|at| document.bits_at(at).any(Bits::MODAL) && document.fold_at(at).contains("uld"));
    turned.then_some(condition..condition + 1)
}
