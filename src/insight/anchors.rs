//! Anchors: what a value means in words, and what would reach the next one.

use crate::domain::analysis::Signal;
use crate::domain::number::Milli;

/// From this value on, this is what the answer does.
type Anchor = (i64, &'static str);

const STRUCTURE: &[Anchor] = &[
    (0, "No setting, action or result is told apart."),
    (15, "One part of the story is told."),
    (40, "Two parts are told."),
    (60, "Setting, action and result are all told."),
    (85, "Every part is told in order and in some detail."),
];
const OWNERSHIP: &[Anchor] = &[
    (0, "The actions belong to others or are told in the passive."),
    (38, "It stays open who did what."),
    (58, "Some actions are the speaker's own."),
    (75, "Most actions are the speaker's own and named as such."),
];
const QUANTIFIED: &[Anchor] = &[
    (0, "Nothing is measured."),
    (1, "A number with a unit is given."),
    (3, "A change is measured against a baseline or a period."),
    (6, "Several changes are measured."),
    (10, "The outcome is fully measured: change, baseline and period."),
];
const SPECIFICITY: &[Anchor] = &[
    (0, "The words fit almost any story."),
    (30, "Some details are exact."),
    (45, "Names, figures or exact terms carry the story."),
    (60, "Nearly every sentence is exact."),
];
const TRADE_OFF: &[Anchor] = &[
    (0, "No decision is weighed."),
    (1, "A choice or an alternative is named."),
    (2, "Two elements of a weighed decision are named."),
    (3, "Choice, alternative and a reason or cost are named."),
    (5, "Alternative, choice, criterion, cost and what would reverse it are all named."),
];
const CAUSAL: &[Anchor] = &[
    (0, "Actions and outcomes stand side by side."),
    (1, "One action is tied to its reason or result."),
    (3, "The story runs on stated reasons."),
];
const RELEVANCE: &[Anchor] = &[
    (0, "The question is hardly taken up."),
    (40, "A part of the question is taken up."),
    (70, "The question is taken up."),
    (100, "The question is taken up in its terms and kind."),
];
/// Falling values: the anchor is the first whose limit is not passed.
const FILLERS: &[Anchor] = &[
    (0, "No fillers."),
    (2, "A few fillers, as in most speech."),
    (6, "Fillers are noticeable."),
    (1_000_000, "Fillers are frequent."),
];

/// Adds the anchor met and the next one to a signal that has a value.
pub(super) fn describe(name: &str, signal: &mut Signal) {
    let Some(value) = signal.value else { return };
    let ladder = match name {
        "structure" => STRUCTURE,
        "ownership" => OWNERSHIP,
        "quantified_evidence" => QUANTIFIED,
        "specificity" => SPECIFICITY,
        "trade_off" => TRADE_OFF,
        "causal" => CAUSAL,
        "relevance" => RELEVANCE,
        "filler_rate" => return describe_fillers(value, signal),
        _ => return,
    };
    let above = ladder.partition_point(|(from, _)| Milli::whole(*from) <= value);
    signal.anchor = above.checked_sub(1).map(|at| ladder[at].1.to_owned());
    signal.next = ladder.get(above).map(|(from, text)| format!("From {from}: {text}"));
}

fn describe_fillers(value: Milli, signal: &mut Signal) {
    let at = FILLERS.iter().position(|(to, _)| value <= Milli::whole(*to)).unwrap_or(0);
    signal.anchor = Some(FILLERS[at].1.to_owned());
    signal.next = at.checked_sub(1).map(|better| {
        let (to, text) = FILLERS[better];
        format!("At most {to} of 100 words: {text}")
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(name: &str, value: i64) -> (String, bool) {
        let mut signal = Signal { value: Some(Milli::whole(value)), ..Signal::default() };
        describe(name, &mut signal);
        (signal.anchor.expect("every value meets an anchor"), signal.next.is_some())
    }

    #[test]
    fn the_anchor_is_the_highest_one_met() {
        assert_eq!(described("causal", 2), (CAUSAL[1].1.to_owned(), true));
        assert_eq!(described("causal", 9), (CAUSAL[2].1.to_owned(), false));
        assert_eq!(described("filler_rate", 0), (FILLERS[0].1.to_owned(), false));
        assert_eq!(described("filler_rate", 5), (FILLERS[2].1.to_owned(), true));
    }
}
