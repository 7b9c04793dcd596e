//! Specificity: how much is exact and concrete, per stretch of text.
//!
//! One formula for all subjects: figures, names and uncommon words add, vague words, hedges and
//! pronouns take away. A text of more than [`WINDOW`] words is judged by its density, so that
//! length buys nothing. Only the sentences about the matter are read (`substance`): small talk and
//! self-praise leave the value where it is.

use super::{Reading, signal};
use crate::domain::analysis::{Evidence, Signal};
use crate::domain::number::Milli;
use crate::insight::lexicon::{Bits, Cue};
use crate::insight::text::{Mark, Token};

/// Words after which density is judged instead of amount: about two spoken sentences.
const WINDOW: i64 = 30;

/// Tenths of a point for a figure, and how many count in full: some, and one more in so many words.
const FIGURE_POINTS: i64 = 30;
const FIGURES_FREE: i64 = 2;
const WORDS_PER_FIGURE: i64 = 15;
const FIGURE: &str = "specificity.figure";

/// Half of the scale is reached with this much information in one window.
const HALF: i64 = 200;

/// Taken off for a vague or hedging phrase, besides what its words take off themselves.
const PHRASE: i64 = 6;

/// Words of so many letters are rarely everyday words.
const LONG_WORD: u32 = 8;

pub(super) fn measure(reading: &Reading, matter: &[bool]) -> Signal {
    let document = &reading.document;
    let (mut words, mut information, mut figures) = (0, 0, 0);
    let mut evidence: Vec<Evidence> = Vec::new();
    for (range, _) in document.sentences.iter().zip(matter).filter(|(_, matter)| **matter) {
        for at in range.clone() {
            let (points, rule) = weigh(&document.tokens[at], at > range.start);
            words += i64::from(!document.tokens[at].bits.any(Bits::FILLER));
            information += points;
            figures += i64::from(rule == FIGURE);
            if !rule.is_empty() {
                evidence.push(reading.evidence(at..at + 1, rule));
            }
        }
        for hit in
            document.hits_in(range).iter().filter(|hit| matches!(hit.cue, Cue::Vague | Cue::Hedge))
        {
            let rule =
                if hit.cue == Cue::Vague { "specificity.vague" } else { "specificity.hedge" };
            information -= PHRASE;
            evidence.push(reading.evidence(hit.first as usize..hit.last as usize + 1, rule));
        }
    }
    if document.tokens.is_empty() {
        return Signal::default();
    }
    // A list of numbers is not a story: figures beyond the usual density are taken off again.
    let usual = FIGURES_FREE + words / WORDS_PER_FIGURE;
    information -= (figures - usual).max(0) * (FIGURE_POINTS - 5);
    let dense = information.max(0) * WINDOW / words.max(WINDOW);
    signal(Milli(dense * 100_000 / (dense + HALF)), evidence)
}

/// Tenths of a point of information in one word, and the rule if the word is quoted.
fn weigh(token: &Token, inside: bool) -> (i64, &'static str) {
    let bits = token.bits;
    let name = token.capital && inside && !bits.any(Bits::FUNCTION.or(Bits::SELF));
    if token.number || bits.any(Bits::NUMBER) {
        (FIGURE_POINTS, FIGURE)
    } else if bits.any(Bits::VAGUE) {
        (-8, "specificity.vague")
    } else if bits.any(Bits::HEDGE) {
        (-8, "specificity.hedge")
    } else if bits.any(Bits::PRONOUN) {
        (-2, "")
    } else if bits.any(Bits::FUNCTION.or(Bits::FILLER)) || token.to - token.from == 1 {
        (0, "")
    } else if name && token.after != Mark::Joint {
        (28, "specificity.name")
    } else if bits.any(Bits::EVERYDAY) {
        (8, "")
    } else if token.to - token.from >= LONG_WORD {
        (26, "")
    } else {
        (20, "")
    }
}

#[cfg(test)]
mod tests {
    use super::super::substance;
    use super::*;
    use crate::insight::lexicon::Lexicon;

    fn value(text: &str) -> i64 {
        let reading = Reading::new(&Lexicon::new(), text);
        measure(&reading, &substance::sentences(&reading, &None)).value.expect("has words").0
    }

    #[test]
    fn the_exact_telling_beats_the_vague_one() {
        let vague = "I did various things and lots of stuff to make it really good somehow.";
        let exact = "I moved the invoice import from Perl to Rust and wrote 30 fixtures for it.";
        assert!(value(exact) > value(vague) + 20_000);
    }

    #[test]
    fn small_talk_beside_a_story_changes_nothing() {
        let story = "I moved the invoice import from Perl to Rust and wrote 30 fixtures for it, \
            because nobody else in the branch knew the old one. Errors fell by half in 3 weeks.";
        assert_eq!(value(story), value(&format!("{story} I like canaries.")));
    }
}
