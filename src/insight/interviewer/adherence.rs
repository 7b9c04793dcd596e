//! Which questions of the kit were asked, by the content words that the interviewers used.

use serde::Serialize;

use crate::domain::number::Milli;
use crate::insight::lexicon::{Bits, Lexicon};
use crate::insight::text::Document;

/// How far the kit was followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Adherence {
    /// Asked questions of the kit in a hundred.
    pub share: Milli,
    /// Indexes of the kit's questions that were asked.
    pub asked: Vec<usize>,
    /// Indexes of those that were not.
    pub missed: Vec<usize>,
}

/// Interviewers shorten and reorder a question, so two in three of its content words are enough.
const WORDS_TOLD: usize = 2;
const WORDS_ALL: usize = 3;

/// Compares what was said with the kit's questions.
pub(super) fn compare(lexicon: &Lexicon, spoken: &[Document], kit: &[&str]) -> Adherence {
    let said: Vec<Vec<u32>> = spoken.iter().map(content).collect();
    let asked = |question: &&str| {
        let wanted = content(&Document::read(lexicon, question));
        said.iter().any(|turn| {
            let told = wanted.iter().filter(|stem| turn.binary_search(stem).is_ok()).count();
            told > 0 && told * WORDS_ALL >= wanted.len() * WORDS_TOLD
        })
    };
    let (asked, missed): (Vec<usize>, Vec<usize>) =
        (0..kit.len()).partition(|index| asked(&kit[*index]));
    let share = Milli(asked.len() as i64 * 100_000 / kit.len().max(1) as i64);
    Adherence { share, asked, missed }
}

/// Stems of the words that tell this question from others, sorted.
fn content(document: &Document) -> Vec<u32> {
    const DULL: Bits = Bits::FUNCTION.or(Bits::FILLER).or(Bits::ASK);
    let telling = document.tokens.iter().filter(|token| !token.bits.any(DULL));
    let mut stems: Vec<u32> = telling.map(|token| token.stem).collect();
    stems.sort_unstable();
    stems.dedup();
    stems
}
