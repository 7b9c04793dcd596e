//! Which sentences of an answer are about its matter: no small talk, no praise of oneself, not said
//! before.
//!
//! Of an answer that tells about work, these are the sentences that do so. Of any other, those that
//! hang together with the question and with what the answer opens with, by a word that they share:
//! what is put beside an answer, and has nothing to do with it, then changes nothing.

use std::collections::BTreeMap;

use super::{Focus, Reading};
use crate::domain::analysis::Star;
use crate::insight::lexicon::Bits;

/// With fewer words of story than this there is nothing to tell small talk from.
const TOLD_WORDS_MIN: usize = 15;

/// Texts with fewer words than this get no score; all of them is read.
const UNSCORED_WORDS: usize = 25;

/// A sentence belongs to the story from this score on.
const STORY_MIN: i32 = 2;

/// For each sentence whether it is about the matter.
pub(super) fn sentences(reading: &Reading, focus: &Option<Focus>) -> Vec<bool> {
    let document = &reading.document;
    let mut told = vec![false; document.sentences.len()];
    let mut praise = vec![0; told.len()];
    let mut aside = told.clone();
    for clause in &reading.story {
        let part = clause.parts.strongest(STORY_MIN);
        let counts = !clause.repeated && !clause.aside;
        told[clause.sentence] |= part != Star::Other && counts;
        aside[clause.sentence] |= clause.aside;
        praise[clause.sentence] += if clause.praise { clause.range.len() } else { 0 };
    }
    let words = document.sentences.iter().zip(&told).filter(|(_, told)| **told);
    let words: usize = words.map(|(range, _)| range.len()).sum();
    let short = document.tokens.len() < UNSCORED_WORDS;
    if words >= TOLD_WORDS_MIN && !short {
        return told;
    }
    let fresh = document.sentences.iter().map(|range| !document.is_repeat(range));
    if short {
        return fresh.collect();
    }
    let boasts = |at: usize| !told[at] && praise[at] * 2 >= document.sentences[at].len();
    let open: Vec<bool> =
        fresh.enumerate().map(|(at, fresh)| fresh && !boasts(at) && !aside[at]).collect();
    connected(reading, focus, &open)
}

/// Of these sentences the ones that hang together with the question and with the opening: the first
/// words, as many as a score needs.
fn connected(reading: &Reading, focus: &Option<Focus>, open: &[bool]) -> Vec<bool> {
    let document = &reading.document;
    let stems = |at: usize| {
        let tokens = &document.tokens[document.sentences[at].clone()];
        tokens.iter().filter(|token| !token.bits.any(Bits::LOOSE)).map(|token| token.stem)
    };
    let mut matter = vec![false; open.len()];
    let mut holders: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut waiting: Vec<u32> = focus.iter().flat_map(Focus::stems).collect();
    for at in (0..open.len()).filter(|&at| open[at]) {
        stems(at).for_each(|stem| holders.entry(stem).or_default().push(at));
        if document.sentences[at].start < UNSCORED_WORDS {
            matter[at] = true;
            waiting.extend(stems(at));
        }
    }
    // Each word is taken out of the map once, so this ends after as many words as there are.
    while let Some(stem) = waiting.pop() {
        for at in holders.remove(&stem).unwrap_or_default() {
            if !std::mem::replace(&mut matter[at], true) {
                waiting.extend(stems(at));
            }
        }
    }
    matter
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::lexicon::Lexicon;

    fn read(question: &str, text: &str) -> Vec<bool> {
        let lexicon = Lexicon::new();
        let focus = Focus::new(&lexicon, Some(question));
        sentences(&Reading::new(&lexicon, text).set_aside(&focus), &focus)
    }

    #[test]
    fn of_an_opinion_what_hangs_together_is_read() {
        let text = "Tariffs on steel, or on aluminium, or whatever else, are about the price of \
            tins and of nothing else in this whole world, or so it would seem. Tins are the thing. \
            Ostriches are quick.";
        assert_eq!(read("What about the tariffs?", text), [true, true, false]);
    }

    #[test]
    fn praise_of_oneself_is_not_read() {
        let text = "I'd say that there are many reasons and that somebody like me is rare these \
            days, in any company, of whatever size. I am a natural leader and a team player.";
        assert_eq!(read("Why should we take you as our leader?", text), [true, false]);
    }
}
