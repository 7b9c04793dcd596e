//! Causal links: connectives that tie an action to a reason or a result.

use super::{Reading, signal};
use crate::domain::analysis::{Evidence, Signal};
use crate::domain::number::Milli;
use crate::insight::lexicon::{Bits, Cue};

/// Counts sentences whose connective stands with something that was done or that changed.
pub(super) fn measure(reading: &Reading) -> Signal {
    let document = &reading.document;
    let mut evidence: Vec<Evidence> = Vec::new();
    let mut links = 0;
    let mut clauses = reading.story.iter().peekable();
    let mut told_before = false;
    for (index, range) in document.sentences.iter().enumerate() {
        let (mut told, mut aside) = (false, false);
        while let Some(clause) = clauses.next_if(|clause| clause.sentence == index) {
            aside |= clause.aside;
            let work = clause.verb.content.any(Bits::ACTION.or(Bits::HELP));
            let outcome = clause.parts.result >= 3;
            told |= !clause.praise
                && !clause.explains
                && !clause.aside
                && ((work && !clause.verb.negated && !clause.verb.reduced) || outcome);
        }
        let tied = told || told_before;
        told_before = told || aside && told_before;
        if document.is_repeat(range) || aside || !tied {
            continue;
        }
        let connectives = document.hits_in(range).iter().filter(|hit| {
            // "So I …" at the start of a sentence takes the floor; it gives no reason.
            let idle = hit.first as usize == range.start && document.fold_at(range.start) == "so";
            matches!(hit.cue, Cue::Causal | Cue::Effect) && !idle
        });
        let mut last = None;
        for hit in connectives {
            let rule = if hit.cue == Cue::Effect { "causal.effect" } else { "causal.reason" };
            evidence.push(reading.evidence(hit.first as usize..hit.last as usize + 1, rule));
            // "because of" holds "because": overlapping connectives are one link.
            links += i64::from(last.is_none_or(|last| hit.first > last));
            last = Some(last.map_or(hit.last, |last: u32| last.max(hit.last)));
        }
    }
    signal(Milli::whole(links), evidence)
}
