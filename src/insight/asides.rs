//! Small talk: sentences about private life that have nothing to do with the answer around them.
//!
//! Told well, a day at the seaside has a setting and something done, and would count like a story
//! from work. Three things together make a sentence an aside: words of private life, nothing that
//! the speaker did at work, and no word shared with the question or with the rest of the answer.
//! Where the answer itself is about such things, as at a baker's or a vet's, nothing is an aside.

use std::ops::Range;

use super::lexicon::Bits;
use super::signals::{Focus, Reading};
use super::story::Subject;
use super::text::{Document, Mark};

/// Shorter texts get no score, and lack the rest that an aside would stand beside.
const WORDS_MIN: usize = 25;

/// Weight of the words from which a sentence is about private life; a word that occurs at work as
/// well weighs one.
const WEIGHT_MIN: usize = 3;
const PRIVATE_WEIGHT: usize = 3;

/// Right after an aside less is enough.
const WEIGHT_AFTER: usize = 1;

/// Words that tie nothing together: people and months are at home and at work.
const LOOSE: Bits = Bits::LOOSE.or(Bits::PEOPLE).or(Bits::PERIOD).or(Bits::MONTH);

/// Marks the clauses of asides.
pub(super) fn mark(reading: &mut Reading, focus: &Option<Focus>) {
    let asides = find(reading, focus);
    for clause in &mut reading.story {
        clause.aside = asides.get(clause.sentence).copied().unwrap_or_default();
    }
}

fn find(reading: &Reading, focus: &Option<Focus>) -> Vec<bool> {
    let document = &reading.document;
    let private = |at: usize| document.tokens[at].bits.any(Bits::PRIVATE);
    let asked = focus.as_ref().is_some_and(Focus::is_private);
    if document.tokens.len() < WORDS_MIN || asked {
        return Vec::new();
    }
    let mut works = vec![false; document.sentences.len()];
    for clause in &reading.story {
        let own = matches!(clause.verb.subject, Subject::I | Subject::We);
        works[clause.sentence] |= own && clause.verb.does_work();
    }
    let mut candidates = Vec::with_capacity(works.len());
    for (range, works) in document.sentences.iter().zip(&works) {
        let weight = weight(document, range.clone());
        let after = candidates.last() == Some(&true);
        let goes_on = after && goes_on(document, range.start);
        let needed = if after { WEIGHT_AFTER } else { WEIGHT_MIN };
        candidates.push(!works && (weight >= needed || goes_on));
    }
    let about = |kind: bool| {
        let sentences = document.sentences.iter().zip(&candidates);
        sentences.filter(move |(_, aside)| **aside == kind).flat_map(|(range, _)| range.clone())
    };
    // The answer's own matter is of that kind, or hardly anything else is said.
    if about(false).any(private) || about(true).count() * 2 > document.tokens.len() {
        return Vec::new();
    }
    let telling = |at: &usize| !document.tokens[*at].bits.any(LOOSE);
    let mut known: Vec<u32> =
        about(false).filter(telling).map(|at| document.tokens[at].stem).collect();
    known.extend(focus.iter().flat_map(Focus::stems));
    known.sort_unstable();
    let tied = |range: &Range<usize>| {
        let mut words = range.clone().filter(telling);
        words.any(|at| known.binary_search(&document.tokens[at].stem).is_ok())
    };
    let sentences = document.sentences.iter().zip(&candidates);
    sentences.map(|(range, candidate)| *candidate && !tied(range)).collect()
}

/// How much of a sentence names things of private life, each word once.
fn weight(document: &Document, range: Range<usize>) -> usize {
    let mut seen: Vec<u32> = Vec::new();
    let mut weight = 0;
    for token in &document.tokens[range] {
        let private = token.bits.any(Bits::PRIVATE);
        if (private || token.bits.any(Bits::LEISURE)) && !seen.contains(&token.stem) {
            seen.push(token.stem);
            weight += if private { PRIVATE_WEIGHT } else { 1 };
        }
        if weight >= WEIGHT_MIN {
            break;
        }
    }
    weight
}

/// "She has …", "It was …" in the same line goes on from the sentence before.
fn goes_on(document: &Document, at: usize) -> bool {
    let same_line = at > 0 && document.tokens[at - 1].after < Mark::Line;
    let first = document.bits_at(at);
    same_line && first.any(Bits::PRONOUN) && !first.any(Bits::I.or(Bits::WE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::lexicon::Lexicon;

    const STORY: &str = "I moved the invoice import to Rust, because nobody knew the old one. \
        Errors fell from 30 a week to 4 within a month. The branch in Ghent uses it as well.";

    /// Which sentences of a text are asides.
    fn asides(question: Option<&str>, text: &str) -> Vec<usize> {
        let lexicon = Lexicon::new();
        let focus = Focus::new(&lexicon, question);
        let reading = Reading::new(&lexicon, text).set_aside(&focus);
        let mut found: Vec<usize> =
            reading.story.iter().filter(|c| c.aside).map(|c| c.sentence).collect();
        found.dedup();
        found
    }

    #[test]
    fn small_talk_is_set_aside_with_what_goes_on_from_it() {
        let talk = "My cat sleeps on the sofa all day. She has a very long tail.";
        assert_eq!(asides(None, &format!("{STORY} {talk}")), [3, 4]);
        assert_eq!(asides(None, &format!("{talk}\n{STORY}")), [0, 1]);
    }

    #[test]
    fn what_is_asked_or_tied_to_the_answer_is_none() {
        let hobby = "On Sundays I play football with the children of my brother.";
        let text = format!("{STORY} {hobby}");
        assert_eq!(asides(None, &text), [3]);
        assert!(asides(Some("What are your hobbies?"), &text).is_empty());
        let tied = format!("{STORY} My aunt in Ghent told me of her soup and the invoice for it.");
        assert!(asides(None, &tied).is_empty());
    }

    #[test]
    fn where_such_things_are_the_work_nothing_is_one() {
        let baker = "I changed the dough for our croissants, because too many came back. \
            Last autumn we sold 300 cakes a day. The strawberry cake won a prize in the town. \
            I wrote the plan for the night shift and trained two apprentices on it.";
        assert!(asides(None, baker).is_empty());
    }

    #[test]
    fn a_home_word_beside_work_is_none() {
        let text = format!("{STORY} My mother was ill at the time, so the deadline was hard.");
        assert!(asides(None, &text).is_empty());
    }
}
