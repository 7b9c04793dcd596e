//! Sentences of speech without marks: a recogniser in a browser gives words, and times at best.
//!
//! A silence ends a sentence unless the word before it promises more ("the", "and", "um"): people
//! stop to search for a word as well. Written marks win: with them, nothing is done here.

use super::{Document, Mark};
use crate::domain::analysis::TimedWord;
use crate::domain::number::Milli;
use crate::insight::lexicon::Bits;

/// A silence of this length may end a sentence; shorter ones lie between any two words.
const SILENCE_MIN: Milli = Milli(600);

/// A text with at least one closing mark in so many words was punctuated by somebody.
const WORDS_PER_MARK: usize = 40;

/// Text and times may differ by so many words in a row, where a recogniser wrote a number anew.
const LOOK_AHEAD: usize = 4;

/// After these words nobody ends a sentence.
const PROMISING: Bits = Bits::DETERMINER
    .or(Bits::PREPOSITION)
    .or(Bits::CONJUNCTION)
    .or(Bits::FILLER)
    .or(Bits::I)
    .or(Bits::WE)
    .or(Bits::MODAL)
    .or(Bits::BE);

/// Ends sentences at silences where the text has no marks of its own.
pub(super) fn mark(document: &mut Document, words: &[TimedWord]) {
    let closed = document.tokens.iter().filter(|token| token.after >= Mark::Stop).count();
    if words.len() < 2 || closed * WORDS_PER_MARK > document.tokens.len() {
        return;
    }
    let mut next = 0;
    let mut before: Option<(usize, Milli)> = None;
    for TimedWord(word, start, end) in words {
        let first = word.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’').next();
        let wanted = first.unwrap_or_default().to_lowercase().replace('’', "'");
        let reach = next..(next + LOOK_AHEAD).min(document.tokens.len());
        let Some(at) = reach.into_iter().find(|at| document.fold_at(*at) == wanted) else {
            continue;
        };
        if let Some((last, ended)) = before
            && *start - ended >= SILENCE_MIN
            && last + 1 == at
            && !document.bits_at(last).any(PROMISING)
        {
            document.tokens[last].after = Mark::Stop;
        }
        next = at + 1;
        before = Some((at, *end));
    }
}

#[cfg(test)]
mod tests;
